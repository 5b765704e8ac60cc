"""What a caller may ask a sandbox for: mistakes are found before anything runs, and the messages name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sandboxes import judging
from sandboxes.inside import values
from sandboxes.inside.conversation import LARGEST_RECORD
from sandboxes.languages import language
from sandboxes.paths import confine
from sandboxes.types import AssertCase, CallCase, Limits, Program, StdioCase, TestCase, UnittestCase

MOST_FETCHED = 32
"""How many files can be brought back at once."""
LARGEST_INPUT = 256 << 20
"""Bytes of standard input, and of all files that go along with a program."""
_PAGE = 4096
_FRAME = 4096  # what a call's record takes besides the arguments


def check_tests(program: Program, tests: Iterable[TestCase], fresh: bool = False) -> tuple[TestCase, ...]:
    """Return the tests, when each can be run at all with this program.

    Raises:
        ValueError: There are none, the language is unknown, or a test does not fit; the message has its number.
    """
    checked = tuple(tests)
    if not checked:
        raise ValueError("no tests: a program without tests has no verdict")
    spoken = language(program.language).name
    for number, test in enumerate(checked, 1):
        if not isinstance(test, TestCase):
            raise ValueError(f"test {number} is no test but {_kind(test)}")
        if not isinstance(test, StdioCase) and spoken != "python":
            raise ValueError(f"test {number} is a {_kind(test)}, which takes a Python program, not {spoken}")
        if not isinstance(test, StdioCase) and fresh:
            raise ValueError(f"test {number} is a {_kind(test)}; fresh is for tests by standard input and output")
        if fault := _fault(test):
            raise ValueError(f"test {number}: {fault}")
    return checked


def _fault(test: TestCase) -> str:
    if isinstance(test, StdioCase):
        return _stdio_fault(test)
    if isinstance(test, CallCase):
        return _call_fault(test)
    if not isinstance(test.code, str):
        return f"code must be text, not {_kind(test.code)}"
    if isinstance(test, AssertCase):
        named = test.entry_point is None or isinstance(test.entry_point, str)
        return _code_fault(test) if named else f"entry_point must be text or None, not {_kind(test.entry_point)}"
    return _code_fault(test)


def _stdio_fault(test: StdioCase) -> str:
    for name in ("stdin", "expected"):
        if not isinstance(content := getattr(test, name), str | bytes):
            return f"{name} must be text or bytes, not {_kind(content)}"
    return "" if len(test.stdin) <= LARGEST_INPUT else f"stdin is longer than {LARGEST_INPUT} bytes"


def _call_fault(test: CallCase) -> str:
    if not isinstance(test.function, str) or len(test.function) > 1000:
        return f"function must be a name, not {test.function!r:.100}"
    if not isinstance(test.args, tuple | list):
        return f"args must be a tuple, not {_kind(test.args)}"
    if not isinstance(test.kwargs, Mapping) or not all(isinstance(name, str) for name in test.kwargs):
        return "kwargs must have names for keys"
    arguments = [test.function, list(test.args), dict(test.kwargs)]
    return _value_fault("the call's arguments are", arguments) or _value_fault("expected is", test.expected)


def _value_fault(what: str, value: object) -> str:
    try:
        values.encode(value, LARGEST_RECORD - _FRAME)
    except values.Unencodable as error:
        return f"{what} no plain data: {error}"
    return ""


def _code_fault(test: AssertCase | UnittestCase) -> str:
    try:
        judging.suite_tests(test) if isinstance(test, UnittestCase) else judging.check_assertions(test)
    except ValueError as error:
        return str(error)
    return ""


def _kind(value: object) -> str:
    return type(value).__name__


def check_run(stdin: bytes, fetch: Iterable[str]) -> None:
    """Check what a run without a test gets, and what it shall bring back.

    Raises:
        ValueError: The input is no bytes or too long; too many files to bring back, or a name that cannot be a file's.
    """
    if not isinstance(stdin, bytes):
        raise ValueError(f"stdin must be bytes, not {_kind(stdin)}")
    if len(stdin) > LARGEST_INPUT:
        raise ValueError(f"stdin is longer than {LARGEST_INPUT} bytes")
    names = list(fetch)
    if len(names) > MOST_FETCHED:
        raise ValueError(f"{len(names)} files to bring back; no more than {MOST_FETCHED} can be brought back at once")
    confine(names)


def check_room(program: Program, limits: Limits) -> None:
    """Check that the scratch folders of a run hold a program's files.

    Raises:
        ValueError: They do not.
    """
    taken = room_for(program.files)
    if taken > min(limits.disk_mb << 20, LARGEST_INPUT):
        most = f"disk_mb={limits.disk_mb}" if limits.disk_mb << 20 < LARGEST_INPUT else f"{LARGEST_INPUT} bytes"
        raise ValueError(f"the program's files take {taken} bytes, more than {most} has room for")


def room_for(files: Mapping[str, bytes]) -> int:
    """How many bytes files take in the scratch folders, which hold whole pages."""
    return sum(-(-len(content) // _PAGE) * _PAGE for content in files.values())
