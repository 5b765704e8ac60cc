"""Answers in words: all of them count, or the one that a sentence is about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.parser import parse
from mars.symbolic.policy import MATH, PROFILES
from mars.symbolic.tree import Node, Text
from mars.symbolic.wording import spelled, wordings_agree
from tests.mars.symbolic.trees import PI, add, mul, node

SENTENCE = Text("a stopped clock is right twice")


@pytest.mark.parametrize(
    ("tree", "expected", "why"),
    [
        (Text("north"), "north", "words"),
        (node("N"), "n", "a letter"),
        (mul("N", "o"), "no", "a product of letters was a word"),
        (mul("x", PI), "xpi", "constants are spelled too"),
        (mul(2, "x"), None, "a number in it makes it none"),
        (node(5), None, "a number"),
        (add("x", "y"), None, "a sum"),
    ],
)
def test_what_spells_a_word(tree: Node, expected: str | None, why: str) -> None:
    assert spelled(tree) == expected, why


@pytest.mark.parametrize(
    ("reference", "answer", "equal", "rule"),
    [
        (Text("north"), Text("north"), True, "the same words"),
        (Text("north"), Text("south"), False, "other words"),
        (Text("no"), mul("n", "o"), True, "the same words"),
        (Text("north"), node(5), False, "words on one side only"),
        (node(5), Text("north"), False, "words on one side only"),
        (SENTENCE, Text("stopped"), True, "what the reference says it of"),
        (SENTENCE, Text("clock"), False, "other words"),
        (SENTENCE, Text("a"), False, "other words"),
        (Text("stopped"), SENTENCE, False, "other words"),
        (Text("red clock"), Text("red"), False, "other words"),
        (Text("kepler, who found it first"), Text("kepler"), True, "what the reference says it of"),
        (Text("kepler or newton found it"), Text("kepler"), False, "other words"),
        (Text("kepler never found it"), Text("kepler"), False, "other words"),
    ],
)
def test_two_wordings(reference: Node, answer: Node, equal: bool, rule: str) -> None:
    found = wordings_agree(reference, answer, MATH)
    assert (found.equal, found.stage, found.rule) == (equal, "structure", rule)


def test_the_strict_policy_wants_every_word() -> None:
    assert wordings_agree(SENTENCE, Text("stopped"), PROFILES["strict"]).equal is False


WORDS = st.lists(st.sampled_from(["red", "blue", "not", "the", "clock", "or", "runs"]), min_size=1, max_size=5).map(
    lambda words: Text(" ".join(words))
)


@given(WORDS, WORDS)
def test_only_the_same_words_agree_both_ways(one: Text, other: Text) -> None:
    """A subject stands for its sentence, never the sentence for its subject."""
    both = wordings_agree(one, other, MATH).equal and wordings_agree(other, one, MATH).equal
    assert bool(both) is (one == other)


@given(WORDS)
def test_a_number_is_no_word(words: Text) -> None:
    assert wordings_agree(words, parse("7"), MATH).equal is False
