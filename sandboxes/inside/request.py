"""What the supervisor and the zygote tell each other: packed, since a fork server that touches little copies little."""

from __future__ import annotations

import json
import struct
from typing import Any, NamedTuple

MODES = ("python", "exec", "call", "examine", "assert", "unittest")
_REQUEST = struct.Struct("=BBBdIIIIIIQI")
_REPORT = struct.Struct("=idQIII")


class Request(NamedTuple):
    """One run, without its contents.

    Attributes:
        mode: The position of the mode in `MODES`.
        executable: Whether files in the scratch folders may be executed.
        plain: Whether the job's bytes are the source alone, without settings and files.
        cpu_s: As in `Limits`; so the next six.
        size: How many bytes the job has.
        fetch: JSON of the names of files to bring back, or nothing.
    """

    mode: int
    executable: int
    plain: int
    cpu_s: float
    memory_mb: int
    processes: int
    file_mb: int
    disk_mb: int
    open_files: int
    stack_mb: int
    size: int
    fetch: bytes

    def pack(self) -> bytes:
        """As bytes."""
        return _REQUEST.pack(*self[:-1], len(self.fetch)) + self.fetch


def read_request(data: bytes) -> Request:
    """A request from its bytes."""
    *fields, size = _REQUEST.unpack_from(data)
    return Request._make([*fields, data[_REQUEST.size : _REQUEST.size + size]])


def make_request(header: dict[str, Any], plain: bool, size: int) -> Request:
    """A request from what the trusted process asked for."""
    limits = header["limits"]
    names = ("memory_mb", "processes", "file_mb", "disk_mb", "open_files", "stack_mb")
    fetch = json.dumps(header["fetch"]).encode() if header["fetch"] else b""
    numbers = [limits[name] for name in names]
    mode = MODES.index(header["mode"])
    return Request._make([mode, header["executable"], plain, float(limits["cpu_s"]), *numbers, size, fetch])


class Report(NamedTuple):
    """How a run ended, from the kernel.

    Attributes:
        status: The wait status of the program's first process.
        cpu_s: CPU seconds of all its processes.
        peak_bytes: The largest resident size of its first process.
        survivors: How many processes were left when it ended.
        stage: How far it got; see `sandboxes.inside.program`.
        fetched: JSON of the names of the files that come along, or nothing.
    """

    status: int
    cpu_s: float
    peak_bytes: int
    survivors: int
    stage: bytes
    fetched: bytes

    def pack(self) -> bytes:
        """As bytes."""
        return _REPORT.pack(*self[:4], len(self.stage), len(self.fetched)) + self.stage + self.fetched


def read_report(data: bytes) -> Report:
    """A report from its bytes."""
    *facts, stage, fetched = _REPORT.unpack_from(data)
    at = _REPORT.size
    return Report._make([*facts, data[at : at + stage], data[at + stage : at + stage + fetched]])
