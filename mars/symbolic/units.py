"""Units of measurement as people write them after a number, and exact conversion between them.

A unit has a canonical text: `cm^2`, `km/h`, `$`. What no table knows is a *word unit*: `goats` is `goat`, a dimension
of its own, so that `60 words per minute` still is one word per second.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product

from mars.symbolic.words import is_noun_phrase, singular, split_magnitude

LONGEST = 80
"""Characters of a phrase; what is longer is no unit."""


MOST_FACTORS = 6
"""Factors of a unit; what has more is none."""

Factors = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """What a unit measures, and how much of it.

    Attributes:
        dimension: The exponent of each base unit, sorted by its name: `(("m", 1), ("s", -1))`.
        scale: How many of the base units it is, exactly.
        offset: Its zero point in base units: 273.15 for `°C`.
    """

    dimension: tuple[tuple[str, int], ...]
    scale: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)


_PREFIXES = {
    "T": ("tera", Fraction(10**12)),
    "G": ("giga", Fraction(10**9)),
    "M": ("mega", Fraction(10**6)),
    "k": ("kilo", Fraction(1000)),
    "d": ("deci", Fraction(1, 10)),
    "c": ("centi", Fraction(1, 100)),
    "m": ("milli", Fraction(1, 1000)),
    "µ": ("micro", Fraction(1, 10**6)),
    "n": ("nano", Fraction(1, 10**9)),
}
_METRIC = (  # symbol, what it is (an amount of units above it; empty: a base unit), prefixes it takes, names
    ("m", "", "kdcmµn", "meter, metre, 米, 公尺"),
    ("g", "", "kmµ", "gram, gramme, gm, 克"),
    ("s", "", "mµn", "second, sec, 秒, 秒钟"),
    ("A", "", "mµ", "ampere, amp, 安培"),
    ("mol", "", "km", "mole"),
    ("K", "", "", "kelvin, 开尔文"),
    ("bit", "", "kMGT", "比特"),
    ("B", "8 bit", "kMGT", "byte, 字节"),
    ("L", "1/1000 m^3", "kdcmµ", "liter, litre, 升"),
    ("Hz", "1 1/s", "kMGT", "hertz, 赫兹"),
    ("N", "1 kg*m/s^2", "km", "newton, 牛顿, 牛"),
    ("J", "1 N*m", "kMGmn", "joule, 焦耳, 焦"),
    ("W", "1 J/s", "kMGm", "watt, 瓦特, 瓦"),
    ("V", "1 W/A", "kmµ", "volt, 伏特, 伏"),
    ("C", "1 A*s", "mµn", "coulomb, 库仑"),
    ("Ω", "1 V/A", "kM", "ohm, 欧姆, 欧"),
    ("Pa", "1 N/m^2", "kMG", "pascal, 帕斯卡, 帕"),
    ("cal", "4.184 J", "k", "calorie, 卡路里"),
)
_OTHERS = (  # symbol, what it is, names
    ("in", "0.0254 m", "inch, 英寸"),
    ("ft", "12 in", "foot, 英尺"),
    ("yd", "3 ft", "yard, 码"),
    ("mi", "5280 ft", "mile, 英里"),
    ("nmi", "1852 m", "nautical mile, 海里"),
    ("ly", "9460730472580800 m", "light year, 光年"),
    ("Å", "1/10000000000 m", "angstrom, ångström"),
    ("acre", "4840 yd^2", "英亩"),
    ("ha", "10000 m^2", "hectare, 公顷"),
    ("t", "1000 kg", "tonne, metric ton, 吨, 公吨"),
    ("lb", "0.45359237 kg", "pound mass"),
    ("lbf", "4.4482216152605 N", "pound force"),
    ("psi", "1 lbf/in^2", ""),
    ("oz", "1/16 lb", "ounce, 盎司"),
    ("short ton", "2000 lb", ""),
    ("斤", "0.5 kg", "市斤"),
    ("gal", "231 in^3", "gallon, 加仑"),
    ("qt", "1/4 gal", "quart"),
    ("pt", "1/8 gal", "pint"),
    ("cup", "1/16 gal", ""),
    ("fl oz", "1/128 gal", "fluid ounce"),
    ("tbsp", "1/2 fl oz", "tablespoon"),
    ("tsp", "1/6 fl oz", "teaspoon"),
    ("min", "60 s", "minute, 分钟"),
    ("h", "60 min", "hour, hr, 小时, 个小时, 时"),
    ("day", "24 h", "天, 日"),
    ("week", "7 day", "wk, 周, 星期, 个星期"),
    ("fortnight", "14 day", ""),
    ("month", "", "个月, 月"),
    ("year", "12 month", "yr, year old, 年, 岁"),
    ("decade", "10 year", ""),
    ("century", "100 year", "世纪, 个世纪"),
    ("degree", "", "°, deg, 度"),
    ("arcmin", "1/60 degree", "arcminute, arc minute, minute of arc"),
    ("arcsec", "1/60 arcmin", "arcsecond, arc second, second of arc"),
    ("rev", "360 degree", "revolution"),
    ("rad", "", "radian, 弧度"),
    ("knot", "1 nmi/h", "kn, 节"),
    ("KiB", "1024 B", "kibibyte"),
    ("MiB", "1024 KiB", "mebibyte"),
    ("GiB", "1024 MiB", "gibibyte"),
    ("%", "", "percent, per cent, pct, ％"),
    ("‰", "1/10 %", "per mille, per mil"),
    ("percentage point", "", "个百分点"),
    ("$", "", "dollar, usd, us dollar, us$, buck, 美元"),
    ("cent", "1/100 $", "¢, 美分"),
    ("€", "", "euro, eur, 欧元"),
    ("euro cent", "1/100 €", ""),
    ("£", "", "gbp, pound sterling, 英镑"),
    ("pence", "1/100 £", "penny sterling, 便士"),
    ("yuan", "", "rmb, cny, 元, 人民币"),
    ("角", "1/10 yuan", "jiao"),
    ("yen", "", "jpy, 日元"),
    ("₹", "", "rupee, inr, rs"),
    ("₽", "", "ruble, rouble, rub"),
    ("₩", "", "won, krw"),
    ("units", "", "unit, 单位, 个单位"),
)
_TEMPERATURES = {
    "°C": ("1", "273.15", "degree celsius, celsius, degree centigrade, degree c, deg c, 摄氏度, 度c"),
    "°F": ("5/9", "459.67", "degree fahrenheit, fahrenheit, degree f, deg f, 华氏度"),
}
_ALIASES: str = (
    "mph=mi/h kph=km/h kmh=km/h kmph=km/h mps=m/s fps=ft/s rpm=rev/min mpg=mi/gal cc=cm^3 kwh=kW*h "
    "千米=km 公里=km 分米=dm 厘米=cm 毫米=mm 微米=µm 纳米=nm 千克=kg 公斤=kg 毫克=mg 毫升=mL 毫秒=ms 千瓦=kW 千焦=kJ "
    "千帕=kPa 千卡=kcal"
)
_READINGS = {
    "pound": ("lb", "£", "lbf"),
    "ton": ("t", "short ton"),
    "oz": ("oz", "fl oz"),
    "degree": ("degree", "°C", "°F"),
    "cent": ("cent", "euro cent"),
    "¥": ("yuan", "yen"),
}
"""Words that mean more than one unit: each reading counts when units are compared."""
_BEFORE = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_AFTER = {"squared": 2, "cubed": 3}
_CHINESE_POWERS = {"平方": 2, "立方": 3}
_TRAILING = "old long wide tall high deep thick away apart each total altogether left remaining only"
"""What may follow a unit and says nothing about it."""
_TRAILING_WORDS = frozenset(_TRAILING.split())
_UPRIGHT_LETTERS = frozenset("mgshLlNJWVAK")

_UNITS: dict[str, Unit] = {}
_NAMES = {word: word for word in _READINGS} | dict(re.findall(r"(\S+)=(\S+)", _ALIASES))


def _factors(unit: str) -> Factors:
    """Take a canonical text apart: `kg*m/s^2`."""
    found: list[tuple[str, int]] = []
    for place, part in enumerate(unit.split("/")):
        for factor in part.split("*"):
            symbol, _, exponent = factor.partition("^")
            power = int(exponent) if exponent.isdecimal() and len(exponent) < 3 else 1
            if symbol != "1":
                found.append((symbol, -power if place else power))
    return tuple(found)


def _compose(factors: Factors) -> Unit:
    """Multiply units; a symbol that is not in the table is a dimension of its own."""
    if len(factors) == 1 and factors[0][1] == 1 and factors[0][0] in _UNITS:
        return _UNITS[factors[0][0]]
    dimension: Counter[str] = Counter()
    scale = Fraction(1)
    for symbol, exponent in factors:
        unit = _UNITS.get(symbol) or Unit(((symbol, 1),))
        scale *= unit.scale**exponent
        for base, power in unit.dimension:
            dimension[base] += power * exponent
    return Unit(tuple(sorted((base, power) for base, power in dimension.items() if power)), scale)


def _define(symbol: str, definition: str, names: list[str]) -> None:
    amount, _, of = definition.partition(" ")
    unit = _compose(_factors(of)) if definition else Unit(((symbol, 1),))
    _UNITS[symbol] = Unit(unit.dimension, unit.scale * Fraction(amount or 1))
    _NAMES.update((name, symbol) for name in names)


def _fill_tables() -> None:
    for symbol, definition, prefixes, names in _METRIC:
        _define(symbol, definition, names.split(", "))
        words = [name for name in names.split(", ") if name.isascii() and len(name) > 2]
        for prefix in prefixes:
            word, scale = _PREFIXES[prefix]
            _define(prefix + symbol, f"{scale} {symbol}", [word + name for name in words])
    for symbol, definition, names in _OTHERS:
        _define(symbol, definition, names.split(", ") if names else [])
    for symbol, (scale, offset, names) in _TEMPERATURES.items():
        _define(symbol, f"{scale} K", names.split(", "))
        _UNITS[symbol] = Unit((("K", 1),), Fraction(scale), Fraction(offset) * Fraction(scale))
    folded = Counter(symbol.casefold() for symbol in _UNITS)
    for symbol in _UNITS:
        if len(symbol) > 1 and folded[symbol.casefold()] == 1:
            _NAMES.setdefault(symbol.casefold(), symbol)


_fill_tables()


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
    return all(symbol in _UNITS or symbol in _READINGS for symbol, _ in _factors(unit))


def lookup(unit: str) -> Unit | None:
    """Return what a unit measures; `None` for word units and where only some reading of a word would tell (`pound`).

    Args:
        unit: A canonical text, or any phrase that `find_unit` knows.
    """
    canonical = unit if is_known(unit) else find_unit(unit, upright=True)
    if canonical is None or not all(symbol in _UNITS for symbol, _ in _factors(canonical)):
        return None
    return _compose(_factors(canonical))


def same_dimension(a: str, b: str) -> bool:
    """Return whether two canonical units measure the same kind of thing in one of their readings."""
    return _pair(a, b) is not None


def ratio(a: str, b: str) -> Fraction | None:
    """Return how many `b` one `a` is: 1000 for `km` and `m`.

    Returns:
        The exact ratio; `None` where the dimensions or the zero points differ (see `convert`).
    """
    pair = _pair(a, b)
    return None if pair is None or pair[0].offset != pair[1].offset else pair[0].scale / pair[1].scale


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
    factors = _factors(unit)[:MOST_FACTORS]
    choices = [[(reading, power) for reading in _READINGS.get(symbol, (symbol,))] for symbol, power in factors]
    return [_compose(choice) for choice in product(*choices)]


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
    while len(words) > 1 and words[-1].casefold() in _TRAILING_WORDS:
        words.pop()
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
    if after and first.casefold() in _BEFORE:
        name, power = after, _BEFORE[first.casefold()]
    elif before and last.casefold() in _AFTER:
        name, power = before, _AFTER[last.casefold()]
    elif piece[:2] in _CHINESE_POWERS:
        name, power = piece[2:], _CHINESE_POWERS[piece[:2]]
    elif match := _POWER.fullmatch(piece):
        name, power = match[1], int(match[2] or match[3])
    else:
        name, power = piece, 1
    unit = _named(name, upright)
    return tuple((symbol, exponent * power) for symbol, exponent in _factors(unit)) if unit else None


def _named(name: str, upright: bool) -> str | None:
    if len(name) == 1 and name.isascii() and name.isalpha():
        return name if upright and name in _UPRIGHT_LETTERS else None
    if name in _UNITS:
        return name
    folded = name.casefold().replace("-", " ")
    plural = folded.endswith("s") and len(folded) > 2
    return (
        _NAMES.get(folded)
        or _NAMES.get(" ".join(map(singular, folded.split())))
        or (_NAMES.get(folded[:-1]) if plural else None)
    )


def _word(piece: str, upright: bool) -> Factors | None:
    shortest = (2 if upright else 3) if piece.isascii() else 1
    if len(piece) < shortest or not is_noun_phrase(piece):
        return None
    return ((" ".join(map(singular, piece.casefold().split())), 1),)


def _all_known(factors: Factors) -> bool:
    return all(symbol in _UNITS or symbol in _READINGS for symbol, _ in factors)


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
