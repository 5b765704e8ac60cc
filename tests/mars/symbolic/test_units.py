from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.units import LONGEST, convert, find_unit, is_known, lookup, ratio, same_dimension


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
def test_ratios_are_exact(one: str, other: str, how_many: str, why: str) -> None:
    assert ratio(one, other) == Fraction(how_many), why
    assert ratio(other, one) == 1 / Fraction(how_many), why


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
    assert ratio(one, other) is None, why
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


def test_a_zero_point_is_no_ratio() -> None:
    assert same_dimension("°C", "°F")
    assert ratio("°C", "°F") is None


@pytest.mark.parametrize(
    ("unit", "known"), [("cm^2", True), ("km/h", True), ("pound", True), ("goat", False), ("word/min", False)]
)
def test_known_units_are_told_from_words(unit: str, known: bool) -> None:
    assert is_known(unit) is known


def test_lookup_takes_phrases_and_refuses_what_is_not_one_unit() -> None:
    litre, cube = lookup("L"), lookup("cubic decimeters")
    assert litre == cube
    assert litre is not None
    assert litre.dimension == (("m", 3),)
    assert lookup("pound") is None
    assert lookup("goat") is None
    assert lookup("x + 1") is None


SIMPLE = st.sampled_from(
    ["m", "cm", "km", "in", "s", "h", "min", "kg", "lb", "N", "J", "L", "$", "cent", "%", "degree"]
)
UNITS = st.builds(lambda above, power, below: f"{above}^{power}/{below}", SIMPLE, st.integers(2, 4), SIMPLE)


@given(UNITS, UNITS)
def test_ratios_invert_and_a_unit_is_itself(one: str, other: str) -> None:
    assert ratio(one, one) == 1
    forth, back = ratio(one, other), ratio(other, one)
    assert (forth is None) is (back is None)
    assert forth is None or forth * (back or 0) == 1


@given(SIMPLE, SIMPLE, SIMPLE)
def test_ratios_chain(a: str, b: str, c: str) -> None:
    first, second, whole = ratio(a, b), ratio(b, c), ratio(a, c)
    if first is not None and second is not None:
        assert whole == first * second


@given(st.text(alphabet=r"abcdmghkHLNJWVAKs°%$€/^*·²³ .-()\{}perquaof123元平方米每", max_size=LONGEST), st.booleans())
def test_a_canonical_text_is_its_own_canonical_text(phrase: str, upright: bool) -> None:
    unit = find_unit(phrase, upright=upright)
    if unit is not None and is_known(unit):
        assert find_unit(unit, upright=True) == unit or "C" in unit
        assert ratio(unit, unit) == 1


@given(st.text(max_size=LONGEST + 5), st.booleans())
def test_any_text_is_answered(phrase: str, upright: bool) -> None:
    unit = find_unit(phrase, upright=upright)
    if unit is not None:
        assert unit
        assert ratio(unit, unit) is not None
