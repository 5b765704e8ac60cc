"""Python programs that are called, and the trusted programs that examine them. Both speak records on the channel."""

from __future__ import annotations

import builtins
import os
import struct
import sys
import types
from typing import Any

from . import program, values

CALL, NAMES = "call", "names"
VALUE, RAISED, UNFIT = b"V", b"E", b"U"
ASK, DONE = b"C", b"D"
_LARGEST_RECORD = 64 << 20
_LONGEST_MESSAGE = 2000
_read, _write, _pack = os.read, os.write, struct.pack
_silent: list[str] = []  # calls that were never answered


def _receive() -> bytes | None:
    """The next record, or None at the end: nothing can be read after one that is too large."""
    head = _exactly(4)
    if head is None:
        return None
    size = struct.unpack("!I", head)[0]
    return _exactly(size) if size <= _LARGEST_RECORD else None


def _exactly(size: int) -> bytes | None:
    pieces = []
    while size:
        piece = _read(program.CHANNEL, min(size, 1 << 20))
        if not piece:
            return None
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _send(record: bytes) -> None:
    data = memoryview(_pack("!I", len(record)) + record)
    while data:
        data = data[_write(program.CHANNEL, data) :]


def serve(code: types.CodeType, main: dict[str, Any]) -> int:
    """Run the program, then answer calls of its functions until the caller hangs up."""
    status = _define(code, main)
    if status:
        return status
    while (record := _receive()) is not None:
        kind, *rest = values.decode(record)  # type: ignore[misc]
        if kind == NAMES:
            _send(VALUE + values.encode(_names(main), _LARGEST_RECORD))
        else:
            _send(_answer(main, *rest))
    return 0


def _define(code: types.CodeType, main: dict[str, Any]) -> int:
    """Run the program for what it defines: what it does only as a script is none of its functions' business."""
    main["__name__"] = "solution"
    sys.modules["solution"] = sys.modules["__main__"]
    return program.run_script(code, main)


def _names(main: dict[str, Any]) -> list[list[str]]:
    """What the program defines at its top: functions and classes, and the modules it imported."""
    found = []
    for name, value in list(main.items()):
        if type(name) is not str or name.startswith("__"):
            continue
        if type(value) is types.ModuleType:
            found.append(["module", name, str(vars(value).get("__name__"))])
        elif callable(value):
            found.append(["function", name, ""])
    return found


def _answer(
    main: dict[str, Any], function: str, args: list[Any], kwargs: dict[str, Any], limit: int, watch: bool
) -> bytes:
    """Call and encode what came back: a value or an exception; and, to `watch`, the arguments that the call changed."""
    try:
        before = [_snapshot(arg) for arg in args] if watch else []
        result = _find(main, function)(*args, **kwargs)
        if isinstance(result, types.GeneratorType):
            return UNFIT + b"a generator"
        encoded = values.encode(result, limit)
        after = [_snapshot(arg) for arg in args] if watch else []
        changed = [[at, args[at]] for at, data in enumerate(after) if data is not None and data != before[at]]
        tail = values.encode(changed, _LARGEST_RECORD) if changed else b""
        return VALUE + _pack("!I", len(encoded)) + encoded + tail
    except values.Unencodable as error:
        return UNFIT + str(error).encode("utf-8", "replace")[:_LONGEST_MESSAGE]
    except BaseException as error:
        return RAISED + _describe(error)


def _snapshot(value: Any) -> bytes | None:
    """What an argument is now; None when the call put something into it that cannot be told."""
    try:
        return values.encode(value, _LARGEST_RECORD)
    except values.Unencodable:
        return None


def _describe(error: BaseException) -> bytes:
    """An exception as plain data, trusting nothing that its class defines."""
    names = [kind.__name__ for kind in type.mro(type(error)) if kind.__module__ == "builtins"]
    try:
        message = str(error)[:_LONGEST_MESSAGE]
    except BaseException:
        message = ""
    return values.encode([names, message if type(message) is str else ""], 1 << 16)


def _find(main: dict[str, Any], function: str) -> Any:
    """`f`, or `Class.f` for a method of a new instance."""
    first, *rest = function.split(".")
    if first not in main:
        raise NameError(f"name {first!r} is not defined")
    found = main[first]
    if rest:
        found = found()
    for name in rest:
        found = getattr(found, name)
    return found


