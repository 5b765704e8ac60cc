"""Tests that run in the program's own process. A program can tamper with these."""

from __future__ import annotations

import os
import types
from typing import Any

from . import program, values
from .conversation import DONE, LONGEST_MESSAGE, define, receive, send


def assert_here(code: types.CodeType, main: dict[str, Any]) -> int:
    """Run the program and then its assertions.

    The record that says so holds what is still unread on the channel until the assertions have ended, so that it is
    not in the process's memory while the program runs.
    """
    return _here(code, main, _assertions)


def unittest_here(code: types.CodeType, main: dict[str, Any]) -> int:
    """Run the program and then a `unittest` suite, with `unittest` as it was before."""
    import unittest

    kinds = (unittest.TestCase, unittest.TestSuite, unittest.BaseTestSuite, unittest.TestResult, unittest.TestLoader)
    kept = [(kind, dict(vars(kind))) for kind in kinds]

    def run(test: str, entry: str | None, main: dict[str, Any]) -> tuple[str, Any]:
        for kind, attributes in kept:
            _restore(kind, attributes)
        return _suite(test, unittest, main)

    return _here(code, main, run)


def _restore(kind: type, attributes: dict[str, Any]) -> None:
    for name in set(vars(kind)) - set(attributes):
        delattr(kind, name)
    for name, value in attributes.items():
        if vars(kind).get(name) is not value:
            setattr(kind, name, value)


def _here(code: types.CodeType, main: dict[str, Any], run: Any) -> int:
    test, entry = values.decode(receive() or b"")  # type: ignore[misc]
    hear, say, encode, pid = receive, send, values.encode, os.getpid()
    status = define(code, main)
    if status or os.getpid() != pid:
        return status
    how, why = run(test, entry, main)
    nonce = hear()
    say(DONE + encode([how, why], 1 << 20) + (nonce or b""))
    return 0


def _assertions(test: str, entry: str | None, main: dict[str, Any]) -> tuple[str, Any]:
    try:
        exec(compile(test, "test.py", "exec", dont_inherit=True), main)
        if entry is not None:
            main["check"](main[entry])
    except AssertionError as error:
        return "failed", f"assertion failed: {error}"[:LONGEST_MESSAGE]
    except BaseException as error:
        return "raised", f"{type(error).__name__}: {error}"[:LONGEST_MESSAGE]
    return "passed", ""


def _suite(test: str, unittest: Any, main: dict[str, Any]) -> tuple[str, Any]:
    try:
        before = dict(main)
        exec(compile(test, "test.py", "exec", dont_inherit=True), main)
        # Not what the program brings along: models like to write tests of their own.
        made = [value for name, value in main.items() if isinstance(value, type) and before.get(name) is not value]
        cases = [kind for kind in dict.fromkeys(made) if issubclass(kind, unittest.TestCase)]
        suite = unittest.TestSuite(map(unittest.TestLoader().loadTestsFromTestCase, cases))
        outcome = unittest.TestResult()
        ran: list[str] = []
        outcome.startTest = lambda test: ran.append(_short(test))
        suite.run(outcome)
    except BaseException as error:
        return "raised", f"{type(error).__name__}: {error}"[:LONGEST_MESSAGE]
    bad = [*outcome.failures, *outcome.errors, *((test, "") for test in outcome.unexpectedSuccesses)]
    return "ran", [ran, [_short(test) for test, _ in bad], [_short(test) for test, _ in outcome.skipped]]


def _short(test: Any) -> str:
    """`Class.method`, without the module."""
    return test.id().split(".", 1)[-1]


program.conversations.update({"assert": assert_here, "unittest": unittest_here})
