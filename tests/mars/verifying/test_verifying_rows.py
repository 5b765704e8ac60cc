"""Rows are read a piece at a time, and every fault names file, line and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.errors import DataError
from mars.verifying.rows import CHUNK_BYTES, CHUNK_ROWS, Fields, Row, chunks, find_fields, read_rows
from tests.mars.verifying.conftest import Write

FIELDS = Fields("gold", "pred")


@pytest.mark.parametrize(
    ("row", "gold", "answer", "why"),
    [
        ({"gold": "1", "pred": "2"}, "gold", "pred", "the names of verifier data"),
        ({"gold": "1", "response": "2"}, "gold", "response", "the names of graded answers"),
        ({"answer": "1", "completion": "2"}, "answer", "completion", "a reference may be called answer"),
        ({"answer": "2", "reference": "1", "pred": "2"}, "reference", "pred", "reference comes before answer"),
    ],
)
def test_usual_names_are_found_in_order(row: dict[str, str], gold: str, answer: str, why: str, write: Write) -> None:
    assert find_fields(write("rows.jsonl", [row])) == Fields(gold, answer), why


def test_a_named_field_is_never_taken_for_the_other(write: Write) -> None:
    file = write("rows.jsonl", [{"question": "?", "answer": "2", "reference": "1"}])
    assert find_fields(file, None, "answer") == Fields("reference", "answer")


def test_a_file_without_usual_names_says_which_it_has(write: Write) -> None:
    file = write("rows.jsonl", [{"truth": "1", "said": "2"}])
    with pytest.raises(DataError, match=r"rows.jsonl:1: .*--gold-field .*'truth', 'said'"):
        find_fields(file)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"pred": "1"}, "f.jsonl:7: the row has no 'gold'; its keys are 'pred'"),
        ({"gold": "1"}, "f.jsonl:7: the row has no 'pred'"),
        ({"gold": None, "pred": "1"}, "f.jsonl:7: 'gold' is null"),
        ({"gold": "1", "pred": {"text": "1"}}, "f.jsonl:7: column 'pred' must be text"),
        ({"gold": "1", "pred": True}, "f.jsonl:7: column 'pred' must be text"),
    ],
)
def test_a_row_that_cannot_be_asked_names_line_and_key(data: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match="^" + message.replace(".", r"\.")):
        FIELDS.sample(Row(Path("f.jsonl"), 7, data, 10))


def test_numbers_and_messages_are_answers_and_other_keys_reach_the_verifier() -> None:
    said = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "42"}]
    found = FIELDS.sample(Row(Path("f"), 1, {"gold": 42, "pred": said, "question": "six times seven?", "k": 1}, 1))
    assert (found.completion, found.reference, found.prompt, found.meta["k"]) == ("42", 42, "six times seven?", 1)
    assert FIELDS.sample(Row(Path("f"), 1, {"gold": 42, "pred": 42.5}, 1)).completion == "42.5"


def test_blank_lines_are_no_rows_and_bad_ones_name_their_line(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"a": 1}\n\n  \n{"a": 2}\n[3]\n')
    rows = read_rows(file)
    assert [next(rows).line, next(rows).line] == [1, 4]
    with pytest.raises(DataError, match=r"rows.jsonl:5: a row is a JSON object, got list"):
        next(rows)


@given(st.lists(st.integers(0, CHUNK_BYTES), max_size=40), st.integers(0, 2 * CHUNK_ROWS))
def test_chunks_lose_nothing_and_are_bounded(sizes: list[int], small: int) -> None:
    rows = [Row(Path("f"), line, {}, size) for line, size in enumerate([*sizes, *[1] * small], start=1)]
    found = list(chunks(iter(rows)))
    assert [row for chunk in found for row in chunk] == rows
    for chunk in found:
        assert 0 < len(chunk) <= CHUNK_ROWS
        assert sum(row.size for row in chunk[:-1]) < CHUNK_BYTES
