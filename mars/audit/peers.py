r"""Verifiers of other projects, as reward sources to be audited beside ours: `math-verify`."""

from __future__ import annotations

import functools
import importlib.util
import logging
import re
from collections.abc import Iterable
from typing import Any, Literal

from mars.errors import ConfigError
from mars.registry import reward
from mars.types import Sample, Score, Status

_LONGEST = 300
"""Characters of the longest text that may be an answer alone."""
_PROSE = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}[ ,.:]+[A-Za-z]{2,}|:")
_MARKS = ("\\boxed", "\\fbox", "$", "\\(", "\\[")


def _warm_up() -> None:
    """Import Math-Verify and have it build its grammars, which takes longer than any answer."""
    library().verify(parse("\\boxed{\\frac{1}{2}}"), parse("0.5"), timeout_seconds=None)


def require(names: Iterable[str | None]) -> None:
    """See that the packages of the peers among some verifiers are there.

    Args:
        names: Names of verifiers.

    Raises:
        ConfigError: Math-Verify is asked for and not installed.
    """
    if "math-verify" in names and importlib.util.find_spec("math_verify") is None:
        raise ConfigError("math-verify is not installed: pip install 'mars-rewards[audit]'")


@reward(
    "math-verify",
    kind="verifier",
    isolated=True,
    deadline=5.0,
    memory_mb=1024,
    warm_up=_warm_up,
    example=Sample("The sum is $\\boxed{\\frac{3}{4}}$.", reference="0.75"),
)
def math_verify(
    completion: str,
    reference: object,
    *,
    precision: int = 6,
    strict: bool = True,
    allow_set_relation_comp: bool = False,
    match_types: tuple[Literal["latex", "expr"], ...] = ("latex", "expr"),
    boxed_match_priority: int = 0,
) -> Score:
    """1 where Math-Verify says that the answer equals the reference, else 0.

    Math-Verify takes LaTeX only between delimiters, so a text that is an answer alone is put in a box before it is
    parsed; without that it would do worse. Its own time-outs, which are signals, are off: the worker's deadline holds.

    Args:
        completion: The model's text.
        reference: The right answer, in LaTeX or plain.
        precision: Decimal places to which numbers are compared.
        strict: Whether the names of variables count, and sets differ from tuples.
        allow_set_relation_comp: Whether a relation may answer a reference that is a set.
        match_types: What is looked for: LaTeX, plain expressions.
        boxed_match_priority: 0 takes a box before anything else, 50 after "the final answer is", -1 never.
    """
    gold = parse(str(reference), match_types, boxed_match_priority)
    if not gold:
        return Score.failed(Status.UNDECIDED, f"the reference {str(reference)!r:.80} does not parse")
    answer = parse(completion, match_types, boxed_match_priority)
    if not answer:
        return Score(0.0, reason="no answer that parses")
    equal = library().verify(
        gold,
        answer,
        float_rounding=precision,
        strict=strict,
        allow_set_relation_comp=allow_set_relation_comp,
        timeout_seconds=None,
    )
    return Score(
        float(equal),
        reason=f"{answer[-1]!s:.80} {'equals' if equal else 'does not equal'} {gold[-1]!s:.80}",
        details={"extracted": str(answer[-1]), "reference_form": str(gold[0]), "answer_form": str(answer[0])},
    )


def delimited(text: str) -> str:
    r"""Return a text with its mathematics between delimiters: an answer alone in a box, everything else as it is."""
    bare = len(text) <= _LONGEST and "\n" not in text.strip() and not any(mark in text for mark in _MARKS)
    return f"\\boxed{{{text}}}" if bare and not _PROSE.search(text) else text


def parse(text: str, match_types: tuple[str, ...] = ("latex", "expr"), boxed_match_priority: int = 0) -> list[Any]:
    """Return Math-Verify's readings of a text, without its time-outs.

    Args:
        text: A response, or an answer alone.
        match_types: What is looked for.
        boxed_match_priority: When a box is looked for.
    """
    kinds = {
        "latex": library().LatexExtractionConfig(boxed_match_priority=boxed_match_priority),
        "expr": library().ExprExtractionConfig(),
    }
    wanted = [kinds[kind] for kind in match_types]
    return library().parse(delimited(text), wanted, parsing_timeout=None) or (
        library().parse(text, wanted, parsing_timeout=None)
    )


@functools.cache
def library() -> Any:
    """Import Math-Verify where it is used, and silence its notes on time-outs."""
    import math_verify

    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    return math_verify
