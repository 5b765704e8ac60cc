"""The embedded tokenizer: no text is lost, and the marks of a thought stay visible to rewards."""

import string
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from trainers.tiny.task import fast_answer, problems, slow_answer
from trainers.tiny.tokenizer import build_tokenizer

MADE = build_tokenizer()
QUESTION = [{"role": "user", "content": "7cabd="}]
OPENED = "<|im_start|>user\n7cabd=<|im_end|><|im_start|>assistant\n"

texts = st.lists(
    st.one_of(
        st.text(string.printable),
        st.sampled_from(["<think>", "</think>", "user", "assistant", "system", "<|im_start|>", "<|im_end|>"]),
    )
).map("".join)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tokenizer")
    MADE.save_pretrained(directory)
    return AutoTokenizer.from_pretrained(directory)


def tokens_of(messages, **options):
    chat: Any = MADE.apply_chat_template(messages, **options)
    return MADE.convert_ids_to_tokens(chat["input_ids"])


def ids(tokenizer, text):
    return tokenizer(text)["input_ids"]


@given(texts)
@example("What is 2 + 2 ?  It 's four .")  # clean-up of spaces would glue these
@example("<thin<think>k>usersystem </think >")
@example("\r\n\t\x0b\x0c")
def test_ascii_text_survives_and_so_do_the_marks(text):
    assert MADE.decode(ids(MADE, text)) == text


@given(st.text())
def test_any_other_character_becomes_unknown_and_disturbs_no_other(text):
    expected = "".join(char if char in string.printable else "<unk>" for char in text)
    assert MADE.decode(ids(MADE, text)) == expected


@given(texts)
def test_saved_and_loaded_it_reads_and_writes_the_same(loaded, text):
    assert ids(loaded, text) == ids(MADE, text)
    assert loaded.decode(ids(loaded, text)) == text


def test_saved_and_loaded_it_has_the_same_habits(loaded):
    for habit in (
        "chat_template",
        "padding_side",
        "pad_token_id",
        "eos_token_id",
        "unk_token_id",
        "all_special_tokens",
    ):
        assert getattr(loaded, habit) == getattr(MADE, habit), habit
    assert MADE.padding_side == "left", "a prompt padded on the right makes the model continue the padding"


@pytest.mark.parametrize("tokenizer", ["made", "loaded"])
@pytest.mark.parametrize("answer", [fast_answer("7cabd="), slow_answer("7cabd=")])
def test_a_reward_sees_the_thought_where_trainers_drop_special_tokens(tokenizer, answer, loaded):
    reader = {"made": MADE, "loaded": loaded}[tokenizer]
    written = ids(reader, f"{answer}<|im_end|><pad><pad>")
    assert reader.decode(written, skip_special_tokens=True) == answer


@pytest.mark.parametrize("mark", ["<think>", "</think>", "<|im_start|>", "<|im_end|>", "<pad>", "user", "4", "\n"])
def test_a_mark_is_one_token(mark):
    assert len(ids(MADE, mark)) == 1
    assert len(ids(MADE, f"a{mark}b")) == 3


def test_an_answer_is_one_token_a_character():
    assert MADE.convert_ids_to_tokens(ids(MADE, "<think>25</think>5")) == ["<think>", "2", "5", "</think>", "5"]


@pytest.mark.parametrize(
    ("messages", "options", "rendered", "why"),
    [
        (QUESTION, {"add_generation_prompt": True}, OPENED, "unset: the model chooses"),
        (QUESTION, {"add_generation_prompt": True, "enable_thinking": None}, OPENED, "none: the model chooses"),
        (QUESTION, {"add_generation_prompt": True, "enable_thinking": True}, OPENED + "<think>", "it has to think"),
        (
            QUESTION,
            {"add_generation_prompt": True, "enable_thinking": False},
            OPENED + "<think></think>",
            "it has thought already",
        ),
        (
            QUESTION,
            {"enable_thinking": True},
            "<|im_start|>user\n7cabd=<|im_end|>",
            "nothing is opened, nothing filled",
        ),
        (
            [{"role": "system", "content": "Think."}, *QUESTION, {"role": "assistant", "content": "<think></think>4"}],
            {},
            "<|im_start|>system\nThink.<|im_end|><|im_start|>user\n7cabd=<|im_end|>"
            "<|im_start|>assistant\n<think></think>4<|im_end|>",
            "a whole chat",
        ),
    ],
)
def test_the_chat_template(messages, options, rendered, why, loaded):
    for tokenizer in (MADE, loaded):
        assert tokenizer.apply_chat_template(messages, tokenize=False, **options) == rendered, why


def test_a_chat_begins_with_the_tokens_of_its_prompt():
    # What trainers take for granted when they mask the prompt out of the loss.
    for row in problems("test", 20):
        prompt = [{"role": "user", "content": row["prompt"]}]
        answer = {"role": "assistant", "content": slow_answer(row["prompt"])}
        opened = tokens_of(prompt, add_generation_prompt=True)
        whole = tokens_of([*prompt, answer])
        assert whole[: len(opened)] == opened
        assert "<unk>" not in whole
