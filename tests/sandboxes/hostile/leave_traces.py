"""Leaves everything behind that could outlive it or stop a clean-up, in every folder that it can write to."""

import contextlib
import os
import socket
import stat

secret = "SECRET" + "-" + "0" * 32
for folder in ("/tmp", "/var/tmp", "/dev/shm", "/sandbox/box", "/sandbox", "/sandbox/box/work", "/", "/proc", "/dev"):
    with contextlib.suppress(OSError):
        os.chdir(folder)
        for name in ("plain", "-rf", " ", "\n", "a" * 255, "\udcff\udcfe", "...", ".hidden", "*", "x\x1b[2J"):
            with contextlib.suppress(OSError), open(name, "w") as file:
                file.write(secret)
        with contextlib.suppress(OSError):
            os.mkfifo("fifo")
            os.mknod("node", stat.S_IFREG)
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as end:
            end.bind("socket")
        with contextlib.suppress(OSError):
            os.symlink("/etc/passwd", "link")
            os.symlink("loop", "loop")
            os.link("plain", "hard")
            os.setxattr("plain", "user.secret", secret.encode())
        with contextlib.suppress(OSError):
            os.setxattr(".", "user.secret", secret.encode())
        with contextlib.suppress(OSError):
            os.mkdir("locked")
            os.mkdir("locked/below")
            os.chmod("locked", 0)
        for name in ("plain", "."):
            with contextlib.suppress(OSError):
                os.utime(name, ns=(123456789, 987654321))
        with contextlib.suppress(OSError):
            os.chmod("plain", 0o4000)
            os.chmod(".", 0)
print(sum(map(int, input().split())))
