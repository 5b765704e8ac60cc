"""Math-Verify as a source to be compared with: itself, at its best, in a worker that can be killed."""

from __future__ import annotations

import pytest

from mars.audit import peers
from mars.types import Sample, Status
from mars.verifying import Verifier


@pytest.mark.parametrize(
    ("text", "expected", "why"),
    [
        ("\\frac{1}{2}", "\\boxed{\\frac{1}{2}}", "LaTeX needs delimiters"),
        ("(1, 2)", "\\boxed{(1, 2)}", "a plain answer is LaTeX too"),
        ("$7$", "$7$", "there are delimiters"),
        ("So \\boxed{7}.", "So \\boxed{7}.", "there is a box"),
        ("The answer is 7.", "The answer is 7.", "prose is no answer alone"),
        ("7\nor so", "7\nor so", "an answer alone has one line"),
    ],
)
def test_an_answer_alone_is_put_between_delimiters(text: str, expected: str, why: str) -> None:
    assert peers.delimited(text) == expected, why


@pytest.mark.parametrize(
    ("gold", "answer", "settings", "value", "why"),
    [
        ("1/2", "The result is $\\frac{2}{4}$.", {}, 1.0, "a value in other words"),
        ("3", "\\boxed{4}", {}, 0.0, "another value"),
        ("5", "$7=5$", {}, 1.0, "its known fault is its own: nothing is mended"),
        ("\\frac{1}{3}", "0.333", {}, 0.0, "six places by default"),
        ("\\frac{1}{3}", "0.333", {"precision": 3}, 1.0, "its options are settings"),
        ("(1,2)", "$1<x<2$", {}, 0.0, "a relation for a set"),
        ("(1,2)", "$1<x<2$", {"allow_set_relation_comp": True}, 1.0, "which another option allows"),
    ],
)
def test_its_verdicts_and_options(gold: str, answer: str, settings: dict[str, object], value: float, why: str) -> None:
    found = peers.math_verify(answer, gold, **settings)  # type: ignore[arg-type]
    assert found.value == value, why


def test_a_reference_that_does_not_parse_is_undecided() -> None:
    assert peers.math_verify("\\boxed{4}", "").status is Status.UNDECIDED


def test_a_bomb_ends_at_the_deadline_and_the_next_answer_is_judged() -> None:
    with Verifier("math-verify", workers=1) as verifier:
        verifier.bound = verifier.bound.source.with_deadline(1.0).configure()
        bomb, fine = verifier.scores([Sample("\\boxed{9^{9^{9^9}}}", reference="4"), Sample("4", reference="4")])
    assert (bomb.status, fine.value) == (Status.TIMEOUT, 1.0)