class _Candidate:
    """Stands for a function of the program in the other sandbox."""

    def __init__(self, name: str, limit: int):
        self.__name__ = name
        self._limit = limit

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        _send(ASK + values.encode([CALL, self.__name__, list(args), kwargs, self._limit, True], _LARGEST_RECORD))
        reply = _receive()
        if reply is None:
            _silent.append(f"the program ended before {self.__name__} returned")
            raise CandidateGone(_silent[0])
        kind, body = reply[:1], reply[1:]
        if kind == UNFIT:
            raise CandidateFailed(f"{self.__name__} returned no plain data: {body[:200].decode('utf-8', 'replace')}")
        try:
            value, raised = _understand(kind, body, args)
        except (ValueError, TypeError, IndexError, struct.error) as error:
            raise CandidateFailed(f"{self.__name__} answered with a malformed record: {error}") from error
        if raised is not None:
            raise raised
        return value


def _understand(kind: bytes, body: bytes, args: tuple[Any, ...]) -> tuple[Any, Exception | None]:
    """A value, after doing to the arguments what the call did to them; or the exception to raise."""
    if kind == RAISED:
        names, message = values.decode(body)  # type: ignore[misc]
        return None, _exception([name for name in names if type(name) is str], str(message))
    if kind != VALUE:
        raise ValueError(f"a record of kind {kind!r}")
    value, changed = split_value(body)
    for index, after in changed:
        _update(args[index], after)
    return value, None


def split_value(body: bytes) -> tuple[Any, list[list[Any]]]:
    """What a call returned, and its changed arguments as pairs of position and value.

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


class CandidateGone(BaseException):
    """The program ended while it was asked. A test that swallows this is not believed."""


class CandidateFailed(Exception):
    """The program raised something that is no built-in exception, or returned what cannot be told."""


# Assertions are the test's alone, and an end of iteration would cut its loops short.
_NOT_THE_PROGRAMS = (AssertionError, StopIteration, StopAsyncIteration)


def _exception(names: list[str], message: str) -> Exception:
    for name in names:
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, Exception) and kind not in _NOT_THE_PROGRAMS:
            try:
                error = kind(message)
            except TypeError:
                continue
            error.from_candidate = True  # type: ignore[attr-defined]
            return error
    return CandidateFailed(f"{names[0] if names else 'exception'}: {message}")


def _update(target: Any, after: Any) -> None:
    """Do to an argument what the call did to its copy."""
    if type(target) is not type(after):
        return
    if type(target) in (list, bytearray):
        target[:] = after
    elif type(target) in (dict, set):
        target.clear()
        target.update(after)


def examine(code: types.CodeType, main: dict[str, Any]) -> int:
    """Run assertions over a program in another sandbox, and report how they went.

    The first record says which function `check` gets, if any, and the largest value to accept.
    """
    entry, limit = values.decode(_receive() or b"")  # type: ignore[misc]
    _send(ASK + values.encode([NAMES], 100))
    reply = _receive()
    if reply is None:
        return _report("gone", "the program ended before it could be asked")
    try:
        _introduce(main, values.decode(reply[1:]), _shadowing(code, entry), limit)  # type: ignore[arg-type]
    except (ValueError, TypeError, AttributeError) as error:
        return _report("raised", f"the program answered with a malformed record: {error}")
    try:
        exec(code, main)
        if entry is not None:
            main["check"](_Candidate(entry, limit))
    except CandidateGone as error:
        return _report("gone", str(error))
    except AssertionError as error:
        return _report("failed", f"assertion failed{_where(error)}: {error}".removesuffix(": "))
    except CandidateFailed as error:
        return _report("raised", str(error))
    except BaseException as error:
        by = "raised" if getattr(error, "from_candidate", False) or isinstance(error, NameError) else "broken"
        return _report(by, f"{type(error).__name__}{_where(error)}: {error}")
    return _report("gone", _silent[0]) if _silent else _report("passed", "")


def _where(error: BaseException) -> str:
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "main.py":
            line = trace.tb_lineno
        trace = trace.tb_next
    return f" in line {line} of the test" if line else ""


def _report(how: str, why: str) -> int:
    _send(DONE + values.encode([how, why[:_LONGEST_MESSAGE]], 1 << 16))
    return 0


def _shadowing(code: types.CodeType, entry: str | None) -> str | None:
    """The built-in function whose place the program's may take, if any: the one that is tested.

    Of assertions without an entry point that is the only name they use, as in `assert sum(10, 15) == 6`.
    """
    names = _all_names(code)
    return entry or (names.pop() if len(names) == 1 else None)


def _all_names(code: types.CodeType) -> set[str]:
    nested = (_all_names(each) for each in code.co_consts if isinstance(each, types.CodeType))
    return set(code.co_names).union(*nested)


def _introduce(main: dict[str, Any], names: list[list[str]], shadowing: str | None, limit: int) -> None:
    """Make the program's functions known to the test, without letting them stand in for built-in ones."""
    import importlib

    for kind, name, module in names:
        if not name.isidentifier() or name.startswith("__") or (hasattr(builtins, name) and name != shadowing):
            continue
        if kind == "function":
            main[name] = _Candidate(name, limit)
        elif module.split(".")[0] in sys.stdlib_module_names:
            try:
                main[name] = importlib.import_module(module)
            except ImportError:
                continue


