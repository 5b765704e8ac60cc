"""Phrases of completions: runs of words that mean the same pattern wherever they stand, numbers being alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

LONGEST = 6
"""Words of the longest phrase."""
READ = 200
"""Words that are read from either end of a completion when phrases are sought."""
# A letter of a script without spaces is a word; so is a LaTeX command, a tag's name, and every sign.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\d+(?:[.,]\d+)*|\\?[^\W\d]+|[^\w\s]")
_NUMBER = "#"
_Word = tuple[str, int, int]
"""What a word counts as, and where it begins and ends."""


@dataclass(frozen=True, order=True, slots=True)
class Phrase:
    """A pattern of text.

    Attributes:
        words: Its words in lower case, with `#` for every number.
        times: How often it must stand in a completion, once or twice.
    """

    words: tuple[str, ...]
    times: int = 1

    def is_in(self, text: str) -> bool:
        """Return whether the pattern is in a completion, which `flat` made of it."""
        needle = f" {' '.join(self.words)} "
        if self.times == 1:
            return needle in text
        start = text.find(needle)
        # The blank between two neighbours belongs to both.
        return start >= 0 and text.find(needle, start + len(needle) - 1) >= 0


def flat(completion: str) -> str:
    """Return a completion's words with single blanks between, before and behind them."""
    return f" {' '.join(word for word, _, _ in _words(completion))} "


def neighbours(completions: Iterable[str], fewest: int) -> set[tuple[str, str]]:
    """Return the words that follow one another in at least so many completions; no other phrase is as common."""
    counts = Counter(
        pair
        for completion in completions
        for pair in {(one, other) for part in _parts(completion) for (one, *_), (other, *_) in pairwise(part)}
    )
    return {pair for pair, count in counts.items() if count >= fewest}


def phrases(completion: str, pairs: Container[tuple[str, str]] | None = None) -> dict[Phrase, tuple[int, int]]:
    """Return the phrases of a completion and where in it each stands first, as offsets of characters.

    Args:
        completion: The completion.
        pairs: Words that may follow one another; by default any.
    """
    parts = _parts(completion)
    if pairs is not None:
        parts = [run for part in parts for run in _runs(part, pairs)]
    found: dict[Phrase, tuple[int, int]] = {}
    seen: dict[tuple[str, ...], int] = {}
    for part in parts:
        for size in range(1, LONGEST + 1):
            for start in range(len(part) - size + 1):
                run = part[start : start + size]
                key = tuple(word for word, _, _ in run)
                place = (run[0][1], run[-1][2])
                if key not in seen:
                    seen[key] = run[-1][2]
                    found[Phrase(key)] = place
                elif run[0][1] >= seen[key]:
                    found.setdefault(Phrase(key, 2), place)
    return found


def _parts(completion: str) -> list[list[_Word]]:
    """Return the words that are read, in runs of neighbours."""
    words = list(_words(completion))
    return [words] if len(words) <= 2 * READ else [words[:READ], words[-READ:]]


def _runs(words: Sequence[_Word], pairs: Container[tuple[str, str]]) -> Iterator[Sequence[_Word]]:
    """Cut words wherever two stand side by side that may not follow one another."""
    start = 0
    for place, (one, other) in enumerate(pairwise(words), start=1):
        if (one[0], other[0]) not in pairs:
            yield words[start:place]
            start = place
    yield words[start:]


def with_signs(text: str) -> str:
    """Return a text with `#` for every number, without what only joins it to others at its ends."""
    text = re.sub(r"\d+(?:[.,]\d+)*", _NUMBER, text).strip()
    return text.strip(" \t\n.,;:") or text


def marked(completion: str, patterns: Iterable[Phrase]) -> list[tuple[str, bool]]:
    """Return a completion in pieces, and of each whether it is part of one of the patterns."""
    words = list(_words(completion))
    chosen = [False] * len(completion)
    for pattern in patterns:
        for first, last in _places(words, pattern):
            chosen[first:last] = [True] * (last - first)
    for (_, _, end), (_, start, _) in pairwise(words):
        if chosen[end - 1] and chosen[start]:
            chosen[end:start] = [True] * (start - end)
    return [
        ("".join(char for char, _ in run), flag)
        for flag, run in groupby(zip(completion, chosen, strict=True), key=lambda item: item[1])
    ]


def _places(words: Sequence[_Word], pattern: Phrase) -> list[tuple[int, int]]:
    """Return where a pattern stands, as offsets of characters; nowhere if not as often as it must."""
    found: list[tuple[int, int]] = []
    apart = behind = 0
    size = len(pattern.words)
    for start in range(len(words) - size + 1):
        if words[start][0] == pattern.words[0] and all(
            words[start + place][0] == word for place, word in enumerate(pattern.words)
        ):
            found.append((words[start][1], words[start + size - 1][2]))
            if start >= behind:
                apart, behind = apart + 1, start + size
    return found if apart >= pattern.times else []


def _words(text: str) -> Iterator[_Word]:
    for match in _WORD.finditer(text):
        word = match.group()
        yield (_NUMBER if word[0].isdecimal() else word.lower()), match.start(), match.end()
