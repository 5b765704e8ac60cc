"""Makes files of a terabyte that take no space."""

import os
import sys

for make in (
    lambda n: os.truncate("big", n),
    lambda n: os.pwrite(os.open("big", os.O_WRONLY), b"x", n),
    lambda n: os.posix_fallocate(os.open("big", os.O_WRONLY), 0, n),
):
    open("big", "w").close()
    try:
        make(1 << 40)
        print("GOT: a terabyte", file=sys.stderr)
    except OSError:
        pass
print(sum(map(int, input().split())))
