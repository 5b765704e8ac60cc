"""How many answers a completion offers: different boxes or tags, "41 or maybe 42", "A or B". Bounded in time.

Only the answer is read: what is in the last box and beside it, or else what follows the last "answer is", or else how
the last line ends. Code is not read. One answer may have several parts: a set of solutions ("x = 2 or x = 3"), boxes
that are joined by "and" or labelled (a), (b), and one value written twice ("1/2 or 0.5").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from mars.choosing.anchors import ANSWER, Folded
from mars.symbolic.extract import boxed

LONGEST = 20_000
"""Characters at the end of an answer that are read."""
_BEFORE, _BEHIND = 60, 160
"""Characters around a place that are read."""
_BOX = "oxed"
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{0,200}oxed[^`\n]{0,200}`", re.DOTALL)
_TAG = re.compile(r"<answer>([^<]{0,2000})</answer>", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_DIRT = re.compile(
    r"\\(?:boxed|fbox|text\w{0,6}|math\w{2,4}|left|right|q?quad|[,;:! ])|[\\$(){}\[\]*_`\"“”]|</?answer>"
)
_ANNOUNCED = (ANSWER[0], ANSWER[2])
"""English and Chinese."""
_WORDING = re.compile(r"\\(?:text\w{0,6}|math\w{2,4}|mbox)\s?\{([^{}]{0,200})\}")
_FRACTION = re.compile(r"\\[dtc]?frac(?:\{(\d{1,40})\}\{(\d{1,40})\}|(\d)(\d))")
_NUMBER = re.compile(r"(-?)(\d{1,40}(?:\.\d{1,40})?)(?:/(\d{1,40}))?(%?)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_BLANK = re.compile(r"[\W_]*|(?:your|the|final|answer|ans|ldots|dots|cdots|here|\W){1,6}", re.IGNORECASE)
"""What stands in a box or tag of which only the form is told."""
_TOGETHER = re.compile(r"[ .,;]{0,4}(?:(?:and|和|与|以及)|(?:(?:and|or|和|或) )?(?P<name>[A-Za-z]\w?) ?=)[ .,;]{0,4}")
"""What joins boxes to one set of solutions."""
_LABEL = re.compile(
    r"\(([a-h]|[ivx]{1,4}|[1-9])\)|\b(?:Part|Question|Problem)\s\(?(\w)\b|（([1-9一-十])）|第([1-9一-十])[问問]"
)
"""What names a part of a question."""
_VALUE = r"(?:[A-J]|[-−]?\d(?:[\d.,/]{0,40}\d)?%?)"
_OR = r"(?:and/or|or|maybe|perhaps|possibly|probably|alternatively|otherwise|或者?|也许|可能)"
_FILL = r"(?:[ ,.;:]|\b(?:also|even|else|if not|it|is|be|could|might|may|the|answer|option|choice|是|为)\b)"
_SEVERAL = re.compile(
    rf"(?<![A-Za-z0-9_=.,/+*^<>-])(?<![=≈<>] )(?P<one>{_VALUE})(?![A-Za-z0-9_^])[,.;]? ?"
    rf"(?:(?i:{_OR}){_FILL}{{0,12}}){{1,3}}(?P<other>{_VALUE})(?![A-Za-z0-9_^])"
)
_LEAD = re.compile(
    r"(?:[ ,.:：;]|(?i:\b(?:either|is|be|the|option|choice|maybe|probably|likely)\b)|是|为|為"
    r"|(?:[A-J]|[-−]?\d[\d./]{0,40}%?)[ ,])*"
)
"""What may stand between the announcement of an answer and the first of several: others of them, and little words."""
_END = re.compile(r"[ .,!;。]*")
_SET = re.compile(r"(?i)\b(?:solutions?|roots?|values?|zeros?|can be|either of)\b|[解值根]")
"""What says that all of several values are meant."""


@dataclass(frozen=True)
class Offer:
    """What a completion's answer offers.

    Attributes:
        boxes: Different boxes.
        several: What makes it more than one answer, in a few words; empty where it is one or none.
    """

    boxes: int
    several: str = ""


def offered(answer: str) -> Offer:
    r"""Return what an answer offers.

    Args:
        answer: The text behind the thinking.
    """
    text = _CODE.sub(" ", answer[-LONGEST:])
    inner = boxed(text) if _BOX in text else []
    boxes = _different(inner)
    if boxes > 1 and not _is_one_set(text, inner):
        return Offer(boxes, f"{boxes} different boxes")
    tags = _different(_TAG.findall(text)) if "<" in text else 0
    if tags > 1:
        return Offer(boxes, f"{tags} different answer tags")
    if boxes > 1:
        return Offer(boxes)
    match = next((match for match in _alternatives(text) if not _is_one_value(match["one"], match["other"])), None)
    return Offer(boxes, f"{match.group()!r:.60}" if match else "")


def _different(values: Iterable[str]) -> int:
    """Return how many different values are written; blanks are none."""
    return len({_value(text) for text in values if not _BLANK.fullmatch(text)})


def _value(text: str) -> Fraction | str:
    """Return a number where it is one, else the text without its dress."""
    bare = _WORDING.sub("", text)
    bare = bare if bare.strip() else _WORDING.sub(r"\1", text)
    bare = _FRACTION.sub(lambda m: f"{m[1] or m[3]}/{m[2] or m[4]}", bare)
    bare = _SPACE.sub("", _THOUSANDS.sub("", _DIRT.sub(" ", bare))).replace("−", "-").rstrip(".,;")
    match = _NUMBER.fullmatch(bare)
    if match is None or int(match[3] or 1) == 0:
        return bare
    number = Fraction(match[1] + match[2]) / int(match[3] or 1)
    return number / 100 if match[4] else number


def _is_one_value(one: str, other: str) -> bool:
    """Return whether two alternatives are the same value, or a root and its negative."""
    first, second = _value(one), _value(other)
    if isinstance(first, Fraction) and isinstance(second, Fraction):
        return abs(first) == abs(second)
    return first == second


def _is_one_set(text: str, inner: Iterable[str]) -> bool:
    """Return whether boxes are a set of solutions, or each the answer to another part of the question."""
    before: list[str] = []
    end = 0
    for box in inner:
        start = text.find(f"{{{box}}}", end)
        before.append(text[end:start])
        end = start + len(box) + 2
    if all(_TOGETHER.fullmatch(_clean(gap).strip()) for gap in before[1:]):
        return True
    labels = [match.group() for gap in before if (match := _LABEL.search(gap))]
    return len(labels) == len(before) == len(set(labels))


def _clean(text: str) -> str:
    return _SPACE.sub(" ", _DIRT.sub(" ", text))


def _alternatives(text: str) -> Iterator[re.Match[str]]:
    """Return what looks like "one or other" where the answer stands."""
    box = text.rfind(_BOX)
    if box >= 0:
        before = _clean(text[max(0, box - _BEFORE) : box].rstrip("\\b\x08f"))
        clean = before + _clean(text[box + len(_BOX) : box + _BEHIND])
        # The box is one of the alternatives, or holds them.
        return (m for m in _SEVERAL.finditer(clean) if m.start() <= len(before) + 2 and m.end() > len(before))
    end = len(text.rstrip())
    begin = text.rfind("\n", 0, end) + 1
    announced = sorted(behind for _, behind in Folded(text).last(*_ANNOUNCED))
    if announced:
        last = announced[-1]
        # "The answer is 41. Alternatively, the answer is 42": the first announcement of the line has both behind it.
        line = text.rfind("\n", 0, last - 1) + 1
        start = next(behind for behind in announced if behind >= line)
        stop = text.find("\n", last + 1)
        clean = _clean(text[start : min(start + _BEHIND, stop if stop >= 0 else len(text))])
        return (m for m in _SEVERAL.finditer(clean) if _LEAD.fullmatch(clean, 0, m.start()))
    clean = _clean(text[max(begin, end - _BEHIND) : end])
    return (
        m for m in _SEVERAL.finditer(clean) if _END.fullmatch(clean, m.end()) and not _SET.search(clean, 0, m.start())
    )
