"""Answers that are compared before they are read as mathematics: options and times of day."""

from __future__ import annotations

import re

from mars.symbolic.clock import clock, same_time
from mars.symbolic.normalize import normalize
from mars.symbolic.options import option, option_set
from mars.symbolic.types import Finding

_LONGEST = 200
_TEXT = re.compile(r"\\(?:text|mbox|mathrm|textbf|textnormal|mathbf)\s*\{([^{}\\]*)\}")


def choices_agree(reference: str, answer: str) -> Finding | tuple[str, str] | None:
    """Compare two options, two sets of options or two times of day.

    Args:
        reference: The right answer's text.
        answer: The one to judge.

    Returns:
        What was found; or the two texts that are left to compare when an option says what it is, `(B) 12`; or `None`
        when the texts are none of these.
    """
    if max(len(reference), len(answer)) > _LONGEST:
        return None
    right, given = (_TEXT.sub(r"\1", normalize(text)).replace("~", " ").strip(" $") for text in (reference, answer))
    one, other = option(right), option(given)
    if one and other:
        if one[0] == other[0] and one[1] and other[1]:
            return one[1], other[1]
        return Finding(one[0] == other[0], "structure", "option letters")
    ours, theirs = option_set(right), option_set(given)
    if ours and theirs:
        return Finding(ours == theirs, "structure", "sets of options")
    if (one and one[1]) or (other and other[1]):
        return one[1] if one and one[1] else reference, other[1] if other and other[1] else answer
    same = same_time(right, given)
    if same is None and any(map(str.isalpha, right)) and clock(right):
        same = False
    return None if same is None else Finding(same, "structure", "times of day")
