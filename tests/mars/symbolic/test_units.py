from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.unit_table import COUNTERS, UNCOUNTED, UNHEADED
from mars.symbolic.units import LONGEST, convert, find_unit, is_known, is_noun_phrase, same_dimension, singular


@pytest.mark.parametrize(
    ("phrase", "unit", "why"),
    [
        ("cm", "cm", "a symbol"),
        ("centimetres", "cm", "a name, plural"),
        ("KM", "km", "careless case where only one unit can be meant"),
        ("cm^2", "cm^2", "a power"),
        ("cm²", "cm^2", "a raised digit"),
        ("cm2", "cm^2", "a lowered digit"),
        ("square centimeters", "cm^2", "square in words"),
        ("sq. ft", "ft^2", "square, short"),
        ("inches^2", "in^2", "a power of a name"),
        ("cubic meters", "m^3", "cubic in words"),
        ("cubic feet of water", "ft^3", "what it is of says nothing"),
        ("meters tall", "m", "nor does how it was held"),
        ("km/h", "km/h", "km vouches for h"),
        ("kilometers per hour", "km/h", "per in words"),
        ("mph", "mi/h", "a short form of a quotient"),
        ("meters per second squared", "m/s^2", "squared behind"),
        (r"\text{m s}^{-1}", "m/s", "a negative power"),
        (r"\frac{\text{m}}{\text{s}}", "m/s", "a fraction"),
        (r"\text{J/(kg}\cdot\text{K)}", "J/kg/K", "brackets below"),
        ("kilowatt-hours", "kW*h", "a product by hyphen"),
        (r"kg \cdot m^2", "kg*m^2", "a product by dot"),
        (r"\mathrm{~cm}^{3}", "cm^3", "LaTeX spaces and braces"),
        (r"\mu m", "µm", "micro by its letter"),
        ("°C", "°C", "a temperature"),
        (r"^{\circ}\text{F}", "°F", "a temperature in LaTeX"),
        ("degrees Celsius", "°C", "a temperature in words"),
        (r"^\circ", "degree", "an angle"),
        ("degrees", "degree", "an angle in words"),
        (r"\%", "%", "percent"),
        ("percent", "%", "percent in words"),
        ("% of the students", "%", "what it is of says nothing"),
        (r"\$", "$", "a currency sign"),
        ("US dollars", "$", "a currency in words"),
        ("$/hour", "$/h", "a rate of pay"),
        ("元", "yuan", "a currency in Chinese"),
        ("RMB", "yuan", "and by its short name"),
        ("平方厘米", "cm^2", "Chinese"),
        ("千米每小时", "km/h", "Chinese per"),
        ("square units", "units", "no unit in particular"),
        ("years old", "year", "an age"),
        ("people", "person", "a word, singular"),
        ("boxes", "box", "a word, singular"),
        ("words per minute", "word/min", "a word in a quotient"),
        ("pounds", "pound", "mass or money: left as it is"),
        ("small boxes", "small box", "an adjective before its noun"),
        ("negative numbers", "negative number", "an adjective that alone would turn the value"),
        ("ordered pairs", "ordered pair", "solutions, and not twice as many"),
        ("students in the class", "student in the class", "and where they are"),
        ("apples in total", "apple", "the sum of them"),
        ("times", "time", "how often"),
        ("times per week", "time/week", "a rate"),
        ("% increase", "%", "the change that a percentage is of"),
        ("% of his money", "%", "whose it is says nothing"),
        ("本书", "本书", "a Chinese measure word and its noun"),
        ("种不同的方法", "种不同的方法", "with an adjective"),
        ("个三角形", "个三角形", "a digit within a noun"),
        ("名学生", "名学生", "people"),
        ("人", "人", "a noun that needs no measure word"),
    ],
)
def test_a_unit_has_one_text_however_it_is_written(phrase: str, unit: str, why: str) -> None:
    assert find_unit(phrase) == unit, why


@pytest.mark.parametrize("letter", ["m", "g", "s", "h", "L", "N", "J", "W", "V", "A", "K"])
def test_a_single_letter_is_a_unit_only_upright(letter: str) -> None:
    assert find_unit(letter) is None
    assert find_unit(letter, upright=True) == letter
    assert find_unit(rf"\text{{{letter}}}") == letter


