from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mars.sources.bench import TEXT, score, seconds_for_a_megabyte

TABLE = [
    ("", {}, 0.0, "silence repeats nothing"),
    ("a b c", {}, 0.0, "shorter than one n-gram"),
    ("a b c d e f", {}, 0.0, "all different"),
    ("a a a a", {"ngram": 1}, -0.75, "one of four is new"),
    ("a b a b", {"ngram": 2}, -1 / 3, "ab ba ab"),
    ("A a", {"ngram": 1}, -0.5, "case does not hide it"),
    ("a\n\na", {"ngram": 1}, -0.5, "nor does white space"),
    ("abab", {"ngram": 2, "unit": "chars"}, -1 / 3, "characters"),
    ("重复重复", {"ngram": 2, "unit": "chars"}, -1 / 3, "of a language without spaces"),
]


@pytest.mark.parametrize(("completion", "settings", "value", "why"), TABLE, ids=[row[-1] for row in TABLE])
def test_what_repetition_costs(completion: str, settings: dict[str, Any], value: float, why: str) -> None:
    assert score("repetition", completion, **settings).value == pytest.approx(value)


@given(st.text(alphabet="ab ", max_size=60), st.integers(1, 5), st.sampled_from(["words", "chars"]))
def test_the_penalty_is_the_share_of_n_grams_that_were_said_before(text: str, ngram: int, unit: str) -> None:
    tokens: Any = text.split() if unit == "words" else text
    grams = [tuple(tokens[i : i + ngram]) for i in range(len(tokens) - ngram + 1)]
    before = sum(gram in grams[:place] for place, gram in enumerate(grams))
    expected = -before / len(grams) if grams else 0.0
    assert score("repetition", text, ngram=ngram, unit=unit).value == pytest.approx(expected)


@pytest.mark.parametrize("piece", TEXT)
def test_a_megabyte_takes_no_more_than_a_megabytes_time(piece: str) -> None:
    assert seconds_for_a_megabyte("repetition", piece, unit="chars") < 20
