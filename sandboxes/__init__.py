"""Running programs that nobody trusts, and judging them. Knows nothing of rewards.

`open_sandbox()` gives a `Sandbox`; its `judge` runs a `Program` against tests within `Limits` and returns a
`Judgement`. Names are imported when first used: a supervisor imports this package too, and starts on it alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandboxes.backends import open_sandbox
    from sandboxes.checkers import Check, Checker, checker
    from sandboxes.errors import InternalError, SandboxError, SandboxUnavailable, ToolchainMissing
    from sandboxes.sandbox import Run, Sandbox
    from sandboxes.types import (
        AssertCase,
        CallCase,
        CaseResult,
        Judgement,
        Limits,
        Program,
        StdioCase,
        TestCase,
        UnittestCase,
        Verdict,
    )

__all__ = [
    "AssertCase",
    "CallCase",
    "CaseResult",
    "Check",
    "Checker",
    "InternalError",
    "Judgement",
    "Limits",
    "Program",
    "Run",
    "Sandbox",
    "SandboxError",
    "SandboxUnavailable",
    "StdioCase",
    "TestCase",
    "ToolchainMissing",
    "UnittestCase",
    "Verdict",
    "checker",
    "open_sandbox",
]

_HOMES = {
    "sandboxes.backends": ("open_sandbox",),
    "sandboxes.checkers": ("Check", "Checker", "checker"),
    "sandboxes.errors": ("InternalError", "SandboxError", "SandboxUnavailable", "ToolchainMissing"),
    "sandboxes.sandbox": ("Run", "Sandbox"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = next((home for home, names in _HOMES.items() if name in names), "sandboxes.types")
    return getattr(importlib.import_module(home), name)