@pytest.mark.parametrize(
    ("phrase", "why"),
    [
        ("", "nothing"),
        ("x", "a variable"),
        ("x^2", "a power of a variable"),
        ("a/b", "a quotient of variables"),
        ("x+1", "a sum"),
        ("3", "a number"),
        (r"\pi", "a constant"),
        ("π", "a constant"),
        ("pi", "a constant by name"),
        ("miles or so", "words that join"),
        ("is the answer", "a statement"),
        ("million dollars", "a multiplier, which may not be dropped"),
        ("万元", "a multiplier in Chinese"),
        ("thirds", "a fraction"),
        ("hundredths", "a decimal fraction"),
        ("twenty-fifths", "a fraction"),
        ("five hundred", "a number in words"),
        ("m/kg*s", "what is below is not clear"),
        ("m/(kg/s)", "a quotient below a quotient"),
        ("a" * (LONGEST + 1), "too long"),
        ("^" * LONGEST, "dirt"),
        *(
            (phrase, "arithmetic")
            for phrase in ("squared", "cubed", "square", "reciprocal", "mod", "plus", "root", "base")
        ),
        *(
            (phrase, "several times as many")
            for phrase in ("pairs", "halves", "score", "gross", "dozens", "tens", "grand")
        ),
        *((phrase, "a judgement") for phrase in ("wrong", "incorrect", "unknown", "undefined", "false")),
        *((phrase, "another number") for phrase in ("repeating", "recurring", "negative", "imaginary", "odd")),
        *(
            (phrase, "a comparison")
            for phrase in ("more", "less", "fewer", "more apples", "times larger", "years older")
        ),
        *((phrase, "a place or a time") for phrase in ("below", "above", "years ago", "off", "PM", "o'clock", "BC")),
        *((phrase, "an approximation") for phrase in ("ish", "approximately", "or so", "around")),
        *((phrase, "a change that turns the sign") for phrase in ("% off", "% decrease", "loss", "% less")),
        *((phrase, "words that join") for phrase in ("of them", "the", "satisfies the equation", "p m", "times x")),
        *((phrase, "a power or a part") for phrase in ("次方", "分之一", "折", "倍", "个半小时", "个百", "个五")),
        *((phrase, "a bound or an approximation") for phrase in ("以上", "个以下", "多", "人左右", "天前", "厘米以上")),
        ("答案", "no measure word"),
    ],
)
def test_what_is_no_unit(phrase: str, why: str) -> None:
    assert find_unit(phrase, upright=len(phrase) > 1 and phrase[0] == "m") is None, why


@pytest.mark.parametrize(
    ("one", "other", "how_many", "why"),
    [
        ("km", "m", "1000", "a prefix"),
        ("h", "min", "60", "time"),
        ("m^2", "cm^2", "10000", "a power counts twice"),
        ("L", "cm^3", "1000", "a volume is a length cubed"),
        ("mi", "km", "1.609344", "exact by definition"),
        ("km/h", "m/s", "5/18", "a quotient"),
        ("N*m", "J", "1", "a derived unit"),
        ("kg*m/s^2", "N", "1", "a derived unit"),
        ("$", "cent", "100", "money"),
        ("yuan", "角", "10", "money"),
        ("week", "h", "168", "time"),
        ("year", "month", "12", "the calendar"),
        ("word/min", "word/s", "1/60", "words are a dimension of their own"),
        ("pound", "lb", "1", "pounds may be mass"),
        ("pound", "£", "1", "or money"),
        ("pound", "oz", "16", "and then have ounces"),
        ("ton", "kg", "1000", "a metric ton"),
        ("ton", "lb", "2000", "or a short one"),
        ("B", "bit", "8", "information"),
        ("degree", "°C", "1", "degrees may be of temperature"),
        ("degree", "°F", "1", "on either scale"),
        ("rev", "degree", "360", "a full turn"),
    ],
)
def test_sizes_are_exact(one: str, other: str, how_many: str, why: str) -> None:
    assert convert(Fraction(1), one, other) == Fraction(how_many), why
    assert convert(Fraction(how_many), other, one) == 1, why


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("m", "s", "length and time"),
        ("m", "m^2", "length and area"),
        ("$", "€", "no rate of exchange is known"),
        ("year", "day", "years differ"),
        ("month", "day", "months differ"),
        ("degree", "rad", "pi is no ratio"),
        ("goat", "sheep", "words"),
        ("goat", "kg", "a word and a unit"),
        ("units", "cm", "any unit is not this unit"),
        ("%", "units", "a percentage is no number"),
        ("oz", "$", "ounces and money"),
    ],
)
def test_dimensions_do_not_mix(one: str, other: str, why: str) -> None:
    assert not same_dimension(one, other), why
    assert convert(Fraction(1), one, other) is None, why


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        ("100", "°C", "°F", "212"),
        ("-40", "°F", "°C", "-40"),
        ("0", "K", "°C", "-273.15"),
        ("98.6", "°F", "°C", "37"),
        ("20", "degree", "°C", "20"),
        ("5", "km", "m", "5000"),
    ],
)
def test_temperatures_have_their_own_zero(value: str, source: str, target: str, expected: str) -> None:
    assert convert(Fraction(value), source, target) == Fraction(expected)
    assert convert(Fraction(expected), target, source) == Fraction(value)


