"""`math`: symbolic equality of mathematical answers, by Math-Verify inside a killable worker."""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Sequence
from typing import Any

from mars.answers import EMPTY_ANSWER, NO_ANSWER, graded_text, last_boxed
from mars.registry import reward
from mars.thinking import CLOSE, OPEN, CloseTag, OpenTag
from mars.types import Sample, Score, Status


def _warm_up() -> None:
    """Import Math-Verify and have it build its grammars, which takes longer than any answer."""
    _verifier()(_parse("\\boxed{\\frac{1}{2}}"), _parse("0.5"), timeout_seconds=None)


@reward(
    "math",
    kind="verifier",
    isolated=True,
    deadline=5.0,
    memory_mb=1024,
    warm_up=_warm_up,
    example=Sample("<think>a half and a quarter</think>The sum is $\\boxed{\\frac{3}{4}}$.", reference="0.75"),
)
def math(
    completion: str,
    reference: object,
    *,
    precision: int = 6,
    open_tag: OpenTag = OPEN,
    close_tag: CloseTag = CLOSE,
) -> Score:
    r"""1 where the answer equals the reference mathematically, else 0.

    The answer is the last complete `\boxed{}` behind the thinking, or what Math-Verify finds in the text when there is
    no box. Thinking is never searched. A reference that cannot be parsed leaves the sample undecided.

    Math-Verify's own time-outs are signals, which are dead off the main thread and cannot stop a power of large
    integers. They are off here: the worker's deadline and memory limit hold instead.

    Args:
        completion: The model's text.
        reference: The right answer, in LaTeX or plain.
        precision: Decimal places to which numbers are compared.
        open_tag: The tag that opens thinking.
        close_tag: The tag that closes it.
    """
    if isinstance(reference, list | tuple | dict):
        return Score.failed(Status.UNDECIDED, f"the reference is a {type(reference).__name__}, not one answer")
    gold = _parse_reference(str(reference))
    if not gold:
        return Score.failed(Status.UNDECIDED, f"the reference {str(reference)!r:.80} does not parse")
    text = graded_text(completion, open_tag, close_tag)
    if text is None:
        return Score(0.0, reason=NO_ANSWER)
    if not text:
        return Score(0.0, reason=EMPTY_ANSWER)
    box = last_boxed(text)
    answer = _parse(f"\\boxed{{{box}}}" if box is not None else text)
    if not answer:
        return Score(0.0, reason=f"no answer that parses in {(box or text)[-80:]!r}")
    extracted = str(answer[-1])
    equal = _equal(gold, answer, precision)
    verdict = "equals" if equal else "does not equal"
    reason = f"{extracted:.80} {verdict} {reference!s:.80}"
    return Score(float(equal), reason=reason, details={"extracted": extracted, "boxed": box is not None})


def _equal(gold: Sequence[Any], answer: Sequence[Any], precision: int) -> bool:
    """Compare every reading of the answer with every reading of the reference.

    Math-Verify by itself says "not equal" when a comparison fails; here the failure comes out, unless another pair of
    readings is equal.
    """
    failed: Exception | None = None
    for pair in itertools.product(gold, answer):
        try:
            if _verifier()(*pair, float_rounding=precision, timeout_seconds=None, raise_on_error=True):
                return True
        except MemoryError:
            raise
        except Exception as error:
            failed = error
    if failed is not None:
        raise failed
    return False


@functools.lru_cache(maxsize=4096)
def _parse_reference(reference: str) -> tuple[Any, ...]:
    """Parse a reference, which is an answer alone; each comes back once for every completion of its prompt."""
    bare = reference.strip()
    for opening, closing in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")):
        if bare.startswith(opening) and bare.endswith(closing) and len(bare) > len(opening + closing):
            bare = bare[len(opening) : -len(closing)].strip()
            break
    box = last_boxed(bare)
    return tuple(_parse(f"\\boxed{{{bare if box is None else box}}}"))


def _parse(text: str) -> list[Any]:
    """Return the readings of a text; none where it is no mathematics, but never for want of memory."""
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse

    _verifier()
    config = (LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig())
    try:
        return parse(text, extraction_config=config, parsing_timeout=None, raise_on_error=True)  # type: ignore[arg-type]
    except MemoryError:
        raise
    except Exception:
        return []


@functools.cache
def _verifier() -> Any:
    """Import Math-Verify where it is used, so that `import mars` does not, and silence its notes on time-outs."""
    from math_verify import grader

    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    return grader.verify
