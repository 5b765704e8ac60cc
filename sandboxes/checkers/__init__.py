"""Deciding whether a program's answer is right: in the trusted process, on bytes and on decoded plain data."""

from sandboxes.checkers.base import Check, Checker
from sandboxes.checkers.choice import checker
from sandboxes.checkers.compat import EvalPlus, LiveCodeBench
from sandboxes.checkers.numbers import Float
from sandboxes.checkers.special import Special
from sandboxes.checkers.text import Exact, Lines, Tokens, Unordered

__all__ = [
    "Check",
    "Checker",
    "EvalPlus",
    "Exact",
    "Float",
    "Lines",
    "LiveCodeBench",
    "Special",
    "Tokens",
    "Unordered",
    "checker",
]