@pytest.mark.parametrize(
    ("unit", "known"), [("cm^2", True), ("km/h", True), ("pound", True), ("goat", False), ("word/min", False)]
)
def test_known_units_are_told_from_words(unit: str, known: bool) -> None:
    assert is_known(unit) is known


@pytest.mark.parametrize(
    ("plural", "noun"),
    [
        ("apples", "apple"),
        ("boxes", "box"),
        ("cities", "city"),
        ("people", "person"),
        ("class", "class"),
        ("bus", "bus"),
    ],
)
def test_nouns_lose_their_plural(plural: str, noun: str) -> None:
    assert singular(plural) == noun
    assert singular(noun) == noun


@pytest.mark.parametrize(
    ("text", "noun"),
    [
        ("red balls", True),
        ("the total area", True),
        ("full-time employees", True),
        ("butterflies", True),
        ("family", True),
        ("exactly", False),
        ("sin", False),
        ("is odd", False),
        ("x1", False),
        ("one two three four five", False),
        ("very large old red balls", False),
    ],
)
def test_noun_phrases_are_words_that_state_nothing(text: str, noun: bool) -> None:
    assert is_noun_phrase(text) is noun


SIMPLE = st.sampled_from(
    ["m", "cm", "km", "in", "s", "h", "min", "kg", "lb", "N", "J", "L", "$", "cent", "%", "degree"]
)
UNITS = st.builds(lambda above, power, below: f"{above}^{power}/{below}", SIMPLE, st.integers(2, 4), SIMPLE)


@given(UNITS, UNITS)
def test_conversions_invert_and_a_unit_is_itself(one: str, other: str) -> None:
    assert convert(Fraction(1), one, one) == 1
    there = convert(Fraction(1), one, other)
    assert (there is None) is (convert(Fraction(1), other, one) is None)
    assert there is None or convert(there, other, one) == 1


@given(SIMPLE, SIMPLE, SIMPLE)
def test_conversions_chain(a: str, b: str, c: str) -> None:
    there = convert(Fraction(1), a, b)
    if there is not None and same_dimension(b, c):
        assert convert(there, b, c) == convert(Fraction(1), a, c)


@given(st.sampled_from(["apples", "red boxes", "men"]), st.sampled_from(sorted(UNCOUNTED | UNHEADED)))
def test_no_word_of_comparison_or_arithmetic_ends_a_noun_phrase(noun: str, word: str) -> None:
    assert not is_noun_phrase(word)
    assert not is_noun_phrase(f"{noun} {word}")


@given(st.text(alphabet="个本人只天元的同不以上下左右多少倍折分之一百", max_size=12))
def test_chinese_begins_with_its_measure_word(text: str) -> None:
    if is_noun_phrase(text):
        assert text[0] in COUNTERS
        assert not set(text) & set("以上下左右多少倍折百")


@given(st.text(alphabet=r"abcdmghkHLNJWVAKs°%$€/^*·²³ .-()\{}perquaof123元平方米每", max_size=LONGEST), st.booleans())
def test_a_canonical_text_is_its_own_canonical_text(phrase: str, upright: bool) -> None:
    unit = find_unit(phrase, upright=upright)
    if unit is not None and is_known(unit):
        assert find_unit(unit, upright=True) == unit or "C" in unit
        assert convert(Fraction(1), unit, unit) == 1


@given(st.text(max_size=LONGEST + 5), st.booleans())
def test_any_text_is_answered(phrase: str, upright: bool) -> None:
    unit = find_unit(phrase, upright=upright)
    if unit is not None:
        assert unit
        assert convert(Fraction(1), unit, unit) is not None
