"""Makes files until there are no more to be had."""

import os

try:
    for number in range(200_000):
        os.close(os.open(f"/tmp/{number}", os.O_CREAT | os.O_WRONLY))
except OSError:
    pass
else:
    print("GOT: 200,000 files")
print(sum(map(int, input().split())))
