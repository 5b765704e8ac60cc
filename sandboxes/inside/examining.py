"""Assertions over a program that runs in another sandbox."""

from __future__ import annotations

import builtins
import importlib
import keyword
import os
import sys
import types
from typing import Any

from . import program, values
from .candidate import Candidate, CandidateFailed, CandidateGone, Link, Unfit, exception_class
from .conversation import DONE, LONGEST_MESSAGE, receive, send


def examine(code: types.CodeType, main: dict[str, Any]) -> int:
    """Run assertions over a program in another sandbox, and report how they went.

    The first record says which function `check` gets, if any, and the largest value to accept.
    """
    entry, limit = values.decode(receive() or b"")  # type: ignore[misc]
    _silence()
    link = Link(limit)
    try:
        shown = _introduce(main, link, _shadowing(code, entry))
    except CandidateGone as error:
        return _report("gone", str(error))
    except (ValueError, TypeError, AttributeError) as error:
        return _report("raised", f"the program answered with a malformed record: {error}")
    how, why = _run(code, main, Candidate(link, entry) if entry is not None else None)
    if link.unfit:
        return _report("unfit", link.unfit[0])
    if link.silent:
        return _report("gone", link.silent[0])
    if how == "passed" and not link.asked and not shown & _all_names(code):
        return _report("unfit", "the test passed without asking the program anything, and would accept every program")
    return _report(how, why)


def _silence() -> None:
    """Drop what the test prints: it is none of the program's output."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for target in (1, 2):
        os.dup2(nothing, target)
    os.close(nothing)


def _run(code: types.CodeType, main: dict[str, Any], candidate: Candidate | None) -> tuple[str, str]:
    try:
        exec(code, main)
        if candidate is not None:
            main["check"](candidate)
    except (CandidateGone, Unfit) as error:
        return "gone", str(error)
    except CandidateFailed as error:
        return "raised", str(error)
    except BaseException as error:
        if type(error) is SystemExit and error.code in (None, 0):
            return "passed", ""
        told = f"{type(error).__name__}{_where(error)}: {_text(error)}"
        if getattr(error, "from_candidate", False) or isinstance(error, NameError):
            return "raised", told
        if isinstance(error, AssertionError):
            return "failed", f"assertion failed{_where(error)}: {_text(error)}".removesuffix(": ")
        return "broken", told
    return "passed", ""


def _text(error: BaseException) -> str:
    """The message; an assertion's may be an object of the program, which has to be asked."""
    try:
        return str(error)
    except BaseException:
        return ""


def _where(error: BaseException) -> str:
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "main.py":
            line = trace.tb_lineno
        trace = trace.tb_next
    return f" in line {line} of the test" if line else ""


def _report(how: str, why: str) -> int:
    send(DONE + values.encode([how, why[:LONGEST_MESSAGE]], 1 << 16))
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


def _introduce(main: dict[str, Any], link: Link, shadowing: str | None) -> set[str]:
    """Make what the program defines known to the test, without letting it stand in for anything built in.

    Returns:
        The names of the program's constants.
    """
    solution: dict[str, Any] = {}
    constants = set()
    for kind, name, detail in link.names():
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("__"):
            continue
        found = _stand_in(link, kind, name, detail)
        if found is not None:
            solution[name] = found
        if kind == "value":
            solution[name] = detail
            constants.add(name)
    visible = {name: value for name, value in solution.items() if not hasattr(builtins, name) or name == shadowing}
    main.update(visible)
    # `from solution import *` brings no more than what is there anyway.
    module = types.ModuleType("solution")
    vars(module).update(solution, __all__=list(visible))
    sys.modules["solution"] = module
    return constants


def _stand_in(link: Link, kind: str, name: str, detail: Any) -> Any:
    if kind == "exception":
        return exception_class(name, list(detail), link.exceptions)
    if kind in ("function", "class"):
        return Candidate(link, name, kind == "class")
    if kind == "module" and detail.split(".")[0] in sys.stdlib_module_names:
        try:
            return importlib.import_module(detail)
        except ImportError:
            return None
    return None


program.conversations["examine"] = examine
