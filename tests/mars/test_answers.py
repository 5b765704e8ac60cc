from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.answers import graded_text, last_boxed

BOXES = [
    (r"\boxed{42}", "42", "the plain case"),
    (r"\fbox{42}", "42", "the old command"),
    (r"\boxed {42} ", "42", "white space before the brace"),
    (r"first \boxed{1}, then \boxed{2}", "2", "the last one counts"),
    (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}", "braces nest"),
    (r"\boxed{a\boxed{b}c}", r"a\boxed{b}c", "the box that ends last"),
    (r"\boxed{\left\{1,2\right\}}", r"\left\{1,2\right\}", "escaped braces are no braces"),
    (r"\boxed{\{1}", r"\{1", "not even when they do not match"),
    (r"\boxed{}", "", "an empty box is a box"),
    (r"\boxed{1} so \boxed{2", "1", "a box that was cut off is no answer"),
    (r"{ \boxed{1}", "1", "braces around it need not match"),
    (r"} \boxed{1} }", "1", "on either side"),
    (r"\boxed 1", None, "no braces, no box"),
    ("boxed{1}", None, "a word, not the command"),
    (r"\\boxed{1}", None, "a line break and a word"),
    (r"\\\boxed{1}", "1", "a line break and the command"),
    (r"\boxedx{1}", None, "another command"),
    ("\\boxed{a\nb}", "a\nb", "over several lines"),
    ("", None, "nothing"),
    ("\\", None, "a lone backslash"),
]


@pytest.mark.parametrize(("text", "expected", "why"), BOXES, ids=[why for *_, why in BOXES])
def test_the_last_box(text: str, expected: str | None, why: str) -> None:
    assert last_boxed(text) == expected


def _reference(text: str) -> str | None:
    """What `last_boxed` says, one character at a time and without regular expressions."""
    stack: list[int | None] = []
    found, place = None, 0
    while place < len(text):
        if text[place] == "\\":
            for command in ("boxed", "fbox"):
                behind = place + 1 + len(command)
                brace = len(text) - len(text[behind:].lstrip()) if text.startswith(command, place + 1) else -1
                if 0 <= brace < len(text) and text[brace] == "{":
                    stack.append(brace + 1)
                    place = brace + 1
                    break
            else:
                place += 2
        elif text[place] == "{":
            stack.append(None)
            place += 1
        elif text[place] == "}":
            start = stack.pop() if stack else None
            if start is not None:
                found = text[start:place]
            place += 1
        else:
            place += 1
    return found


pieces = st.lists(st.sampled_from(["\\boxed", "\\fbox", "\\", "{", "}", " ", "\n", "x", "\\{", "\\}"])).map("".join)


@given(pieces | st.text())
def test_the_last_box_of_any_text_is_what_the_simple_reading_finds(text: str) -> None:
    assert last_boxed(text) == _reference(text)


@pytest.mark.parametrize(
    ("completion", "expected", "why"),
    [
        ("4", "4", "all of it, without thinking"),
        (" 4\n", "4", "without the white space around it"),
        ("<think>7</think> 4", "4", "what stands behind the thinking"),
        ("7</think>4", "4", "also where the template opened it"),
        ("<think>7 then 4", None, "nothing, where the thinking never ends"),
        ("<think>7</think>", "", "an empty answer is not a missing one"),
        ("<think>a</think>b</think>c", "c", "behind the last closing tag"),
        ("<think>a</think>b<think>c", None, "thinking again, and cut off"),
    ],
)
def test_what_may_be_graded(completion: str, expected: str | None, why: str) -> None:
    assert graded_text(completion, "<think>", "</think>") == expected


@pytest.mark.parametrize("piece", ["\\boxed", "\\boxed ", "{", "}", "\\", "\\boxed{", "\\boxed{}", "\\boxed{ }"])
def test_a_megabyte_takes_no_more_than_a_megabytes_time(piece: str) -> None:
    start = time.process_time()
    last_boxed(piece * (2**20 // len(piece)))
    last_boxed("\\boxed" + piece[-1] * 2**20)
    last_boxed(piece * 2**17 + "}" * 2**17)
    assert time.process_time() - start < 20  # quadratic work would take hours