def assert_here(code: types.CodeType, main: dict[str, Any]) -> int:
    """Run the program and then its assertions in the same process. A program can tamper with this.

    The record that says so holds what is still unread on the channel until the assertions have ended, so that it is
    not in the process's memory while the program runs.
    """
    return _here(code, main, _assertions)


def unittest_here(code: types.CodeType, main: dict[str, Any]) -> int:
    """Run the program and then a `unittest` suite in the same process. A program can tamper with this."""
    return _here(code, main, _suite)


def _here(code: types.CodeType, main: dict[str, Any], run: Any) -> int:
    test, entry = values.decode(_receive() or b"")  # type: ignore[misc]
    receive, send, encode, pid = _receive, _send, values.encode, os.getpid()
    status = _define(code, main)
    if status or os.getpid() != pid:
        return status
    how, why = run(test, entry, main)
    nonce = receive()
    send(DONE + encode([how, why], 1 << 20) + (nonce or b""))
    return 0


def _assertions(test: str, entry: str | None, main: dict[str, Any]) -> tuple[str, Any]:
    try:
        exec(compile(test, "test.py", "exec", dont_inherit=True), main)
        if entry is not None:
            main["check"](main[entry])
    except AssertionError as error:
        return "failed", f"assertion failed: {error}"[:_LONGEST_MESSAGE]
    except BaseException as error:
        return "raised", f"{type(error).__name__}: {error}"[:_LONGEST_MESSAGE]
    return "passed", ""


def _suite(test: str, entry: str | None, main: dict[str, Any]) -> tuple[str, Any]:
    import unittest

    try:
        before = dict(main)
        exec(compile(test, "test.py", "exec", dont_inherit=True), main)
        # Not what the program brings along: models like to write tests of their own.
        made = [value for name, value in main.items() if isinstance(value, type) and before.get(name) is not value]
        cases = [kind for kind in made if issubclass(kind, unittest.TestCase)]
        suite = unittest.TestSuite(map(unittest.defaultTestLoader.loadTestsFromTestCase, cases))
        outcome = unittest.TestResult()
        ran: list[str] = []
        outcome.startTest = lambda test: ran.append(_short(test))  # type: ignore[method-assign]
        suite.run(outcome)
    except BaseException as error:
        return "raised", f"{type(error).__name__}: {error}"[:_LONGEST_MESSAGE]
    bad = [*outcome.failures, *outcome.errors, *((test, "") for test in outcome.unexpectedSuccesses)]
    return "ran", [ran, [_short(test) for test, _ in bad], [_short(test) for test, _ in outcome.skipped]]


def _short(test: Any) -> str:
    """`Class.method`, without the module."""
    return test.id().split(".", 1)[-1]


program.conversations.update({"call": serve, "examine": examine, "assert": assert_here, "unittest": unittest_here})
