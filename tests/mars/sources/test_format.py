from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars import ConfigError, registry
from tests.mars.sources.bench import TAGS, TEXT, score, seconds_for_a_megabyte

R1 = {"template": "<think>{think}</think><answer>{answer}</answer>"}
WORDS = {"template": "Thought: {think} Answer: {answer}"}
ANSWER_FIRST = {"template": "{answer}<why>{think}</why>"}

TABLE = [
    ("<think>a</think>b", {}, 1, ""),
    (" <think>\na\n</think>\n\nb\n", {}, 1, ""),
    ("<think></think>b", {}, 1, ""),
    ("<think></think>b", {"min_thinking": 1}, 0, "fewer than 1 characters of thinking"),
    ("<think>  </think>b", {"min_thinking": 1}, 0, "fewer than 1 characters"),
    ("<think>a</think>", {}, 0, "the answer is empty"),
    ("<think>a", {}, 0, "'</think>' is missing"),
    ("b", {}, 0, "does not begin with '<think>'"),
    ("", {}, 0, "does not begin with"),
    ("a</think>b", {}, 0, "does not begin with"),
    ("x<think>a</think>b", {}, 0, "does not begin with"),
    ("<think>a</think>b</think>c", {}, 0, "'</think>' stands 2 times instead of 1"),
    ("<think>a<think></think>b", {}, 0, "'<think>' stands 2 times instead of 1"),
    ("<think>a</think>b<think>", {}, 0, "'<think>' stands 2 times"),
    ("<think>a</think><answer>b</answer>", R1, 1, ""),
    ("<think>a</think>\n<answer>\nb\n</answer>\n", R1, 1, ""),
    ("<think>a</think>so<answer>b</answer>", R1, 0, "'</think><answer>' is missing"),
    ("<think>a</think><answer>b", R1, 0, "'</answer>' is missing"),
    ("<think>a</think><answer>b</answer>c", R1, 0, "text after the end: 'c'"),
    ("<think>a</think><answer></answer>", R1, 0, "the answer is empty"),
    ("<think><answer>5</answer></think><answer>b</answer>", R1, 0, "'<answer>' stands 2 times"),
    ("Thought: a Answer: b", WORDS, 1, ""),
    ("Thought:a\nAnswer:b", WORDS, 1, ""),
    ("Thought: a Answer: b Answer: c", WORDS, 0, "'Answer:' stands 2 times instead of 1"),
    ("b<why>a</why>", ANSWER_FIRST, 1, ""),
    ("<why>a</why>", ANSWER_FIRST, 0, "the answer is empty"),
]


@pytest.mark.parametrize(("completion", "settings", "value", "reason"), TABLE)
def test_what_has_the_shape(completion: str, settings: dict[str, Any], value: float, reason: str) -> None:
    found = score("format", completion, **settings)
    assert found.value == value, found.reason
    assert reason in found.reason


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("", "{answer} once"),
        ("{think}", "{answer} once"),
        ("{answer}{answer}", "{answer} once"),
        ("{think}a{think}b{answer}", "{think} at most once"),
        (" {answer} ", "accepts everything"),
        ("<t>{think}{answer}", "something must stand between"),
        ("<t>{think} \n{answer}", "something must stand between"),
        ("<t>{answer}\t{think}", "something must stand between"),
    ],
)
def test_a_template_that_means_nothing_is_refused(template: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        registry.get("format").configure({"template": template})
    assert message in str(caught.value)


free = st.text(alphabet="ab \n.*+?()[]\\|^${}")


@given(free, free.filter(str.strip), free.filter(lambda text: not text.strip()))
def test_whatever_is_thought_and_answered_between_the_tags_is_well_formed(thought: str, answer: str, gap: str) -> None:
    completion = f"{gap}<think>{thought}</think>{gap}<answer>{answer}</answer>{gap}"
    assert score("format", completion, **R1).value == 1.0


@given(st.text() | st.lists(st.sampled_from(["<think>", "</think>", "a", " "])).map("".join))
def test_what_is_well_formed_begins_with_one_thought_and_goes_on_with_an_answer(completion: str) -> None:
    if score("format", completion).value == 1.0:
        before, after = completion.split("</think>")
        assert before.strip().startswith("<think>")
        assert before.count("<think>") == 1
        assert after.strip()
        assert "<think>" not in after


@pytest.mark.parametrize("piece", TAGS + TEXT)
def test_a_megabyte_takes_no_more_than_a_megabytes_time(piece: str) -> None:
    assert seconds_for_a_megabyte("format", piece, **R1) < 20
