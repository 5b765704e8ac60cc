from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.types import Status
from tests.mars.sources.bench import BRACES, TEXT, score, seconds_for_a_megabyte

TABLE = [
    ("4", "4", {}, 1, "the same text"),
    ("5", "4", {}, 0, "another text"),
    (" 4\n", "4", {}, 1, "white space at the ends"),
    ("a  b\nc", "a b c", {}, 1, "runs of white space are one space"),
    ("ab", "a b", {}, 0, "but a space is a space"),
    ("4.0", "4", {}, 0, "text is compared, not numbers"),
    ("2 or 3", "2", {}, 0, "nothing can be hedged"),
    ("<think>5</think>4", "4", {}, 1, "what stands behind the thinking"),
    ("<think>4</think>5", "4", {}, 0, "never what stands in it"),
    ("<think>4", "4", {}, 0, "thinking that never ends holds no answer"),
    ("", "4", {}, 0, "silence"),
    ("<think>4</think>", "4", {}, 0, "silence behind the thinking"),
    ("", "", {}, 0, "silence is no answer, even where nothing is asked"),
    ("4", 4, {}, 1, "a reference that is a number, as it is written"),
    ("b", ["a", "b"], {}, 1, "any one of several references"),
    ("c", ["a", "b"], {}, 0, "but one of them"),
    ("a", [], {}, 0, "of no references none"),
    ("YES", "yes", {}, 0, "case counts"),
    ("YES", "yes", {"ignore_case": True}, 1, "unless it is told not to"),
    ("STRASSE", "straße", {"ignore_case": True}, 1, "in any alphabet"),
    ("so \\boxed{4}", "4", {}, 0, "the whole answer is compared"),
    ("so \\boxed{4}", "4", {"boxed": True}, 1, "or its last box"),
    ("\\boxed{5} \\boxed{4}", "4", {"boxed": True}, 1, "the last one"),
    ("4", "4", {"boxed": True}, 0, "without a box there is no answer"),
    ("\\boxed{4", "4", {"boxed": True}, 0, "nor with one that was cut off"),
    ("[T]5[/T]4", "4", {"open_tag": "[T]", "close_tag": "[/T]"}, 1, "tags can be named"),
]


@pytest.mark.parametrize(("completion", "reference", "settings", "value", "why"), TABLE, ids=[row[-1] for row in TABLE])
def test_what_is_exactly_right(
    completion: str, reference: object, settings: dict[str, Any], value: float, why: str
) -> None:
    found = score("exact", completion, reference, **settings)
    assert (found.value, found.status) == (value, Status.OK)
    assert found.reason


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_text_without_tags_is_right_for_itself_and_agreement_is_mutual(one: str, other: str) -> None:
    assert score("exact", one, one).value == float(bool(one.split()))
    assert score("exact", one, other).value == score("exact", other, one).value


@pytest.mark.parametrize("piece", BRACES + TEXT)
def test_a_megabyte_takes_no_more_than_a_megabytes_time(piece: str) -> None:
    assert seconds_for_a_megabyte("exact", piece, boxed=True) < 20
