from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mars.sources.bench import TAGS, score, seconds_for_a_megabyte

LIMITS = {"target": 10, "limit": 20}

TABLE = [
    ("a" * 10, LIMITS, 1.0, "at the target"),
    ("a", LIMITS, 1.0, "below it"),
    ("a" * 15, LIMITS, 0.5, "half way"),
    ("a" * 20, LIMITS, 0.0, "at the limit"),
    ("a" * 30, LIMITS, 0.0, "beyond it"),
    ("", LIMITS, 0.0, "silence earns nothing"),
    ("  \n", LIMITS, 0.0, "nor do spaces"),
    ("<think>a", LIMITS, 0.0, "nor does a thought without an answer"),
    ("<think>a</think>", LIMITS | {"part": "thinking"}, 0.0, "whatever is measured"),
    ("<think>" + "a" * 15 + "</think>4", LIMITS | {"part": "thinking"}, 0.5, "of the thinking"),
    ("<think>" + "a" * 15 + "</think>4", LIMITS | {"part": "answer"}, 1.0, "of the answer"),
    ("<think>" + "a" * 15 + "</think>4", LIMITS, 0.0, "of all, tags included"),
    ("a b c d e f", {"limit": 12, "unit": "words"}, 0.5, "in words"),
    ("4", {"limit": 4096}, 4095 / 4096, "the default target is 0"),
]


@pytest.mark.parametrize(("completion", "settings", "value", "why"), TABLE, ids=[row[-1] for row in TABLE])
def test_what_a_length_is_worth(completion: str, settings: dict[str, Any], value: float, why: str) -> None:
    assert score("length", completion, **settings).value == pytest.approx(value)


@given(st.text(alphabet="ab ", min_size=1), st.text(alphabet="ab ", min_size=1), st.integers(0, 20), st.integers(1, 20))
def test_a_longer_answer_is_never_worth_more(text: str, more: str, target: int, span: int) -> None:
    settings = {"target": target, "limit": target + span}
    short, long = (score("length", completion, **settings).value for completion in (f"x{text}", f"x{text}{more}"))
    assert short is not None
    assert long is not None
    assert 0 <= long <= short <= 1


@pytest.mark.parametrize("piece", TAGS)
def test_a_megabyte_takes_no_more_than_a_megabytes_time(piece: str) -> None:
    assert seconds_for_a_megabyte("length", piece, unit="words") < 20
