"""The channel of programs that are called, and of the trusted programs that examine them: records that it carries."""

from __future__ import annotations

import os
import struct
import sys
import types
from typing import Any

from . import program, values

CALL, NAMES, OPERATE = "call", "names", "operate"
VALUE, RAISED, UNFIT, END = b"V", b"E", b"U", b"N"
ASK, DONE = b"C", b"D"
LARGEST_RECORD = 64 << 20
LONGEST_MESSAGE = 2000
_read, _write, _pack = os.read, os.write, struct.pack


class TooLarge(Exception):
    """A record above `LARGEST_RECORD`: nothing can be read after it."""


def receive() -> bytes | None:
    """The next record, or None at the end.

    Raises:
        TooLarge: It is not worth reading.
    """
    head = _exactly(4)
    if head is None:
        return None
    size = struct.unpack("!I", head)[0]
    if size > LARGEST_RECORD:
        raise TooLarge(f"a record of more than {LARGEST_RECORD >> 20} MiB")
    return _exactly(size)


def _exactly(size: int) -> bytes | None:
    pieces = []
    while size:
        piece = _read(program.CHANNEL, min(size, 1 << 20))
        if not piece:
            return None
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def send(record: bytes) -> None:
    """Write a record."""
    data = memoryview(_pack("!I", len(record)) + record)
    while data:
        data = data[_write(program.CHANNEL, data) :]


def define(code: types.CodeType, main: dict[str, Any]) -> int:
    """Run the program for what it defines: what it does only as a script is none of its functions' business."""
    main["__name__"] = "solution"
    sys.modules["solution"] = sys.modules["__main__"]
    return program.run_script(code, main)


def join_value(value: bytes, changed: bytes) -> bytes:
    """The body of a record that `split_value` reads."""
    return _pack("!I", len(value)) + value + changed


def split_value(body: bytes) -> tuple[Any, list[list[Any]]]:
    """What a call returned, and what it changed, as pairs.

    Raises:
        ValueError: The record is malformed.
    """
    if len(body) < 4:
        raise ValueError("a record without a value")
    size = struct.unpack("!I", body[:4])[0]
    changed = values.decode(body[4 + size :]) if len(body) > 4 + size else []
    if type(changed) is not list or len(body) < 4 + size:
        raise ValueError("a record that is cut off")
    return values.decode(body[4 : 4 + size]), changed
