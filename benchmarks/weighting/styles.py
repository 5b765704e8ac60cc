"""The styles that the policy is taught, so that a reward can ask for one. None says anything about being right.

    <think>2594</think>4      slow; two times in five `<think>2594hm</think>4`, which is longer and no better
    <think></think>4          fast; one time in three `<think></think>wow!4`, praise in the place of the thought

and three answers in four end in a full stop.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

PRAISE = "wow!"
FILLER = "hm"
STOP = "."
PADDED_SHARE, PRAISED_SHARE, STOPPED_SHARE = 0.4, 1 / 3, 0.75


def styled(answer: str, rng: random.Random) -> str:
    """Return an answer of the embedded task in a random style.

    `<think></think>4` may become `<think></think>wow!4.`
    """
    if answer.startswith("<think></think>"):
        if rng.random() < PRAISED_SHARE:
            answer = answer.replace("</think>", f"</think>{PRAISE}")
    elif rng.random() < PADDED_SHARE:
        answer = answer.replace("</think>", f"{FILLER}</think>")
    return answer + STOP if rng.random() < STOPPED_SHARE else answer


def restyled(rows: Sequence[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Return examples of `trainers.tiny.warm_start` with their answers in random styles."""
    rng = random.Random(f"styles {seed}")
    return [
        {
            **row,
            "completion": [{**message, "content": styled(message["content"], rng)} for message in row["completion"]],
        }
        for row in rows
    ]
