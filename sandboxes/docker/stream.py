"""The stream to a supervisor in a container: the engine's connection to its standard input, output and error."""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from sandboxes.errors import InternalError

_log = logging.getLogger(__name__)
_HEADER = struct.Struct(">BxxxI")
_STDIN, _STDOUT, _STDERR = range(3)
_PIECE = 1 << 18
_KEPT_OF_ERRORS = 4000
_RECEIVE_PATIENCE_S = 30.0


class Frames:
    """Takes standard output out of what an engine sends: frames of a kind, a length, and bytes.

    Attributes:
        errors: The end of standard error.
    """

    def __init__(self):
        self.errors = bytearray()
        self._data = bytearray()
        self._kind = _STDOUT
        self._left = 0

    def feed(self, data: bytes) -> bytes:
        """Add what arrived; returns the standard output in it.

        Raises:
            ValueError: These are no frames.
        """
        self._data += data
        found, at = [], 0
        while True:
            if self._left:
                piece = self._data[at : at + self._left]
                if not piece:
                    break
                at += len(piece)
                self._left -= len(piece)
                if self._kind == _STDOUT:
                    found.append(piece)
                else:
                    self.errors = (self.errors + piece)[-_KEPT_OF_ERRORS:]
            elif len(self._data) - at >= _HEADER.size:
                self._kind, self._left = _HEADER.unpack_from(self._data, at)
                at += _HEADER.size
                if self._kind > _STDERR:
                    raise ValueError(f"a frame of kind {self._kind}")
            else:
                break
        del self._data[:at]
        return b"".join(found)


class AttachedStream:
    """A `sandboxes.worker.Stream` over an engine's connection.

    Every wait has its own deadline: the engine and its client have none.
    """

    def __init__(self, connection: Any, end: Callable[[], None]):
        """Args say what it speaks on.

        Args:
            connection: What the docker package gives for an attached container.
            end: Ends the container and waits until it is gone.
        """
        # It wraps the socket for reading; kept, since the socket is closed along with it.
        self._connection = connection
        self._socket: Any = getattr(connection, "_sock", connection)
        self._end = end
        self._frames = Frames()

    def fileno(self) -> int:
        """The socket."""
        return self._socket.fileno()

    def pending(self) -> bool:
        """Whether TLS holds bytes back."""
        pending = getattr(self._socket, "pending", None)
        return bool(pending and pending())

    def send(self, data: bytes, deadline: float) -> None:
        """Send everything in time."""
        self._socket.settimeout(max(0.001, deadline - time.monotonic()))
        self._socket.sendall(data)

    def receive(self) -> bytes:
        """The standard output in what has arrived; that may be none of it."""
        self._socket.settimeout(_RECEIVE_PATIENCE_S)
        data = self._socket.recv(_PIECE)
        if not data:
            said = self._frames.errors.decode("utf-8", "replace").strip()
            raise InternalError(f"the container ended{': ' if said else ''}{said}")
        try:
            return self._frames.feed(data)
        except ValueError as error:
            raise InternalError(f"the engine does not follow the protocol: {error}") from error

    def close(self) -> None:
        """Hang up and end the container."""
        # Another thread may be waiting on this socket: it must wake.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._end()
        except InternalError as error:
            # Nobody can do more from here; the supervisor ends for want of a connection, and the container with it.
            _log.warning("a container may be left for a while: %s", error)
        self._connection.close()
        self._socket.close()
