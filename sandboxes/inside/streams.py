"""The two streams that a supervisor reads: what a program writes, and what the trusted process says."""

from __future__ import annotations

import os
import select
from typing import Any

from . import wire

_PIECE = 1 << 18


class Hung(Exception):
    """The trusted process hung up."""


class Pipe:
    """Collects what a program writes to one descriptor, up to a limit; what comes after that is read and dropped."""

    def __init__(self, descriptor: int, limit: int):
        self.descriptor = descriptor
        self.data = bytearray()
        self.overflow = False
        self.open = True
        self._limit = limit

    def read(self) -> bytes:
        """Take what is there; returns it, for those who pass it on."""
        try:
            piece = os.read(self.descriptor, _PIECE)
        except BlockingIOError:
            return b""
        except OSError:
            piece = b""
        if not piece:
            self.open = False
            return b""
        room = self._limit - len(self.data)
        self.data += piece[:room]
        self.overflow = self.overflow or len(piece) > room
        return piece

    def take(self) -> bytes:
        """Take out what was collected; it counts towards the limit nevertheless."""
        data = bytes(self.data)
        self._limit -= len(data)
        self.data.clear()
        return data

    def close(self) -> None:
        """Release the descriptor."""
        os.close(self.descriptor)


class Link:
    """The two-way stream of messages to the trusted process."""

    def __init__(self, read: int, write: int):
        self.read = read
        self._write = write
        self._reader = wire.Reader()
        os.set_blocking(read, False)
        os.set_blocking(write, False)

    def send(self, header: dict[str, Any], *parts: bytes) -> None:
        """Send a message; meanwhile take what arrives, for the other side may be sending too."""
        rest = memoryview(wire.pack(header, *parts))
        while rest:
            try:
                rest = rest[os.write(self._write, rest) :]
            except BlockingIOError:
                if select.select([self.read], [self._write], [])[0]:
                    self.pull()
            except OSError as error:
                raise Hung from error

    def wait(self) -> None:
        """Wait until something arrives."""
        select.select([self.read], [], [])

    def pull(self) -> None:
        """Take what has arrived, if anything has."""
        try:
            data = os.read(self.read, _PIECE)
        except BlockingIOError:
            return
        except OSError as error:
            raise Hung from error
        if not data:
            raise Hung
        self._reader.feed(data)

    def next(self) -> tuple[dict[str, Any], list[bytes]] | None:
        """The next message that has arrived whole."""
        return self._reader.next()
