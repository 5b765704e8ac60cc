"""Supervisors on this machine, at the other end of a pair of sockets."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from sandboxes.errors import InternalError

# Started by source, not by module, so that no path of this package stays on the program's sys.path.
_BOOT = (
    "import sys; sys.path[0] = sys.argv[1]; from sandboxes.inside.launch import main; del sys.path[0]; "
    "main(int(sys.argv[2]), int(sys.argv[2]), int(sys.argv[3]))"
)
_HERE = Path(__file__).resolve().parent.parent


class SocketStream:
    """A supervisor on this machine, at the other end of a pair of sockets."""

    def __init__(self, python: str, environment: dict[str, str], clear_up: Callable[[], None] | None = None):
        """Start the supervisor.

        Args:
            python: The interpreter, the supervisor's and then its programs'.
            environment: All of its environment.
            clear_up: Removes what a supervisor leaves behind that could not do it itself.
        """
        self._clear_up = clear_up
        self._socket, theirs = socket.socketpair()
        # The supervisor ends with this process, however it ends; a thread that starts it may come and go.
        watched = os.pidfd_open(os.getpid())
        try:
            self._process = subprocess.Popen(
                [python, "-s", "-c", _BOOT, str(_HERE), str(theirs.fileno()), str(watched)],
                pass_fds=(theirs.fileno(), watched),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None,
                env=environment,
                start_new_session=True,
                cwd="/",
            )
        finally:
            theirs.close()
            os.close(watched)

    @property
    def pid(self) -> int:
        """The supervisor's process number."""
        return self._process.pid

    def fileno(self) -> int:
        """The socket."""
        return self._socket.fileno()

    def pending(self) -> bool:
        """Nothing is kept here."""
        return False

    def send(self, data: bytes, deadline: float) -> None:
        """Send everything in time."""
        self._socket.settimeout(max(0.001, deadline - time.monotonic()))
        self._socket.sendall(data)

    def receive(self) -> bytes:
        """What has arrived."""
        self._socket.settimeout(None)
        data = self._socket.recv(1 << 18)
        if not data:
            raise InternalError("it hung up")
        return data

    def close(self) -> None:
        """Hang up, which ends the supervisor; kill it when that does not."""
        # Another thread may be waiting on this socket: it must wake.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self._socket.close()
        if self._clear_up is not None:
            self._clear_up()
