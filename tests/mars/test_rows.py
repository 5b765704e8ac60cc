from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars import DataError
from mars.rows import ROLES, Columns, text_of
from mars.types import Sample


def test_roles_are_read_from_their_columns_and_the_rest_is_kept_by_name() -> None:
    row = {"response": "c", "question": "p", "gold": 3, "kind": "math", "id": 7, "level": 2, "note": None}
    columns = Columns(completion="response", prompt="question", reference="gold", task="kind", group="id")
    assert columns.to_sample(row) == Sample("c", "p", 3, "math", "7", {"level": 2})


def test_a_role_left_at_its_default_may_be_absent() -> None:
    assert Columns().to_sample({"completion": "c"}) == Sample("c")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_the_recipe_names_must_be_there(role: str) -> None:
    row = {name: "x" for name in ROLES if name != role}
    with pytest.raises(DataError, match=rf"no column 'gold' to be the {role} \(columns: {{{role}: ...}}\); it has"):
        Columns(**{role: "gold"}).to_sample(row)


@pytest.mark.parametrize("row", [{}, {"completion": None}, {"text": "c"}])
def test_a_row_without_a_completion_is_no_sample(row: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="no column 'completion' to be the completion"):
        Columns().to_sample(row)


@pytest.mark.parametrize(
    ("row", "expected", "why"),
    [
        ({"completion": ""}, Sample(""), "silence is an answer"),
        ({"completion": "c", "reference": None}, Sample("c"), "null counts as absent"),
        ({"completion": "c", "reference": 0}, Sample("c", reference=0), "zero does not"),
        ({"completion": "c", "reference": ["a", "b"]}, Sample("c", reference=["a", "b"]), "any data is a reference"),
        ({"completion": "c", "task": None, "group": None}, Sample("c"), "null counts as absent"),
        ({"completion": "c", "group": 3}, Sample("c", group="3"), "a name is text"),
    ],
)
def test_what_a_row_means(row: dict[str, Any], expected: Sample, why: str) -> None:
    assert Columns().to_sample(row) == expected


def test_what_the_template_wrote_is_put_back() -> None:
    assert Columns().to_sample({"completion": "7</think>2"}, prefix="<think>").completion == "<think>7</think>2"


def _message(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


@pytest.mark.parametrize(
    ("value", "completion", "expected", "why"),
    [
        ("text", False, "text", "text is itself"),
        ([_message("user", "2+2?")], False, "2+2?", "one message is its content"),
        (
            [_message("system", "be brief"), _message("user", "2+2?")],
            False,
            "system: be brief\n\nuser: 2+2?",
            "a conversation names who speaks",
        ),
        (
            [_message("assistant", "call"), _message("tool", "4"), _message("assistant", "it is 4")],
            True,
            "call\nit is 4",
            "of a completion only the model's own words count, never what a tool said",
        ),
        ([{"content": "4"}], True, "4", "without a role it is the model's"),
        (
            [_message("assistant", [{"type": "text", "text": "a"}, {"type": "image"}, {"text": None}, {"text": "b"}])],
            True,
            "ab",
            "of parts only the text counts",
        ),
        ([_message("assistant", None)], True, "", "a message may be empty"),
        ([], True, "", "and so may a conversation"),
    ],
)
def test_the_text_of_chat_messages(value: Any, completion: bool, expected: str, why: str) -> None:
    assert text_of(value, "column", completion=completion) == expected


@pytest.mark.parametrize("value", [3, 1.5, True, {"role": "user"}, ["text"], [["a"]], b"bytes"])
def test_what_is_neither_text_nor_messages_names_its_column(value: Any) -> None:
    with pytest.raises(DataError, match="column 'response' must be text or chat messages"):
        text_of(value, "response")


json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "content", "x"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*ROLES, "x"]), json_data))
def test_any_row_is_a_sample_or_a_data_error(row: dict[str, Any]) -> None:
    try:
        sample = Columns().to_sample(row)
    except DataError:
        return
    assert isinstance(sample.completion, str)
    assert isinstance(sample.prompt, str)
    assert set(sample.meta) <= {"x"}
