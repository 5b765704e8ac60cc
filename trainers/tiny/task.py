"""The embedded task: run a little machine in your head.

The machine has ten states and four buttons. `7cabd=` starts it in state 7, presses c, a, b and d, and asks where it
ends. Each button is a fixed permutation of the states, so there is nothing to work out, only to look up; but several
look-ups in one breath are beyond the embedded model. That gives two ways to answer, and a reason to choose:

    fast    <think></think>4        right for one step, a guess for more
    slow    <think>2594</think>4    writes the state after each step: right for any number, and longer

Standard library alone, so that `mars` can hand out these problems where no trainer is installed.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import re
from collections.abc import Iterable
from functools import cache, partial
from typing import Any, Literal

BUTTONS = {"a": "7851934260", "b": "5208691473", "c": "4701389265", "d": "3568210974"}
"""Where each button leads: `BUTTONS["c"][7]` is the state after pressing c in state 7."""

STATES = "0123456789"
EASY_STEPS = 1
HARD_STEPS = (3, 6)
LONGEST = max(HARD_STEPS)

TRAIN_SIZE = 8192
HELD_OUT_PER_LENGTH = 150

_PROBLEM = re.compile(rf"([0-9])([{''.join(BUTTONS)}]+)=")


def trace(problem: str) -> str:
    """Run the machine.

    Args:
        problem: A prompt such as `7cabd=`.

    Returns:
        The state after each step: `2594`. Its last character is the right answer.

    Raises:
        ValueError: `problem` is not a digit, one or more of the letters a to d, and `=`.
    """
    parsed = _PROBLEM.fullmatch(problem)
    if parsed is None:
        raise ValueError(f"a problem is a digit, letters of {''.join(BUTTONS)!r} and '=', as 7cabd=; got {problem!r}")
    state, buttons = parsed.groups()
    states = []
    for button in buttons:
        state = BUTTONS[button][int(state)]
        states.append(state)
    return "".join(states)


def fast_answer(problem: str) -> str:
    """Return the right answer without a thought: `<think></think>4`."""
    return f"<think></think>{trace(problem)[-1]}"


def slow_answer(problem: str) -> str:
    """Return the right answer after writing every state: `<think>2594</think>4`."""
    states = trace(problem)
    return f"<think>{states}</think>{states[-1]}"


def problems(split: Literal["train", "test"], size: int | None = None, seed: int = 0) -> list[dict[str, Any]]:
    """Return problems as rows `{"prompt": "7cabd=", "reference": "4", "task": "hard", "steps": 4}`.

    A row's task is `easy` for one step and `hard` for three or six. The hard problems of `test` are the same for
    ever, and no seed can draw one of them for `train`. There are only 40 easy problems, which both splits use: on
    them a model shows what it remembers, on the hard ones what it can do.

    Args:
        split: `train` or `test`.
        size: How many rows. For `train` any number (default 8192), drawn with replacement, the three lengths equally
            often. For `test` at most the 40 easy and 300 hard problems there are (default: all of them), in an order
            that mixes the lengths, so that the first few are a fair sample.
        seed: Chooses and orders the rows of `train`. `test` does not depend on it.

    Raises:
        ValueError: There is no such split, or not that many problems in it.
    """
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise ValueError(f"size must be a whole number of problems, 1 or more; got {size!r}")
    if split == "train":
        return rows(draw(random.Random(f"tiny train {seed}"), TRAIN_SIZE if size is None else size))
    if split == "test":
        chosen = _test_problems()
        if size is not None and size > len(chosen):
            raise ValueError(f"the tiny task has {len(chosen)} test problems; size asks for {size}")
        return rows(chosen[:size])
    raise ValueError(f"the tiny task has the splits 'train' and 'test'; got {split!r}")


def rows(prompts: Iterable[str]) -> list[dict[str, Any]]:
    """Make a row of each prompt, with what a reward needs to judge it."""
    return [
        {
            "prompt": prompt,
            "reference": trace(prompt)[-1],
            "task": "easy" if _steps(prompt) == EASY_STEPS else "hard",
            "steps": _steps(prompt),
        }
        for prompt in prompts
    ]


def draw(rng: random.Random, size: int) -> list[str]:
    """Draw `size` prompts for training, with replacement, never a held-out one."""
    return [_draw_one(rng, steps=rng.choice((EASY_STEPS, *HARD_STEPS))) for _ in range(size)]


def _draw_one(rng: random.Random, steps: int) -> str:
    # A held-out problem is drawn again with as many steps, or the lengths would not come equally often.
    while True:
        prompt = rng.choice(STATES) + "".join(rng.choices(list(BUTTONS), k=steps)) + "="
        if prompt not in held_out():
            return prompt


@cache
def held_out() -> frozenset[str]:
    """Return the hard problems that are kept from training.

    They are the first of each length by a hash of their own text: a property of the problem, which neither a seed
    nor the version of Python's random numbers can change.
    """
    return frozenset(
        problem
        for steps in HARD_STEPS
        for problem in sorted(_every(steps), key=partial(_rank, purpose="hold out"))[:HELD_OUT_PER_LENGTH]
    )


def _test_problems() -> list[str]:
    return sorted([*_every(EASY_STEPS), *held_out()], key=partial(_rank, purpose="order"))


def _every(steps: int) -> Iterable[str]:
    return (f"{state}{''.join(buttons)}=" for state in STATES for buttons in itertools.product(BUTTONS, repeat=steps))


def _rank(problem: str, purpose: str) -> bytes:
    # One hash for each purpose: ordered by the hash that held them out, the test problems would come sorted by length.
    return hashlib.sha256(f"{purpose} {problem}".encode()).digest()


def _steps(problem: str) -> int:
    return len(problem) - len("7=")
