"""Messages between the trusted process and a supervisor: a header of JSON and a body of bytes, each with its length."""

from __future__ import annotations

import json
import os
import struct
from typing import Any

_LENGTHS = struct.Struct("!II")
LARGEST_HEADER = 16 << 20
LARGEST_BODY = 1 << 30


class Closed(EOFError):
    """The other side is gone."""


def pack(header: dict[str, Any], *parts: bytes) -> bytes:
    """A message. The lengths of `parts` go into the header, as ``parts``."""
    text = json.dumps({**header, "parts": [len(part) for part in parts]}).encode()
    return b"".join((_LENGTHS.pack(len(text), sum(map(len, parts))), text, *parts))


class Reader:
    """Takes messages out of a stream of bytes that arrives in pieces."""

    def __init__(self):
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        """Add what arrived."""
        self._data += data

    def next(self) -> tuple[dict[str, Any], list[bytes]] | None:
        """The next whole message and its parts, or None.

        Raises:
            ValueError: The stream does not follow the protocol.
        """
        if len(self._data) < _LENGTHS.size:
            return None
        header_size, body_size = _LENGTHS.unpack_from(self._data)
        if header_size > LARGEST_HEADER or body_size > LARGEST_BODY:
            raise ValueError(f"a message of {header_size} + {body_size} bytes")
        start = _LENGTHS.size + header_size
        if len(self._data) < start + body_size:
            return None
        header = json.loads(self._data[_LENGTHS.size : start])
        if type(header) is not dict or sum(header.get("parts", ())) != body_size:
            raise ValueError("a message whose header and body do not fit")
        parts = []
        for size in header["parts"]:
            parts.append(bytes(self._data[start : start + size]))
            start += size
        del self._data[:start]
        return header, parts


def write_all(descriptor: int, data: bytes) -> None:
    """Write everything to a blocking descriptor."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def frame(data: bytes) -> bytes:
    """A record on a program's channel: its length and itself."""
    return struct.pack("!I", len(data)) + data


def frames(data: bytes) -> list[bytes] | None:
    """The records of a channel that has ended; None when they do not add up."""
    records, at = [], 0
    while at + 4 <= len(data):
        (size,) = struct.unpack_from("!I", data, at)
        records.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return records if at == len(data) else None
