"""Makes daemons without end, each of which makes one and ends, until the answer is out and long after."""

import os

print(sum(map(int, input().split())), flush=True)
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        while True:
            try:
                if os.fork():
                    os._exit(0)
                os.setsid()
            except OSError:
                continue
