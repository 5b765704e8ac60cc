"""Calls of functions on servers that only run whole programs: a driver calls, and its output is read back."""

from __future__ import annotations

import secrets
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

from sandboxes.inside import conversation, values, wire
from sandboxes.remote import call_driver
from sandboxes.types import CallCase, Limits, Outcome, Program

_MOST_ARGUMENT_BYTES = 64 << 20
_KINDS = {
    call_driver.VALUE: conversation.VALUE,
    call_driver.RAISED: conversation.RAISED,
    call_driver.UNFIT: conversation.UNFIT,
}


def driver_program(program: Program, case: CallCase, limits: Limits) -> tuple[Program, str]:
    """Return a program that runs another one and calls its function, and the mark around the result.

    Raises:
        ValueError: The arguments are no plain data.
    """
    mark = secrets.token_hex(16)
    call = [case.function, list(case.args), dict(case.kwargs), limits.output_kb << 10]
    message = values.encode(call, _MOST_ARGUMENT_BYTES)
    arguments = (_text_of(values), program.source, message, mark)
    source = f"{_text_of(call_driver)}\n\ndrive({', '.join(map(ascii, arguments))})\n"
    return replace(program, source=source), mark


def read_back(outcome: Outcome, mark: str) -> Outcome:
    """Return the facts of a call as a backend with a channel gives them: the result apart from the output.

    A result that is missing, or there twice, is none; the program itself may have written it, and gains nothing by
    it, since what it should be is not there to be read.
    """
    parts = outcome.stdout.split(f"\n{mark}".encode())
    output, records = parts[0], parts[1:]
    if len(records) != 2 or records[1] != b"\n":
        return replace(outcome, stdout=output, reply=b"")
    kind, body = records[0][:1].decode("ascii", "replace"), records[0][1:]
    if kind == call_driver.BROKEN:
        return replace(outcome, stdout=output, stderr=_message(body), exit_code=1, compiled=False)
    if kind == call_driver.UNFIT:
        body = _message(body)
    if kind == call_driver.VALUE:
        body = struct.pack("!I", len(body)) + body
    return replace(outcome, stdout=output, reply=wire.frame(_KINDS.get(kind, b"?") + body))


def _message(body: bytes) -> bytes:
    try:
        text = values.decode(body)
    except ValueError:
        text = None
    return text.encode("utf-8", "replace") if isinstance(text, str) else b"a malformed message"


def _text_of(module: Any) -> str:
    return Path(module.__file__).read_text(encoding="utf-8")
