"""The tables behind `units`: units of measurement with their names and sizes, and the words by what they can count."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

Factors = tuple[tuple[str, int], ...]


def _words(text: str) -> list[str]:
    return text.split()


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
READINGS = {
    "pound": ("lb", "£", "lbf"),
    "ton": ("t", "short ton"),
    "oz": ("oz", "fl oz"),
    "degree": ("degree", "°C", "°F"),
    "cent": ("cent", "euro cent"),
    "¥": ("yuan", "yen"),
}
"""Words that mean more than one unit: each reading counts when units are compared."""
BEFORE = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
AFTER = {"squared": 2, "cubed": 3}
CHINESE_POWERS = {"平方": 2, "立方": 3}
TRAILING = frozenset(_words("old long wide tall high deep thick away apart each total altogether left remaining only"))
"""What may follow a unit and says nothing about it."""
UPRIGHT_LETTERS = frozenset("mgshLlNJWVAK")
"""Letters that are units where they are set upright."""

UNITS: dict[str, Unit] = {}
"""Units by their symbol."""
NAMES = {word: word for word in READINGS} | dict(re.findall(r"(\S+)=(\S+)", _ALIASES))
"""Symbols by every name of a unit in lower case."""


def factors_of(unit: str) -> Factors:
    """Take a canonical text apart: `kg*m/s^2`."""
    found: list[tuple[str, int]] = []
    for place, part in enumerate(unit.split("/")):
        for factor in part.split("*"):
            symbol, _, exponent = factor.partition("^")
            power = int(exponent) if exponent.isdecimal() and len(exponent) < 3 else 1
            if symbol != "1":
                found.append((symbol, -power if place else power))
    return tuple(found)


def compose(factors: Factors) -> Unit:
    """Multiply units; a symbol that is not in the table is a dimension of its own."""
    if len(factors) == 1 and factors[0][1] == 1 and factors[0][0] in UNITS:
        return UNITS[factors[0][0]]
    dimension: Counter[str] = Counter()
    scale = Fraction(1)
    for symbol, exponent in factors:
        unit = UNITS.get(symbol) or Unit(((symbol, 1),))
        scale *= unit.scale**exponent
        for base, power in unit.dimension:
            dimension[base] += power * exponent
    return Unit(tuple(sorted((base, power) for base, power in dimension.items() if power)), scale)


def _define(symbol: str, definition: str, names: list[str]) -> None:
    amount, _, of = definition.partition(" ")
    unit = compose(factors_of(of)) if definition else Unit(((symbol, 1),))
    UNITS[symbol] = Unit(unit.dimension, unit.scale * Fraction(amount or 1))
    NAMES.update((name, symbol) for name in names)


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
        UNITS[symbol] = Unit((("K", 1),), Fraction(scale), Fraction(offset) * Fraction(scale))
    folded = Counter(symbol.casefold() for symbol in UNITS)
    for symbol in UNITS:
        if len(symbol) > 1 and folded[symbol.casefold()] == 1:
            NAMES.setdefault(symbol.casefold(), symbol)


_fill_tables()


IRREGULAR_PLURALS = dict(
    pair.split("=")
    for pair in _words(
        "people=person men=man women=woman children=child feet=foot teeth=tooth geese=goose mice=mouse dice=die "
        "vertices=vertex indices=index matrices=matrix wolves=wolf knives=knife leaves=leaf loaves=loaf "
        "shelves=shelf calves=calf centuries=century movies=movie cookies=cookie pies=pie ties=tie series=series"
    )
)
_GRAMMAR = (
    "and or not is are was were if then than when where that which who so because therefore thus hence but to for from "
    "by with as at of in on into out be been has have had do does did will would can could should may might must let "
    "since either both neither nor such the a an i we you he she they it its his her their our your this these those "
    "them there here what how why yes no none true false"
)
_ARITHMETIC = (
    "squared cubed powered plus minus multiplied divided over mod modulo factorial reciprocal inverse remainder base "
    "rounded truncated repeated exclusive inclusive pi sin cos tan sec csc cot log ln exp sqrt lim max min gcd lcm "
    "infty frac"
)
_COMPARISON = (
    "more less fewer most least greater greatest larger largest bigger biggest smaller smallest higher highest lower "
    "lowest longer shorter taller older younger faster slower heavier lighter wider deeper thicker thinner farther "
    "further nearer closer better worse earlier later sooner below above under beneath underneath beyond within "
    "outside between before after until till ago off up down upward upwards downward downwards ahead behind"
)
_NEGATION = "without except excluding lacking against never nothing instead rather"
_JUDGEMENT = "wrongly maybe perhaps impossible undefined undetermined indeterminate unsure uncertain"
_APPROXIMATION = "about around approx circa ca ish near nearly almost roughly somewhat something"
_CLOCK = "am pm o'clock noon midnight ad bc bce ce"
_AMOUNTS = "grand gross lakh crore mil bn mn mln quadrillion quintillion half halve halves fold folds lakhs crores"
UNCOUNTED = frozenset(
    _words(f"{_GRAMMAR} {_ARITHMETIC} {_COMPARISON} {_NEGATION} {_JUDGEMENT} {_APPROXIMATION} {_CLOCK} {_AMOUNTS}")
)
"""Words that no unit has: with them the text says something else of its number, or of another number."""
LEADING_AMOUNTS = frozenset(_words("pair pairs couple couples"))
"""Nouns that multiply what they count, unless an adjective is before them: `ordered pairs`."""
UNHEADED = frozenset(
    _words(
        "square cube root power score prime double triple twice thrice negative positive opposite even odd real "
        "complex imaginary rational irrational finite infinite consecutive repeating recurring terminating "
        "increasing decreasing wrong incorrect correct right false invalid valid unknown exact approximate "
        "estimate estimated guess error likely unlikely probable possible maximum minimum short missing extra "
        "additional plural all any some every other others same equal unequal different zero decrease loss drop "
        "decline reduction fall deficit discount"
    )
)
"""Words that describe and do not name what is counted: none is the last word of a unit as it stands."""
ADVERBS_NOT = frozenset(_words("family fly butterfly dragonfly ally lily jelly belly bully assembly anomaly supply"))
"""Nouns that end as adverbs do."""

COUNTERS = frozenset(
    "个個本人只隻条條张張名位件块塊辆輛棵朵页頁次天岁元把支枝根颗粒枚台架艘头匹群组班级层间座栋幢所家户口袋包盒箱瓶杯碗盘罐桶筐篮车"
    "节排行列队种类样项题道句字词首篇册部幅面段片串束株场局轮回遍趟步圈门份笔種題批期届分钱格顶封"
)
"""Chinese measure words and nouns that stand behind a number by themselves."""
NOT_COUNTED = frozenset("以上下左右多少余餘约約倍折半不非无未错几近之方幂平十百千万亿第")
"""Characters that say how much or where, and not what is counted."""
NOT_ALONE = frozenset("零〇一二两三四五六七八九前后内外来")
"""Characters of which alone no counted thing consists: a number, or a place in time or space."""
