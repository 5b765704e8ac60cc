"""One source on one answer, for tables of (answer, reference, verdict, why)."""

from __future__ import annotations

import time
from typing import Any

from mars import registry
from mars.execution.call import run_each
from mars.types import Sample, Score

MEGABYTE = 2**20
BRACES = ["\\boxed", "\\boxed{", "\\boxed{}", "{", "}", "\\"]
TAGS = ["<think>", "</think>", "</think> ", "<answer>", "<"]
DIGITS = ["9", "1,", "1,111", "####", "#### ", "####\n", "1 / ", "1e", "-", "$-", ".", "1.", "\u0661"]
TEXT = [" ", "\n", "a", "a ", "\x00", "\ud800"]
"""Pieces of text on which a careless pattern goes back over itself."""


def score(name: str, completion: str, reference: object = None, **settings: Any) -> Score:
    """Score one completion in this process."""
    bound = registry.get(name).configure(settings)
    call = bound.source.signature.extractor()(Sample(completion, reference=reference))
    return run_each(bound, call)


def seconds_for_a_megabyte(name: str, piece: str, **settings: Any) -> float:
    """Return the processor time that a megabyte of a piece takes; quadratic work would take hours."""
    start = time.process_time()
    spaces = " " * (MEGABYTE // 4)
    for text in (piece * (MEGABYTE // len(piece)), piece + spaces, "\\boxed" + spaces + piece):
        assert not score(name, text, "4", **settings).status.failed
    return time.process_time() - start
