from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mars.thinking import Split, ThinkTags, dropped_tags, prefilled_thinking, split_thinking

SPLITS = [
    ("4", Split("", "4", True), "no thinking"),
    ("<think>a</think>4", Split("a", "4", True), "thinking, then the answer"),
    ("a</think>4", Split("a", "4", True), "the template wrote the opening tag"),
    ("<think>a", Split("a", "", False), "cut off in its thinking"),
    ("x<think>a", Split("a", "", False), "cut off in its thinking, behind other text"),
    ("x<think>a</think>4", Split("a", "4", True), "text before the thinking belongs to neither"),
    ("<think>a</think>b</think>4", Split("a</think>b", "4", True), "the answer starts behind the last closing tag"),
    ("<think>a<think>b</think>4", Split("a<think>b", "4", True), "a second opening tag is a thought"),
    ("<think>a</think>4<think>b", Split("a</think>4<think>b", "", False), "opened again and cut off"),
    ("<think></think>4", Split("", "4", True), "an empty thought"),
    ("</think>", Split("", "", True), "finished, and nothing said"),
    ("<think>", Split("", "", False), "begun, and nothing said"),
    ("", Split("", "", True), "nothing at all"),
]


@pytest.mark.parametrize(("completion", "expected", "why"), SPLITS, ids=[why for *_, why in SPLITS])
def test_what_is_thinking_and_what_is_the_answer(completion: str, expected: Split, why: str) -> None:
    assert split_thinking(completion) == expected


tagged = st.lists(st.sampled_from(["<think>", "</think>", "a", " ", "<", ">", "think"])).map("".join)


@given(tagged | st.text())
def test_every_text_can_be_split_and_nothing_is_invented(text: str) -> None:
    split = split_thinking(text)
    assert text.endswith(split.answer)
    assert split.thinking in text
    assert split.finished or not split.answer
    assert len(split.thinking) + len(split.answer) <= len(text)
    # What may be graded holds no tag: neither a thought nor a second attempt hides in it.
    assert "<think>" not in split.answer
    assert "</think>" not in split.answer


@given(st.text(alphabet="ab []"), st.text(alphabet="ab []"))
def test_other_tags_work_alike(thought: str, answer: str) -> None:
    assert split_thinking(f"[T]{thought}[/T]{answer}", "[T]", "[/T]") == Split(thought, answer, True)


@pytest.mark.parametrize("piece", ["<think>", "</think>", "<think></think>", "<", "a"])
def test_a_megabyte_takes_no_more_than_a_megabytes_time(piece: str) -> None:
    start = time.process_time()
    split_thinking(piece * (2**20 // len(piece)))
    assert time.process_time() - start < 10  # quadratic work would take hours


@pytest.mark.parametrize("tags", [{"open_tag": ""}, {"close_tag": ""}])
def test_a_tag_has_a_name(tags: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="at least 1 character"):
        ThinkTags(**tags)


class Tokenizer:
    """The part of a tokenizer's interface that is asked for its template and for what decoding keeps."""

    def __init__(self, generation_prompt: str, special: str = "", chat_template: str | None = "x") -> None:
        self.chat_template = chat_template
        self._prompt = generation_prompt
        self._special = special

    def apply_chat_template(self, messages: list, tokenize: bool, add_generation_prompt: bool) -> str:
        return f"user: {messages[0]['content']}{self._prompt}"

    def __call__(self, text: str, add_special_tokens: bool) -> dict[str, str]:
        return {"input_ids": text}

    def decode(self, ids: str, skip_special_tokens: bool) -> str:
        return ids.replace(self._special, "") if self._special else ids


@pytest.mark.parametrize(
    ("prompt", "expected", "why"),
    [
        ("\nassistant: ", "", "the model writes the tag itself"),
        ("\nassistant: <think>", "<think>", "the template wrote it"),
        ("\nassistant: <think>\n", "<think>\n", "with a line break"),
        ("\nassistant: <think>\n\n</think>\n\n", "<think>\n\n</think>\n\n", "a template that forbids thinking"),
        (" e.g. <think>7</think> 4\nassistant: ", "", "an example in the prompt is no beginning"),
    ],
)
def test_what_the_template_writes_of_the_thinking(prompt: str, expected: str, why: str) -> None:
    assert prefilled_thinking(Tokenizer(prompt)) == expected


def test_without_a_chat_template_nothing_is_written() -> None:
    assert prefilled_thinking(Tokenizer("<think>", chat_template=None)) == ""


def test_tags_that_decoding_drops_are_found() -> None:
    assert dropped_tags(Tokenizer("", special="<think>"), ["<think>", "</think>"]) == ["<think>"]
    assert dropped_tags(Tokenizer(""), ["<think>", "</think>"]) == []
