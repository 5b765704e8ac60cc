"""Leaves daemons that go on writing answers after it has ended with none."""

import os
import time

os.setsid() if os.getpgrp() != os.getpid() else None
for _ in range(3):
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
            time.sleep(0.3)
            while True:
                os.write(1, b"42\n")
        os._exit(0)
