"""Answers that are compared before they are read as mathematics: options and times of day."""

from __future__ import annotations

import re

from mars.symbolic.clock import same_time
from mars.symbolic.options import option, option_set
from mars.symbolic.types import Finding

_LONGEST = 200
_TEXT = re.compile(r"\\(?:text|mbox|mathrm|textbf|textnormal|mathbf)\s*\{([^{}\\]*)\}")


def choices_agree(reference: str, answer: str) -> Finding | None:
    """Compare two options, two sets of options or two times of day; `None` when the texts are none of these.

    Args:
        reference: The right answer's text.
        answer: The one to judge.
    """
    if max(len(reference), len(answer)) > _LONGEST:
        return None
    right, given = (_TEXT.sub(r"\1", text).replace("~", " ").strip(" $") for text in (reference, answer))
    one, other = option(right), option(given)
    if one and other:
        if one[0] == other[0] and one[1] and other[1]:
            # Both say what the option is, and that must be the same too.
            return None
        return Finding(one[0] == other[0], "structure", "option letters")
    ours, theirs = option_set(right), option_set(given)
    if ours and theirs:
        return Finding(ours == theirs, "structure", "sets of options")
    same = same_time(right, given)
    return None if same is None else Finding(same, "structure", "times of day")
