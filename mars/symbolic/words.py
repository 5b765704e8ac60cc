"""Words of answers: numbers in words, circled digits, and text folded for comparison."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

LONGEST_NUMBER = 200
"""Characters of a number in words; what is longer is none."""

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_ROUND = "twenty thirty forty fifty sixty seventy eighty ninety"
_ONES = {word: value for value, word in enumerate(_SMALL.split())}
_TENS = {word: 10 * value for value, word in enumerate(_ROUND.split(), start=2)}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_MAGNITUDES = {"dozen": 12, "hundred": 100} | _SCALES
_IRREGULAR_ORDINALS = {
    "first": "one",
    "second": "two",
    "third": "three",
    "fifth": "five",
    "eighth": "eight",
    "ninth": "nine",
    "twelfth": "twelve",
}
_PARTS = {"half": 2, "halve": 2, "quarter": 4}
_DIGITAL_ORDINAL = re.compile(r"(\d{1,18})(?:\s?\^)?\s?\{?\s?(?:\\[a-z]{1,15}\s?\{?)?\s?(?:st|nd|rd|th)\s?\}{0,2}")
_DECIMAL = re.compile(r"\d{1,18}(?:\.\d{1,18})?")

_CHINESE_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_MYRIADS = {"亿": 10**8, "万": 10**4}
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000}


def number_in_words(text: str) -> Fraction | None:
    r"""Read a number that is written in words, in English or in Chinese.

    Args:
        text: The whole text: "twenty-three", "two and a half", "21st", "21^{st}", "三分之二", "5 million".

    Returns:
        Its value (of an ordinal, its place), or `None` when the text is anything else, plain digits included.
    """
    if len(text) > LONGEST_NUMBER:
        return None
    text = text.strip().casefold()
    if text and not text.isascii():
        return _chinese(text)
    if text.startswith("-"):
        text = "minus " + text[1:]
    if match := _DIGITAL_ORDINAL.fullmatch(text):
        return Fraction(match[1])
    tokens = text.replace("-", " ").replace(",", " ").split()
    if tokens and tokens[0] in ("minus", "negative"):
        value = _english(tokens[1:])
        return None if value is None else -value
    return _english(tokens)


def split_magnitude(text: str) -> tuple[int, str]:
    """Take the words that multiply the number before them off a phrase.

    Args:
        text: What follows a number: "million dollars", "thousand", "dozen eggs", "万元".

    Returns:
        The multiplier (1 when there is none) and the rest of the phrase.
    """
    multiplier, rest = 1, text.strip()
    while rest and multiplier < 10**12:
        word, _, after = rest.partition(" ")
        if rest[0] in _MYRIADS:
            multiplier, rest = multiplier * _MYRIADS[rest[0]], rest[1:].lstrip()
        elif word.casefold() in _MAGNITUDES:
            multiplier, rest = multiplier * _MAGNITUDES[word.casefold()], after.lstrip()
        else:
            break
    return multiplier, rest


def circled(text: str) -> tuple[int, ...] | None:
    """Read circled digits: "②③" and "①、④" are (2, 3) and (1, 4).

    Returns:
        The numbers in order, or `None` when the text has anything but circled numbers 1 to 20 and separators.
    """
    bare = [each for each in text if each not in " ,、，;；和与$"]
    values = tuple(ord(each) - ord("①") + 1 for each in bare)
    return values if values and all(1 <= value <= 20 for value in values) else None


def _english(tokens: list[str]) -> Fraction | None:
    if not tokens:
        return None
    if _DECIMAL.fullmatch(tokens[0]):
        return _digits_and_magnitudes(tokens)
    if "point" in tokens:
        return _spoken_decimal(tokens)
    if tokens[-1] == "dozen":
        return _dozens(tokens[:-1])
    for reading in (_cardinal, _part, _mixed, _ordinal):
        value = reading(tokens)
        if value is not None:
            return Fraction(value)
    return None


def _cardinal(tokens: list[str]) -> int | None:
    """Read "two thousand three hundred and one"; each word must fit where it stands."""
    if tokens == ["zero"]:
        return 0
    if tokens and tokens[0] in ("a", "an") and len(tokens) > 1 and tokens[1] in _MAGNITUDES:
        tokens = ["one", *tokens[1:]]
    total, group, last_scale = 0, 0, 10**15
    for place, token in enumerate(tokens):
        if token == "and" and 0 < place < len(tokens) - 1 and tokens[place - 1] in _MAGNITUDES:
            continue
        if 0 < _ONES.get(token, 0) < 10 and group % 10 == 0 and group % 100 != 10:
            group += _ONES[token]
        elif (value := max(_ONES.get(token, 0), _TENS.get(token, 0))) >= 10 and group % 100 == 0:
            group += value
        elif token == "hundred" and group < 100 and (group or not place):
            group = (group or 1) * 100
        elif token in _SCALES and _SCALES[token] < last_scale and (group or not place):
            last_scale = _SCALES[token]
            total, group = total + (group or 1) * last_scale, 0
        else:
            return None
    return total + group if tokens else None


def _ordinal(tokens: list[str]) -> int | None:
    cardinal = _cardinal_of_ordinal(tokens[-1])
    return _cardinal([*tokens[:-1], cardinal]) if cardinal else None


def _cardinal_of_ordinal(word: str) -> str | None:
    if word in _IRREGULAR_ORDINALS:
        return _IRREGULAR_ORDINALS[word]
    stem = word.removesuffix("th")
    if stem == word:
        return None
    stem = stem[:-2] + "y" if stem.endswith("ie") else stem
    return stem if stem in _ONES or stem in _TENS or stem in _MAGNITUDES else None


def _part(tokens: list[str]) -> Fraction | None:
    """Read "half", "three quarters", "a third", "two thirds", "five hundredths"."""
    word = tokens[-1].removesuffix("s")
    count = tokens[:-1]
    if word == "half" and not count:
        return Fraction(1, 2)
    one = count in (["one"], ["a"], ["an"])
    numerator = 1 if one else _cardinal(count)
    if numerator is None or (word == tokens[-1] and not one) or word == "second":
        return None
    parts = _PARTS.get(word)
    if parts is None:
        cardinal = _cardinal_of_ordinal(word)
        parts = _cardinal([cardinal]) if cardinal else None
    return Fraction(numerator, parts) if parts else None


def _mixed(tokens: list[str]) -> Fraction | None:
    """Read "two and a half": the last "and" parts the whole from the part."""
    if "and" not in tokens:
        return None
    place = len(tokens) - 1 - tokens[::-1].index("and")
    whole, part = _cardinal(tokens[:place]), _part(tokens[place + 1 :]) if tokens[place + 1 :] else None
    return None if whole is None or part is None or part >= 1 else whole + part


def _dozens(count: list[str]) -> Fraction | None:
    if count in ([], ["a"]):
        return Fraction(12)
    if count == ["half", "a"]:
        return Fraction(6)
    value = _cardinal(count)
    return None if value is None else Fraction(12 * value)


def _spoken_decimal(tokens: list[str]) -> Fraction | None:
    """Read "three point one four"."""
    place = tokens.index("point")
    whole = _cardinal(tokens[:place]) if place else 0
    digits = [_ONES.get(token, 10) for token in tokens[place + 1 :]]
    if whole is None or not digits or max(digits) > 9:
        return None
    return whole + Fraction(int("".join(map(str, digits))), 10 ** len(digits))


def _digits_and_magnitudes(tokens: list[str]) -> Fraction | None:
    if len(tokens) == 1 or any(token not in _MAGNITUDES for token in tokens[1:]) or len(tokens) > 4:
        return None
    value = Fraction(tokens[0])
    for token in tokens[1:]:
        value *= _MAGNITUDES[token]
    return value


def _chinese(text: str) -> Fraction | None:
    if text.startswith("负"):
        value = _chinese(text[1:]) if len(text) > 1 and text[1] != "负" else None
        return None if value is None else -value
    whole, mixed, part = text.partition("又")
    if mixed:
        first, second = _chinese_integer(whole), _chinese_part(part)
        return None if first is None or second is None else first + second
    return _chinese_part(text) or _chinese_decimal(text)


def _chinese_part(text: str) -> Fraction | None:
    below, mark, above = text.partition("分之")
    denominator, numerator = _chinese_integer(below), _chinese_integer(above)
    return Fraction(numerator, denominator) if mark and denominator and numerator is not None else None


def _chinese_decimal(text: str) -> Fraction | None:
    if match := re.fullmatch(r"(\d{1,18}(?:\.\d{1,18})?)(万亿|万|亿|千|百)", text):
        return Fraction(match[1]) * ({"万亿": 10**12} | _MYRIADS | _CHINESE_UNITS)[match[2]]
    if text == "半":
        return Fraction(1, 2)
    whole_text, point, behind = text.removeprefix("第").partition("点")
    whole = _chinese_integer(whole_text)
    digits = [_CHINESE_DIGITS.get(each) for each in behind]
    if whole is None or (point and (not digits or None in digits)):
        return None
    return Fraction(whole) + (Fraction(int("".join(map(str, digits))), 10 ** len(digits)) if digits else 0)


def _chinese_integer(text: str) -> int | None:
    if len(text) > 1 and all(each in _CHINESE_DIGITS for each in text) and "两" not in text:
        return int("".join(str(_CHINESE_DIGITS[each]) for each in text))
    for sign, scale in _MYRIADS.items():
        high_text, mark, low_text = text.rpartition(sign) if sign == "亿" else text.partition(sign)
        if mark:
            high, low = _chinese_integer(high_text), _chinese_rest(low_text, scale)
            return None if not high or low is None or low >= scale else high * scale + low
    return _chinese_section(text)


def _chinese_rest(text: str, scale: int) -> int | None:
    """Read what follows a unit; a lone digit counts the next lower unit: 一万五 is 15,000."""
    if not text:
        return 0
    return _CHINESE_DIGITS[text] * scale // 10 if text in _CHINESE_DIGITS else _chinese_integer(text)


def _chinese_section(text: str) -> int | None:
    """Read an integer below ten thousand: 一百零五, 十五, 三百五."""
    if text in _CHINESE_DIGITS:
        return _CHINESE_DIGITS[text]
    total, digit, last_unit, after_zero = 0, None, 10**4, False
    for place, each in enumerate(text):
        if each in _CHINESE_UNITS:
            unit = _CHINESE_UNITS[each]
            if unit >= last_unit or digit == 0 or (digit is None and place):
                return None
            total, last_unit, digit, after_zero = total + (1 if digit is None else digit) * unit, unit, None, False
        elif each in _CHINESE_DIGITS and digit is None:
            if _CHINESE_DIGITS[each]:
                digit = _CHINESE_DIGITS[each]
            elif after_zero:
                return None
            else:
                after_zero = True
        else:
            return None
    if digit is None:
        return total if total and not after_zero else None
    return total + (digit if after_zero else digit * last_unit // 10)


def is_number_word(word: str) -> bool:
    """Return whether an English word in lower case is a number, a magnitude, an ordinal or a part: "six", "third"."""
    return word in _ONES or word in _TENS or word in _MAGNITUDES or word in _PARTS or bool(_cardinal_of_ordinal(word))


QUOTES = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "`": "'", "–": "-", "—": "-", "−": "-", "…": "..."})
_SPACED = {"<super>": "^", "<sub>": "_", "<fraction>": " ", "<circle>": " "}
_EDGES = " \t\r\n.,;:?'\"*、。，；：？！"
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_EXCLAMATION = re.compile(r"([^\W\d_]{2})[!.]+$")  # after a number or one letter it is a factorial
_ARTICLE = re.compile(r"(?:the|an|a)\s+(?=\S{2})")


def plain_text(text: str) -> str:
    """Fold a text, so that two ways of writing the same words are equal.

    Letter case, Unicode forms, spaces, quotes, an article in front and punctuation at the ends are dropped; what is
    inside stays, for `3.5` is not `35`. Raised and circled digits stay apart from the digit before them.

    Returns:
        The folded text; empty when nothing was in it.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", "".join(map(_keep_apart, text.translate(QUOTES))))
    folded = _EXCLAMATION.sub(r"\1", " ".join(text.replace("`", "'").casefold().split()).strip(_EDGES))
    if (
        len(folded) > 1
        and _BRACKETS.get(folded[0]) == folded[-1]
        and not any(each in "()[]{}" for each in folded[1:-1])
    ):
        folded = folded[1:-1].strip(_EDGES)
    return _ARTICLE.sub("", folded, count=1) if _ARTICLE.match(folded) else folded


def _keep_apart(character: str) -> str:
    form = unicodedata.decomposition(character)
    return _SPACED.get(form.partition(" ")[0], "") + character if form.startswith("<") else character
