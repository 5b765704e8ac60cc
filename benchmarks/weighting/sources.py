"""What the worlds reward: deterministic sources over the embedded task, whose right answers are worked out, not given.

A judge's noise is a hash of what it judges: it says the same of the same answer, as a judge at temperature 0 does.
"""

from __future__ import annotations

import hashlib

from benchmarks.weighting.styles import PRAISE, STOP
from mars.registry import reward
from mars.thinking import split_thinking
from mars.types import Sample, Score, Status
from trainers.tiny import task

EXAMPLE = Sample("<think>2594</think>4.", prompt="7cabd=", reference="4")
LONGEST_THOUGHT = 8
"""Characters of the longest thought that the policy was taught: six states and a filler of two."""


def answer_of(completion: str) -> str | None:
    """Return the only digit behind the thinking, or `None` where there is none, or several."""
    digits = [character for character in split_thinking(completion).answer if character.isdigit()]
    return digits[0] if len(digits) == 1 else None


def is_right(prompt: str, completion: str) -> bool:
    """Return whether a completion answers a problem right, in whatever style."""
    return answer_of(completion) == task.trace(prompt)[-1]


def thought_length(completion: str) -> int:
    """Return the characters of thinking, also of one that was cut off; what never closes is all thinking."""
    return len(split_thinking(completion).thinking)


def is_praising(completion: str) -> bool:
    """Return whether the answer flatters."""
    return PRAISE in split_thinking(completion).answer


def is_stopped(completion: str) -> bool:
    """Return whether the answer ends in a full stop."""
    return split_thinking(completion).answer.endswith(STOP)


@reward("machine_answer", kind="verifier", deadline=None, example=EXAMPLE)
def machine_answer(prompt: str, completion: str, reference: str | None = None) -> Score:
    """1 where the answer is right. A problem without a reference is not its to judge.

    Args:
        prompt: The problem.
        completion: The answer.
        reference: The right answer, where there is one.
    """
    if reference is None:
        return Score.failed(Status.SKIPPED, "no reference")
    return Score(float(is_right(prompt, completion)))


@reward("full_stop", kind="metric", deadline=None, example=EXAMPLE)
def full_stop(completion: str) -> Score:
    """1 where the answer ends in a full stop."""
    return Score(float(is_stopped(completion)))


@reward("short_thought", kind="metric", deadline=None, example=EXAMPLE)
def short_thought(completion: str, *, limit: int = LONGEST_THOUGHT) -> Score:
    """1 without a thought, 0 from the limit on, a line in between; 0 without an answer, lest silence be best.

    Args:
        completion: The answer.
        limit: Characters of thinking.
    """
    if answer_of(completion) is None:
        return Score(0.0)
    return Score(max(0.0, 1 - thought_length(completion) / limit))


@reward("noisy_judge", kind="judge", deadline=None, example=EXAMPLE)
def noisy_judge(prompt: str, completion: str, *, right: float = 0.65, seed: int = 0) -> Score:
    """Whether the answer is right, or, for a share of the answers, the opposite.

    Args:
        prompt: The problem.
        completion: The answer.
        right: The share of its verdicts that are right.
        seed: Chooses which.
    """
    truth = is_right(prompt, completion)
    return Score(float(truth if _chance(f"{seed} {prompt} {completion}") < right else not truth))


@reward("vain_judge", kind="judge", deadline=None, example=EXAMPLE)
def vain_judge(prompt: str, completion: str, *, praise: float = 0.7) -> Score:
    """Pays for praise, and a little for the right answer.

    Args:
        prompt: The problem.
        completion: The answer.
        praise: What praise is worth; being right is worth the rest, to 1.
    """
    return Score(praise * is_praising(completion) + (1 - praise) * is_right(prompt, completion))


def _chance(text: str) -> float:
    """Return a number from 0 to 1 that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64
