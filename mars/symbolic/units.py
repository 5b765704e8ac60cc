"""Units of measurement as people write them after a number, and exact conversion between them.

A unit has a canonical text: `cm^2`, `km/h`, `$`. What no table knows is a *word unit*: `goats` is `goat`, a dimension
of its own, so that `60 words per minute` still is one word per second.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from fractions import Fraction
from functools import lru_cache
from itertools import product

from mars.symbolic.unit_table import (
    ADVERBS_NOT,
    AFTER,
    BEFORE,
    CHINESE_POWERS,
    COUNTERS,
    IRREGULAR_PLURALS,
    LEADING_AMOUNTS,
    NAMES,
    NOT_ALONE,
    NOT_COUNTED,
    READINGS,
    TRAILING,
    UNCOUNTED,
    UNHEADED,
    UNITS,
    UPRIGHT_LETTERS,
    Factors,
    Unit,
    compose,
    factors_of,
)
from mars.symbolic.words import is_number_word, split_magnitude

LONGEST = 80
"""Characters of a phrase; what is longer is no unit."""
MOST_FACTORS = 6
"""Factors of a unit; what has more is none."""
_MOST_WORDS = 4
_MOST_CHARACTERS = 8  # of what Chinese counts


def find_unit(text: str, *, upright: bool = False) -> str | None:
    r"""Return the canonical text of a unit as people write it after a number.

    Args:
        text: The phrase: `square centimeters`, `km/h`, `\text{ cm}^2`, `^\circ C`, `\%`, `goats`. Longer than 80
            characters it is none. `\text`, `\mathrm` and their kind make it upright.
        upright: Whether it was set upright: only then a single letter (`m`, `s`) is a unit and not a variable.

    Returns:
        A known unit (`cm^2`), else the noun phrase itself in lower case and singular (`goat`), else `None`.
    """
    return _find(text, upright) if len(text) <= LONGEST else None


def is_known(unit: str) -> bool:
    """Return whether every part of a canonical unit is one of the table, or a word of several readings (`pound`)."""
    return all(symbol in UNITS or symbol in READINGS for symbol, _ in factors_of(unit))


def same_dimension(a: str, b: str) -> bool:
    """Return whether two canonical units measure the same kind of thing in one of their readings."""
    return _pair(a, b) is not None


def convert(value: Fraction, source: str, target: str) -> Fraction | None:
    """Express a quantity in another unit, exactly; temperatures by their zero points.

    Returns:
        The value in `target`; `None` when the units do not measure the same.
    """
    pair = _pair(source, target)
    if pair is None:
        return None
    one, other = pair
    return (value * one.scale + one.offset - other.offset) / other.scale


@lru_cache(maxsize=4096)
def _pair(a: str, b: str) -> tuple[Unit, Unit] | None:
    """Return readings of two units that measure the same, with the plainest ratio: a ton in pounds is a short one."""
    pairs = [(one, other) for one, other in product(_readings(a), _readings(b)) if one.dimension == other.dimension]
    return min(pairs, key=_plainness, default=None)


def _plainness(pair: tuple[Unit, Unit]) -> int:
    share = pair[0].scale / pair[1].scale
    return share.numerator * share.denominator


def _readings(unit: str) -> list[Unit]:
    factors = factors_of(unit)[:MOST_FACTORS]
    choices = [[(reading, power) for reading in READINGS.get(symbol, (symbol,))] for symbol, power in factors]
    return [compose(choice) for choice in product(*choices)]


_WRAPPER = re.compile(
    r"\\(?:text|textrm|textbf|textit|textnormal|mathrm|mathbf|mathit|mbox|hbox|operatorname|rm|bf|normal)(?![a-z])"
)
_DEGREE = re.compile(r"\^?\s*\{?\s*(?:\\(?:circ|degree|textdegree|textcirc)(?![a-z])|°)")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{(.*)\}\s*\{(.*)\}")
_SPACE = re.compile(r"\\[,;:! ]|~|\\q?quad(?![a-z])|\s+")
_TIMES = re.compile(r"\\(?:cdot|times)(?![a-z])|[·×⋅•]")
_PER = re.compile(r"\s*/\s*|(?:^|\s+)per\s+|(?<=[\u4e00-\u9fff])每")
_POWER = re.compile(r"(.*?)\s*(?:\^\s*(-?[1-9])|([23]))")
_BEFORE_PLAIN = str.maketrans({"º": "°", "²": "^2", "³": "^3", "⁻": "^-", "¹": "1", "￥": "¥"})
_AFTER_PLAIN = str.maketrans({"μ": "µ", "{": None, "}": None})


@lru_cache(maxsize=4096)
def _find(text: str, upright: bool) -> str | None:
    phrase = _WRAPPER.sub("", text)
    upright = upright or phrase != text or any("㍱" <= character <= "㏿" for character in text)
    words = _plain(phrase).split()
    while len(words) > 1 and words[-1].casefold() in TRAILING:
        words.pop(-2 if words[-2] == "in" else -1)
    phrase = " ".join(words)
    if split_magnitude(phrase)[0] != 1:
        return None
    factors = _parse(phrase, upright) or _compound(phrase)
    if factors is None or not _all_known(factors):
        factors = _head(phrase, upright) or factors
    return _written(factors) if factors else None


def _plain(phrase: str) -> str:
    """Replace LaTeX by the characters it shows; what is not understood keeps its backslash."""
    phrase = unicodedata.normalize("NFKC", phrase.translate(_BEFORE_PLAIN)) if not phrase.isascii() else phrase
    if "\\" in phrase:
        phrase = phrase.replace(r"\%", "%").replace(r"\$", "$").replace(r"\Omega", "Ω")
        phrase = re.sub(r"\\mu(?:\s+|(?![a-z]))", "µ", phrase)
        phrase = _FRACTION.sub(r"\1/\2", phrase)
    phrase = _TIMES.sub("*", _SPACE.sub(" ", _DEGREE.sub("°", phrase))).translate(_AFTER_PLAIN)
    phrase = re.sub(r"°\s*([CFcf])\b", lambda match: "°" + match[1].upper(), phrase)
    phrase = re.sub(r"(?<=[^\W\d_])(?:\.|\(s\)|\(es\))", lambda match: match[0].strip(".()"), phrase)
    phrase = phrase.strip(" ,;:!?")
    return phrase[1:-1] if phrase.startswith("(") and phrase.find(")") == len(phrase) - 1 else phrase


def _compound(phrase: str) -> Factors | None:
    """Read `km/h`, where `km` vouches that `h` is no variable."""
    factors = _parse(phrase, True) if any(each in phrase for each in "/^*") else None
    if factors is None or not _all_known(factors):
        return None
    return factors if any(len(symbol) > 1 or not symbol.isalpha() for symbol, _ in factors) else None


def _head(phrase: str, upright: bool) -> Factors | None:
    """Read `square feet of carpet` and `% increase` by the unit in front."""
    head, _, rest = phrase.partition(" of ")
    if not rest:
        head, _, rest = phrase.partition(" ")
        if head not in ("%", "percent"):
            return None
    factors = _parse(head, upright) if is_noun_phrase(rest) else None
    return factors if factors and _all_known(factors) else None


def _parse(phrase: str, upright: bool) -> Factors | None:
    factors: list[tuple[str, int]] = []
    for place, part in enumerate(_PER.split(phrase)):
        enclosed = part.startswith("(") and part.endswith(")")
        pieces = part.strip("()" if enclosed else " ").split("*")
        if part in ("", "1") and not place:
            continue
        if place and len(pieces) > 1 and not enclosed:
            return None
        for piece in pieces:
            found = _product(piece.strip(), upright) or _word(piece.strip(), upright)
            if found is None:
                return None
            factors += [(symbol, -power if place else power) for symbol, power in found]
    return tuple(factors) if 0 < len(factors) <= MOST_FACTORS else None


def _product(piece: str, upright: bool) -> Factors | None:
    """Read one known unit, or several side by side: `kg m^2`, `kilowatt-hours`."""
    single = _single(piece, upright)
    if single:
        return single
    found = [_single(word, upright) for word in re.sub(r"(?<=\w)-", " ", piece).split()]
    return tuple(factor for each in found if each for factor in each) if found and all(found) else None


def _single(piece: str, upright: bool) -> Factors | None:
    first, _, after = piece.partition(" ")
    before, _, last = piece.rpartition(" ")
    if after and first.casefold() in BEFORE:
        name, power = after, BEFORE[first.casefold()]
    elif before and last.casefold() in AFTER:
        name, power = before, AFTER[last.casefold()]
    elif piece[:2] in CHINESE_POWERS:
        name, power = piece[2:], CHINESE_POWERS[piece[:2]]
    elif match := _POWER.fullmatch(piece):
        name, power = match[1], int(match[2] or match[3])
    else:
        name, power = piece, 1
    unit = _named(name, upright)
    return tuple((symbol, exponent * power) for symbol, exponent in factors_of(unit)) if unit else None


def _named(name: str, upright: bool) -> str | None:
    if len(name) == 1 and name.isascii() and name.isalpha():
        return name if upright and name in UPRIGHT_LETTERS else None
    if name in UNITS:
        return name
    folded = name.casefold().replace("-", " ")
    plural = folded.endswith("s") and len(folded) > 2
    return (
        NAMES.get(folded)
        or NAMES.get(" ".join(map(singular, folded.split())))
        or (NAMES.get(folded[:-1]) if plural else None)
    )


def _word(piece: str, upright: bool) -> Factors | None:
    """Read what no table knows as a unit of its own."""
    shortest = (2 if upright else 3) if piece.isascii() else 1
    if len(piece) < shortest or not is_noun_phrase(piece):
        return None
    return ((" ".join(map(singular, piece.casefold().split())), 1),)


def _all_known(factors: Factors) -> bool:
    return all(symbol in UNITS or symbol in READINGS for symbol, _ in factors)


def _written(factors: Factors) -> str | None:
    powers: Counter[str] = Counter()
    for symbol, power in factors:
        powers[symbol] += power
    if set(powers) == {"units"}:
        return "units"
    above = [_raised(symbol, power) for symbol, power in powers.items() if power > 0]
    below = [_raised(symbol, -power) for symbol, power in powers.items() if power < 0]
    return "/".join(["*".join(above) or "1", *below]) if above or below else None


def _raised(symbol: str, power: int) -> str:
    return symbol if power == 1 else f"{symbol}^{power}"


_ENGLISH = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ]+(?:[ '\-][A-Za-zÀ-ÖØ-öø-ɏ]+){0,6}")
_CHINESE = re.compile(r"[\u4e00-\u9fff〇]+")
_DETERMINER = "(?:(?:the|an?|all|his|her|its|their|our|your) )?"
_OF = re.compile(f"(?:^| (?:of|in|on) ){_DETERMINER}")


def is_noun_phrase(text: str) -> bool:
    """Return whether a text can name what a number counts: `small boxes`, `students in the class`, `个苹果`.

    In English four words at most, of which none compares, computes, denies, judges or counts and the last is no
    adjective; in Chinese a measure word, and what is measured.
    """
    if _CHINESE.fullmatch(text):
        return _is_counted(text)
    if not _ENGLISH.fullmatch(text):
        return False
    nouns = _OF.split(text.casefold())[1:]
    return len(" ".join(nouns).split()) <= _MOST_WORDS and all(map(_is_noun, nouns))


def _is_noun(text: str) -> bool:
    words = text.replace("-", " ").split()
    if words[0] in LEADING_AMOUNTS or words[-1] in UNHEADED or "times" in words[:-1]:
        return False
    if not UNCOUNTED.isdisjoint(words) or any(len(word.partition("'")[0]) < 2 for word in words):
        return False
    adverb = words[-1].endswith("ly") and words[-1] not in ADVERBS_NOT
    return not adverb and not any(is_number_word(singular(word)) for word in words)


def _is_counted(text: str) -> bool:
    """Read `本书` and `种不同的方法`: a measure word first, and behind it no words of more, less or how often."""
    noun = re.sub("不同的?|的", "", text[1:])
    if text[0] not in COUNTERS or len(noun) > _MOST_CHARACTERS or not NOT_COUNTED.isdisjoint(noun.replace("方法", "")):
        return False
    return not noun or not NOT_ALONE.issuperset(noun)


def singular(word: str) -> str:
    """Return an English noun in its singular, near enough to compare two nouns: "boxes" is "box"."""
    if word in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]
