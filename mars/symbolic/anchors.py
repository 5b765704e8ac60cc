"""How prose marks an answer: phrases, delimited mathematics, closing sentences. Every search is linear or bounded."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from mars.symbolic.retraction import NO_SOLUTION, unsolvable

WINDOW = 2000
"""Characters that are read behind a phrase, and of the last paragraph."""
_TRIED = 20
"""Phrases that are looked at, from the last one back, until one announces an answer."""


class Span(NamedTuple):
    """A part of a text, and the part inside its delimiters."""

    start: int
    end: int
    inner_start: int
    inner_end: int


_IS = r"(?:(?:is|are|was|were|equals|becomes|(?:will|would|should|must)\ be)\b|[=:：])"
_PHRASE = re.compile(
    rf"""
      \banswers?\b [*_`\s]{{0,6}} (?:(?:to|for|of|in)\s[^.:\n]{{1,80}}?\s)?? [*_`]{{0,3}} {_IS}
    | ^[ \t\#>*_]{{0,12}} (?:final\s)? answers?\b [ \t*_]{{0,6}} (?=\n | \$ | \\[(\[])
    | \*\*(?:final\s)?answers?\*\*
    | \b(?:correct|true|actual|right)\s(?:value|count|result|number|total|sum)\s(?:is|should\ be)\b
    | \b(?:hence|thus|therefore|so),?\s(?:the\s)?(?:final\s)?(?:solution|result)(?:\sset)?\s(?:is|are)\b
    | ^(?-i:A)[ \t]?:
    | ^\#\#\#\#[ \t]?(?=[-+]?\\?[$€£]?[ ]?\.?\d[\d,./]{{0,400}}\s?%?[ \t]{{0,8}}$ | [^\n]{{1,200}}+\s*+\Z)
    | ^[ \t\#>*_]{{0,12}} (?-i:Ans) [ \t]?[.:=]
    | 答案\s{{0,3}}(?:应该|应)?(?:是|为|选|[:：]) | 【答案】 | (?:故选|应选)(?!项) | ^答\s?[:：] | 正确的?选项[是为]
    | (?:综上(?:所述)?|所以|因此|因而)[，,]?\s?应?选择?(?=[\s*$(（]{{0,6}}(?-i:[A-J])(?![A-Za-z]))
    | (?<!wrong\ )(?<!incorrect\ )\b(?:choice|option)s?\s(?:is|are)\b
      (?=[\s*$(:]{{0,6}}(?:\\text\w*\{{\(?)?(?-i:[A-J]\b(?!\s(?!and\b|or\b|because\b)[a-z])))
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_LABEL = re.compile(
    r"[^\n]{0,200}?(?:[,;，；、|]\s?[A-Za-z]\w{0,20}\s?[:：]|[,;，；、|\s]\s?[B-J]\s?[:：=])|[^\n]{0,200}\n\W{0,4}[B-J]\s?[:：.)]"
)
_FINAL = re.compile(r"final|最终|\b(?:correct|true|actual)\s|[故以]答案", re.IGNORECASE)
_SKIPPED = re.compile(
    r"(?:[-=]{1,2}>|(?<=\n)>\s|[\s*_`:：=\"“”]|(?:is|therefore|thus|simply|just|exactly|approximately|about|roughly"
    r"|equal to|given by|indeed|option)\b|选(?=[\s*(（]{0,4}[A-J](?![a-z]))){0,40}",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(
    r"""
      \n | [。；！？?] | ，(?=[\u4e00-\u9fff])
    | (?<![.]) (?<!\be\.g) (?<!\bi\.e) (?<!\\right) [.] (?=[*"'”)]{0,4}(?:\s|$))
    | (?:(?<=[A-Za-z][a-z]) | (?<=\*\*)) !
    | ,\sas\b | \s\((?:we|since|because|as|attained|achieved|where|when|note|checked)\b
    | ,?\s(?:because|since|which|where|whereas|assuming|given\ that|but)\b
    | ,\s(?:not|or\ rather|I\ mean|wait|actually|sorry)\b | (?<=[\d$})]),\sno\b | (?<=[\d$})])，不
    """,
    re.VERBOSE,
)
_SENTENCE_END = re.compile(r"\n|[。！？?]|(?<![.])(?<!\be\.g)(?<!\bi\.e)(?<!\\right)[.](?=[*\"'”)]{0,4}(?:\s|$))")
_COPULA = re.compile(r"(?:\b(?:is|are|was|were|be|equals?)\b|[=≈＝]|是|为|等于)\s?", re.IGNORECASE)
_CONNECTIVE = re.compile(
    r"(?:^[\s.。!！?？*\"”)]{0,8}|[,，;；]\s?)"
    r"(?:(?:(?:so|thus|hence|therefore|finally|in total|in conclusion|consequently|then|we have|we get|we find|we know"
    r"|we obtain|that)\b|所以|因此|因而|综上|故|于是|解得|一?共有)[\s,，:：]{0,3}){1,4}",
    re.IGNORECASE,
)
_SUBORDINATE = re.compile(
    r"""
    [,(]?\s\(? (?: (?: when(?:ever)? | if(?!\sand\sonly) | where | with\sequality | whose
      | for\s(?:all|any|some|every|each) | (?:attained|achieved|reached|occurring|obtained)\s(?:at|when|for|if|by)
      | which\s(?:has|have|was|were) )\b | for\s(?=\$[^$]{1,80}(?:[<>≥≤=]|\\(?:[gl]eq?|in)\b)) )
    | [，,]?\s?(?:当且仅当|当(?=[^。]{1,60}时))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_TIED = re.compile(
    r"(?:\b(?:is|are|be|equals?|gives?|get|obtain|find|have|so|thus|hence|therefore)|[=:：是为得故])[\s*$\\(\[]{0,6}$",
    re.I,
)
_GOES_ON = re.compile(
    r"[,;，；]\s?(?:and\s)?(?:so|thus|hence|therefore|then|we|he|she|it|they|there|the|this|that|which|giving|leaving)\b(?=.{0,300}[\d$])"
    r"|[，；]\s?(?:且|则|所以|因此|故|有)|\b(?:otherwise|else|if|when|for)\b|\b(?:is|are|equals)\s[$\\(]{0,3}[-\d]",
    re.IGNORECASE,
)
_MOST_WORDS = re.compile(r"[\s$*).\\\]~]{0,8}(?:\w+(?:\s\w+)?)?\s{0,3}", re.ASCII)
_EQUATION = re.compile(r"[^=]*$|[A-Za-z]\w{0,3}\s?(?:\([\w, ]{1,20}\)\s?)?[=<>≤≥]")
_ALIGNED = re.compile(r"\\end\{(?:align|aligned|gather|gathered|equation|eqnarray|split)\*?\}[\s$.\\\])]{0,8}$")
_ROW = re.compile(r"\\\\|&|\\begin\{[a-z]+\*?\}")
_SIDE = re.compile(r"(?:[=≈]|\\approx\b|\\Rightarrow\b|\\implies\b)")
_COMPARED = re.compile(
    r"(?:(?<![\w<>/\\])[A-Za-z]\s?|(?<=\s)(?<!\n))(?:(?<![-=<>])[<>≤≥≠](?![<>])=?|\\(?:n?eq?|[gl](?:eq?|t)))\s?$"
)
_COUNTED = re.compile(
    r"[^\d$\\=]{0,80}(?:[有是为剩了得要需到用共付花达出]|(?<![最至不])[多少]|等于)\s{0,3}(?=\*{0,2}[$\d-])"
)
_OPTION = re.compile(
    r"[A-J][.:：)]\s?[^*\n]{1,200}(?=\*\*)|[(（]?[A-J][)）$*]{0,4}(?=\s?选?项(?:[\s。.，,]|$))|(?i:yes|no)(?=,\s[a-z])"
)
_EMPTY_SET = re.compile(r"\\\{(?:[\s~]|\\[,;!: ]){0,8}\\\}")
_JOINER = re.compile(r"\s{0,3}(?:,?\s{0,3}(?:and|or|和|或)\b|[,;、&])\s{0,3}", re.IGNORECASE)
_ALTERNATIVE = re.compile(r"[\s,]{0,4}or\b|[\s,(]{0,4}(?:maybe|perhaps|possibly|probably)\b", re.IGNORECASE)
_UNIT = re.compile(
    r"""
    [ \t~]{0,3} (?:
        \\?% | °[CF]? | (?:percent|degrees?)\b
      | (?:(?:square|cubic|sq\.?|cu\.?)\s)? (?:units?|[kcm]?m|meters?|metres?|(?:centi|kilo|milli)met(?:er|re)s?
          |inch(?:es)?|in|feet|foot|ft|yards?|miles?|[km]?g|grams?|kilograms?|pounds?|ounces?|seconds?|minutes?|hours?
          |days?|weeks?|months?|years?|dollars?|cents?|euros?|yuan|lit(?:er|re)s?|gallons?|radians?|mph)
          (?:\^?[23]|\^\{[23]\}|[²³])? (?![\w^]) (?:\s?(?:per|/)\s?[a-z]{1,12}\b)?
      | (?:厘米|分米|毫米|千米|平方米|米|千克|克|元|度|小时|分钟|秒)
    )
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(
    r"(?<![A-Za-z\d_.^])(?:[-−](?=[\\$€£¥\d.]))?\\?[$€£¥]?(?:(?:\d{1,3}(?:,\d{3}){1,20}(?!\d)|\d+)(?:\.\d+)?|\.\d+)"
    r"(?:\s?/\s?\d+)?(?:\s?\\?%)?"
)
_DELIMITER = re.compile(r"\\\\|\\[()\[\]$]|\$\$|\$|\n[ \t]{0,8}\n")
_CLOSERS = {"$": "$", "$$": "$$", r"\(": r"\)", r"\[": r"\]"}
_COMMAND = re.compile(r"\\(?:text\w{0,6}|mbox|mathrm|operatorname\*?)\s{0,3}\{[^{}]*\}|\\[A-Za-z]+")
_WORD = re.compile(r"[A-Za-z][A-Za-z'’]+")
_TELLING = re.compile(
    r"\b(?:is|are|was|were|been|has|have|had|will|would|can|could|should|might|did|don't|doesn't|isn't|aren't|wasn't|we|you|he|she|it|they"
    r"|there|this|these|let|know|get|find|need|give|so|because|therefore|thus|hence|since|i'm|it's|that's|there's|let's"
    r"|we've|i'd|i'll|i've|can't|what|how|why)\b"
)
_FIRST_PERSON = re.compile(r"\bI\b(?!\s?[=<>+^*/])\s[a-z]")
_TELLING_CJK = re.compile(r"[是为]|正确|所以|因此|我们|首先|根据|因为|[设则得]|[\u4e00-\u9fff]{12}")
_JOINS = frozenset(("and", "or", "percent", "degree", "degrees", "unit", "units", "square", "cubic", "cm", "mm", "km"))
_EMPTY_TALK = re.compile(
    r"(?:not|in|correct|incorrect|right|wrong|reasonable|clear\w*|obvious\w*|below|above|as|found|unknown|unclear|too"
    r"|obtained|derived|shown|stated|marked|boxed|verified|confirmed|correctly"
    r"|always|never|also|the same|here|unique|valid|consistent)\b",
    re.IGNORECASE,
)
_REFUSAL = re.compile(r"\b(?:cannot|can't|unable|impossible|not|no|don't)\b|无法|不能", re.IGNORECASE)
_CHOSEN = re.compile(r"\b(?:it'?s|is|be|choose|pick|select|option|choice)\s\(?([A-J])\)?\W{0,4}$")
_NAMED = re.compile(
    r"^\W{0,8}(?:so|thus|hence|therefore)\b.{1,300}\s(?:is|are)\s([A-Za-z]+(?:\s[A-Za-z]+){0,2})\W{0,4}$", re.I
)
_PRAISED = re.compile(
    r"(?:\b(?:option|choice)\s\(?|选项\s?)([A-J])\)?\s?"
    r"(?:\b(?:is|must\sbe)\s(?:the\s)?(?:correct|right|answer)\b|是?正确)",
    re.IGNORECASE,
)
_CELL = re.compile(r"\|\s([^|]+)\s\|\s*$")


def math_spans(text: str) -> list[Span]:
    r"""Return the parts of a text between `$`, `$$`, `\(` or `\[` and their closers, in order.

    Dollars that are money are passed over: what stands between two of them is prose.
    """
    spans: list[Span] = []
    opened: re.Match[str] | None = None
    for token in _DELIMITER.finditer(text):
        mark, open_mark = token.group(), opened.group() if opened else ""
        if opened and mark == _CLOSERS[open_mark]:
            if mark == "$" and _is_money(text, opened.end(), token.start()):
                opened = token
                continue
            spans.append(Span(opened.start(), token.end(), opened.end(), token.start()))
            opened = None
        elif mark in _CLOSERS and not (mark == "$" and open_mark):
            opened = token
        elif mark.startswith("\n") and open_mark in ("$", r"\("):
            opened = None
    return spans


def _is_money(text: str, start: int, end: int) -> bool:
    inside = text[start:end]
    next_is_digit = text[end + 1 : end + 2].isdigit()
    return not inside or (inside[-1].isspace() and next_is_digit) or len(words(inside)) > 2


def words(text: str) -> list[str]:
    r"""Return the words of a text, in lower case, but none of LaTeX's: no commands, nothing inside `\text{...}`."""
    return [word.lower().replace("’", "'") for word in _WORD.findall(_COMMAND.sub(" ", text))]


def is_prose(text: str) -> bool:
    """Return whether a text tells something, rather than being an answer by itself.

    Args:
        text: At most a few thousand characters.
    """
    spans = math_spans(text)
    edges = [0, *(edge for span in spans for edge in (span.start, span.end)), len(text)]
    outside = " ".join(text[begin:end] for begin, end in zip(edges[::2], edges[1::2], strict=True))
    found = words(outside)
    return bool(
        outside.rstrip().endswith("?")
        or len(found) > 12
        or _TELLING.search(" ".join(found))
        or (spans and sum(word not in _JOINS for word in found) > 1)
        or _FIRST_PERSON.search(outside)
        or _TELLING_CJK.search(_COMMAND.sub(" ", outside))
    )


def says_something(text: str) -> bool:
    """Return whether a text can be an answer at all: a letter, a digit, or the sign of a set without members."""
    return any(each.isalnum() or each in "∞∅" for each in text) or bool(_EMPTY_SET.search(text))


def phrases(text: str, letters: bool = True) -> Iterator[tuple[int, bool]]:
    """Yield where each phrase that announces an answer ends and whether it says "final", the last one first.

    Args:
        text: The whole text.
        letters: Whether "A:" announces an answer. Where other labels follow it is the first of several, and never does.
    """
    for match in reversed(deque(_PHRASE.finditer(text), _TRIED)):
        if match.group() in ("A:", "A :") and (not letters or _LABEL.match(text, match.end())):
            continue
        around = text[max(0, match.start() - 12) : match.end()]
        yield match.end(), bool(_FINAL.search(around))


def announced(text: str, start: int, direct: bool = False) -> tuple[int, int] | None:
    """Return the span of the answer that follows a phrase, or `None` when nothing like an answer does.

    Args:
        text: The whole text.
        start: Where the phrase ends.
        direct: Whether the answer must follow at once, with no words of a sentence around it.
    """
    limit = min(len(text), start + WINDOW)
    begin = _skip(text, start)
    window = text[begin:limit]
    spans = math_spans(window)
    if spans and spans[0].start == 0:
        end = _extend(window, spans, 0)
        if _ALTERNATIVE.match(window, end):
            end = next(_ends(window, spans, _CLAUSE_END, end), len(window))
        return begin, begin + end
    end = next(_ends(window, spans, _CLAUSE_END), len(window))
    option = _OPTION.match(window)
    if option and (window[option.end()] != "*" or text.endswith("**", start, begin)):
        return begin, begin + option.end()
    clause = window[:end]
    if _EMPTY_TALK.match(clause) or not says_something(clause):
        return None
    added = None if direct else _SUBORDINATE.search(clause)
    if added and _is_answer(clause[: added.start()]) and not _GOES_ON.search(clause, added.end()):
        return begin, begin + added.start()
    if not is_prose(clause):
        return begin + _counted(clause), begin + end
    found = None if direct else concluded(clause)
    return (begin + found[0], begin + found[1]) if found else None


def closing(text: str) -> tuple[int, int, str] | None:
    """Return the span of the answer in the last words of a text and what marked it, or `None`.

    It is read from the last sentence that has an answer, going back over remarks but over no refusal.
    """
    end = len(text.rstrip())
    for _ in range(2):
        begin = max(text.rfind("\n\n", 0, end) + 1, end - WINDOW, 0)
        paragraph = text[begin:end]
        last_line = paragraph[paragraph.rfind("\n") + 1 :]
        cell = _CELL.search(last_line) if last_line.count("|") > 2 and last_line.lstrip().startswith("| ") else None
        if cell:
            start = end - len(last_line) + cell.start(1)
            return start, start + len(cell.group(1)), "phrase"
        aligned = _ALIGNED.search(paragraph[-60:])
        if aligned:
            stop = len(paragraph) - min(60, len(paragraph)) + aligned.start()
            side = _last_side(paragraph[:stop])
            return (begin + side, begin + stop, "math") if side is not None else None
        found = _last_sentence_with_answer(paragraph)
        if found:
            return begin + found[0], begin + found[1], found[2]
        if _REFUSAL.search(paragraph) or len(paragraph) > 300:
            return None
        end = len(text[:begin].rstrip())
    return None


def _last_side(rows: str) -> int | None:
    """Return where the last side of an aligned derivation begins: behind `&=` in its last row."""
    marks = list(_ROW.finditer(rows))
    begin = marks[-1].end() if marks else 0
    side = _SIDE.match(rows, begin)
    return None if not rows[begin:].strip() else side.end() if side else begin


def _last_sentence_with_answer(paragraph: str) -> tuple[int, int, str] | None:
    stops = [0, *_ends(paragraph, math_spans(paragraph), _SENTENCE_END), len(paragraph)]
    for begin, end in zip(reversed(stops[:-1]), reversed(stops[1:]), strict=True):
        sentence = paragraph[begin:end]
        if not says_something(sentence):
            continue
        found = concluded(sentence)
        if found:
            return begin + found[0], begin + found[1], found[2]
        if _REFUSAL.search(sentence):
            return None
    return None


def concluded(sentence: str) -> tuple[int, int, str] | None:
    """Return the span of what a sentence concludes and what marked it, or `None`.

    In turn: that there are no solutions, all that follows "so", the mathematics that it ends with, what follows the
    last "is" or "=", the last mathematics, the last number. What a clause adds ("when a = 2") is passed over.
    """
    for clause in islice(_SUBORDINATE.finditer(sentence), 4):
        main = sentence[: clause.start()]
        found = _concluded(main)
        if found and _is_main(main, *found[:2], sentence[clause.end() :]):
            return found
    return _concluded(sentence)


def _is_main(main: str, start: int, end: int, behind: str) -> bool:
    """Return whether a clause states an answer that stands at its end, and what follows it states no other."""
    answer = main[start:end]
    if _GOES_ON.search(behind) or not _MOST_WORDS.fullmatch(main, end) or re.search(r"=\s?0\W*$", answer):
        return False
    return bool(_TIED.search(main, 0, start) or re.search(r"[=<>≤≥]|\\[gl]eq?\b", answer))


def _concluded(sentence: str) -> tuple[int, int, str] | None:
    if NO_SOLUTION.search(sentence):
        unsolved = unsolvable(sentence)
        return (*unsolved, "phrase") if unsolved else None
    spans = math_spans(sentence)
    last = spans[-1].end if spans else 0
    if "&" in sentence[last:] and "\\end{" not in sentence:
        return None  # A row of a derivation that was cut off.
    begin = max((match.end() for match in _CONNECTIVE.finditer(sentence)), default=len(sentence))
    if not spans and _is_answer(sentence[begin:]) and _EQUATION.match(sentence, begin):
        return begin + _counted(sentence[begin:]), len(sentence), "phrase"
    for copula in reversed(list(_COPULA.finditer(sentence, last))):
        start = _skip(sentence, copula.end())
        if _is_answer(sentence[start:]):
            return start, len(sentence), "phrase"
    number = last_number(sentence[last:], strict=True)
    if number:
        return compared(sentence, last + number[0]), last + number[1], "number"
    if spans:
        first = len(spans) - 1
        while first and _joined(sentence, spans[first - 1], spans[first]):
            first -= 1
        return spans[first].start, _extend(sentence, spans, first), "math"
    chosen = _CHOSEN.search(sentence) or _PRAISED.search(sentence) or _NAMED.search(sentence)
    if not chosen or _EMPTY_TALK.match(chosen.group(1)) or is_prose(chosen.group(1)):
        return None
    return (*chosen.span(1), "phrase")


def _counted(clause: str) -> int:
    """Return where the only number of a Chinese clause begins, as in "还剩6个", or 0 without one."""
    told = _COUNTED.match(clause)
    if not told:
        return 0
    spans, rest = math_spans(clause), clause[told.end() :]
    alone = len(spans) == 1 and spans[0].start == told.end() and not numbers(clause[spans[0].end :])
    return told.end() if alone or (not spans and len(numbers(rest)) == 1) else 0


def _skip(text: str, start: int) -> int:
    """Return where the answer begins behind a phrase: past "approximately", colons, quotes, bold."""
    skipped = _SKIPPED.match(text, start)
    return skipped.end() if skipped else start


def _is_answer(text: str) -> bool:
    """Return whether a text that follows "is" can be the whole answer: mathematics or a number, and few words."""
    found = words(text)
    return any(map(str.isdigit, text)) and len(found) < 4 and not is_prose(text)


def last_number(text: str, strict: bool = False) -> tuple[int, int] | None:
    """Return the span of the last number of a text, or `None`.

    Args:
        text: Any text.
        strict: Whether a digit that belongs to a larger expression, `5x` or `2^n`, is passed over.
    """
    # The end is looked at first, so that a long text costs no more than a short one.
    tail = max(0, len(text) - WINDOW)
    for begin in (tail, 0) if tail else (0,):
        found = None
        for match in _NUMBER.finditer(text, begin):
            behind = text[match.end() : match.end() + 1]
            if not (strict and (behind in ("^", "_", "(", "\\", "{") or behind == "}")):
                closes = text[match.start()] == "$" and behind in ("$", "\\")
                found = match.start() + closes, match.end()
        if found and (begin == 0 or found[0] > begin):
            return found
    return None


def compared(text: str, start: int) -> int:
    """Return where a relation begins whose right side begins at `start`, as in `x > 5`, or `start` without one."""
    begin = max(0, start - 20)
    relation = _COMPARED.search(text[begin:start])
    return begin + relation.start() if relation else start


def numbers(text: str) -> list[tuple[int, int]]:
    """Return the spans of the numbers of a text, with their signs, currencies and percent signs."""
    return [match.span() for match in _NUMBER.finditer(text)]


def _ends(text: str, spans: list[Span], pattern: re.Pattern[str], start: int = 0) -> Iterator[int]:
    """Yield where clauses or sentences end, but never inside mathematics."""
    position = 0
    for match in pattern.finditer(text, start):
        while position < len(spans) and spans[position].end <= match.start():
            position += 1
        if position == len(spans) or match.start() < spans[position].start:
            yield match.start()


def _extend(text: str, spans: list[Span], first: int) -> int:
    """Return where a list of mathematics that begins with a span ends, its unit included."""
    last = first
    while last + 1 < len(spans) and _joined(text, spans[last], spans[last + 1]):
        last += 1
    unit = _UNIT.match(text, spans[last].end)
    return unit.end() if unit else spans[last].end


def _joined(text: str, left: Span, right: Span) -> bool:
    return bool(_JOINER.fullmatch(text, left.end, right.start))
