"""`verify`: whether a response gives the reference's answer, with the reason. Read this file to know the verifier.

extract → identical text → parse → compare (exact numbers, structure, numbers at random points) → computer algebra.
Everything but the last stage is bounded in work and runs anywhere; computer algebra runs only where its caller lets it,
which is inside the killable worker of the reward source `math`.
"""

from __future__ import annotations

import functools
import re
import time
from dataclasses import replace

from mars.symbolic.choices import choices_agree
from mars.symbolic.compare import Comparison, Symbolic, contradicts
from mars.symbolic.extract import extract, extract_reference
from mars.symbolic.lexer import TooLong, Unreadable
from mars.symbolic.names import agree_renamed
from mars.symbolic.normalize import normalize
from mars.symbolic.parser import MOST_CHARACTERS, parse
from mars.symbolic.policy import MATH, Policy
from mars.symbolic.tree import Node
from mars.symbolic.types import Finding, Verdict
from mars.symbolic.writing import write
from mars.thinking import CLOSE, OPEN
from mars.types import Status

_FRAMES = re.compile(r"\\(?:left|right|displaystyle|[!,;:]|quad|qquad)(?![A-Za-z])|(?<![^\W_])\s+|\s+(?![^\W_])")
_TEXT = re.compile(r"\\(?:text|mbox|mathrm|textbf|textnormal)\s*\{([^{}\\]*)\}")


def verify(
    reference: str,
    response: str,
    policy: Policy = MATH,
    *,
    symbolic: Symbolic | None = None,
    open_tag: str = OPEN,
    close_tag: str = CLOSE,
) -> Verdict:
    r"""Judge a response by its reference.

    Safe on any text, from any thread, in bounded time: no text is evaluated, and all work has limits.

    Args:
        reference: The right answer, in LaTeX or plain; a worked solution whose answer is boxed will do.
        response: What the model wrote, or its answer alone.
        policy: What counts as the same answer.
        symbolic: The last stage, computer algebra; without it what only algebra could tell is `undecided`.
        open_tag: The tag that opens thinking.
        close_tag: The tag that closes it.

    Returns:
        The verdict. `equal` is `None` when the reference cannot be read, or nothing could tell; a fault of the verifier
        itself has the status `error`.
    """
    began = time.perf_counter()
    try:
        verdict = _judge(reference, response, policy, symbolic, open_tag, close_tag)
    except MemoryError:
        raise
    except Exception as error:
        verdict = Verdict(None, Status.ERROR, f"{type(error).__name__}: {error}", "error", type(error).__name__)
    return replace(verdict, policy=policy, seconds=time.perf_counter() - began)


def _judge(
    reference: str, response: str, policy: Policy, symbolic: Symbolic | None, open_tag: str, close_tag: str
) -> Verdict:
    right = extract_reference(reference)
    if not right.strip():
        return _undecided("the reference is empty")
    if response.strip() == reference.strip():
        # A sentence that nothing marks as an answer is one when the reference is that sentence.
        return compare_texts(right, right, policy, symbolic)
    found = extract(response, number=policy.extraction == "number", open_tag=open_tag, close_tag=close_tag)
    if found.text is None:
        cut = "the response was cut off before its answer" if found.truncated else "the response gives no answer"
        return Verdict(False, Status.OK, cut, "extract", "truncated" if found.truncated else "no answer")
    if found.violation:
        return Verdict(False, Status.OK, found.violation, "extract", found.violation, extracted=found.text)
    return compare_texts(right, found.text, policy, symbolic)


def compare_texts(right: str, given: str, policy: Policy = MATH, symbolic: Symbolic | None = None) -> Verdict:
    """Judge an answer that was extracted already.

    Args:
        right: The right answer alone.
        given: The answer alone.
        policy: What counts as the same answer.
        symbolic: The last stage.
    """
    choice = choices_agree(right, given)
    if isinstance(choice, Finding):
        return _decided(choice, right, given)
    if choice is not None:
        right, given = choice
    try:
        expected = _parse_reference(right)
    except Unreadable as why:
        return _undecided(f"the reference {right[:80]!r} cannot be read: {why}", given)
    plain = _plain(right)
    if plain == _plain(given) != "" and not contradicts(expected):
        return _decided(Finding(True, "identical", "the same text"), right, given)
    try:
        answer = parse(given)
    except TooLong as why:
        return _decided(Finding(False, "limits", str(why)), right, given, expected)
    except Unreadable as why:
        return _decided(Finding(False, "parse", str(why)), right, given, expected)
    comparison = Comparison(policy, symbolic)
    finding = comparison.agree(expected, answer)
    if not finding.equal:
        finding = agree_renamed(expected, answer, comparison.agree) or finding
    return _decided(finding, right, given, expected, answer)


@functools.lru_cache(maxsize=1024)
def _parse_reference(text: str) -> Node:
    """Read a reference, which comes back with every answer to its prompt; answers do not, and may be long."""
    return parse(text)


def _plain(text: str) -> str:
    """Return a text without the marks that change only its looks."""
    if len(text) > MOST_CHARACTERS:
        return text
    return _FRAMES.sub("", _TEXT.sub(r"\1", normalize(text))).rstrip(".")


def _decided(
    finding: Finding, right: str, given: str, expected: Node | None = None, answer: Node | None = None
) -> Verdict:
    due = right[:200] if expected is None else write(expected)
    shown = given[:200] if answer is None else write(answer)
    if finding.equal is None:
        status, reason = Status.UNDECIDED, f"cannot tell whether {shown[:80]} is {due[:80]} ({finding.rule})"
    else:
        says = "equals" if finding.equal else "does not equal"
        status, reason = Status.OK, f"{shown[:80]} {says} {due[:80]} ({finding.rule})"
    return Verdict(
        finding.equal,
        status,
        reason,
        finding.stage,
        finding.rule,
        extracted=given if len(given) <= 1000 else f"{given[:1000]}…",
        reference_form=due,
        answer_form=shown,
    )


def _undecided(reason: str, given: str | None = None) -> Verdict:
    return Verdict(None, Status.UNDECIDED, reason, "parse", "reference", extracted=given and given[:1000])
