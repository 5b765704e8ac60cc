"""The order in which `verify` judges, and what every verdict says about itself; what is equal is test_compare's."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.policy import MATH, PROFILES, VERSION, Policy
from mars.symbolic.tree import Node
from mars.symbolic.verify import compare_texts, verify
from mars.types import Status

WITHOUT_ALGEBRA = r"\sum_{k=1}^{\infty} \frac{1}{k^x}"
NEEDS_ALGEBRA = r"\boxed{\sum_{k=0}^{\infty} \frac{1}{(k+1)^x}}"
"""Two forms of one value that only computer algebra could tell to be one."""

STAGES = [
    ("", "", None, "parse", "reference", "an empty reference decides nothing, not even for its own text"),
    (" \n", "5", None, "parse", "reference", "nor does a blank one"),
    (r"\frac{1}{", r"\frac{1}{", None, "parse", "reference", "nor one that cannot be read, though the texts are one"),
    (r"\frac{1}{", "5", None, "parse", "reference", "whatever the answer is"),
    ("9" * 5000, "5", None, "parse", "reference", "a reference beyond the limits cannot be read either"),
    ("5", "", False, "extract", "no answer", "an empty response"),
    (r"\frac{1}{", "", False, "extract", "no answer", "no answer is wrong whatever the reference"),
    ("5", "I do not know where to begin.", False, "extract", "no answer", "prose that concludes nothing"),
    ("5", "<think>I add 2 and 3, so 5", False, "extract", "truncated", "thinking that does not end"),
    ("5", r"<think>so \boxed{5}", False, "extract", "truncated", "an answer within it is not given"),
    ("5", r"therefore \boxed{5", False, "extract", "truncated", "a box that does not end"),
    ("5", r"\boxed{5} or \boxed{6}", False, "extract", "several answers", "one of several answers"),
    ("8", r"\boxed{8}", True, "identical", "the same text", "the same text"),
    ("x+1", r"\boxed{x + 1}", True, "identical", "the same text", "spaces are no difference"),
    (r"\text{km}", r"\boxed{\mathrm{km}}", True, "identical", "the same text", "nor is the type face"),
    ("5", rf"\boxed{{{'(' * 300}5{')' * 300}}}", False, "limits", "brackets", "an answer beyond the limits"),
    ("5", r"\boxed{2 +}", False, "parse", "the end", "an answer that is broken"),
    ("6/4", r"\boxed{1.5}", True, "exact", "exact numbers", "numbers are compared exactly"),
    ("(1, 2)", r"\boxed{\{1, 2\}}", False, "structure", "set", "structures before their values"),
    ("(B) north", r"\boxed{B}", True, "structure", "option letters", "options before mathematics"),
    ("7 = 5", r"\boxed{7 = 5}", None, "structure", "", "a contradiction is not its own proof"),
    (WITHOUT_ALGEBRA, NEEDS_ALGEBRA, None, "numeric", "", "what only algebra could tell"),
]


@pytest.mark.parametrize(("reference", "response", "equal", "stage", "rule", "why"), STAGES)
def test_the_first_stage_that_can_tell_decides(
    reference: str, response: str, equal: bool | None, stage: str, rule: str, why: str
) -> None:
    verdict = verify(reference, response)
    assert (verdict.equal, verdict.stage) == (equal, stage), f"{why}: {verdict}"
    assert rule in verdict.rule, why
    assert verdict.status is (Status.UNDECIDED if equal is None else Status.OK)


@pytest.mark.parametrize(
    ("reference", "response", "extracted", "forms"),
    [
        ("6/4", r"We get \boxed{1.5}.", "1.5", ("6/4", "1.5")),
        (r"So it is \boxed{8}", r"\boxed{8}", "8", ("8", "8")),
        ("5", r"\boxed{2 +}", "2 +", ("5", "2 +")),
        ("5", r"\boxed{5} or \boxed{6}", "6", ("", "")),
        ("5", "", None, ("", "")),
        (r"\frac{1}{", r"\boxed{4}", "4", ("", "")),
    ],
)
def test_a_verdict_shows_what_was_graded(
    reference: str, response: str, extracted: str | None, forms: tuple[str, str]
) -> None:
    verdict = verify(reference, response)
    assert verdict.extracted == extracted
    assert (verdict.reference_form, verdict.answer_form) == forms
    assert verdict.reason


def test_what_a_verdict_shows_is_bounded() -> None:
    verdict = verify("5", rf"\boxed{{{'7' * 3900}}}")
    assert verdict.extracted == "7" * 1000 + "…"
    assert len(verdict.reason) < 300
    assert max(len(verdict.reference_form), len(verdict.answer_form)) <= 200


@pytest.mark.parametrize("policy", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize("reference", ["5", "6", "", r"\frac{1}{"])
def test_every_verdict_is_stamped_with_its_policy(policy: Policy, reference: str) -> None:
    verdict = verify(reference, r"\boxed{5}", policy)
    record = verdict.to_dict()
    assert verdict.policy is policy
    assert (record["policy"], record["version"]) == (policy.name, VERSION)
    assert (record["verdict"], record["status"]) == (verdict.equal, verdict.status.value)
    assert json.loads(json.dumps(record)) == record


def test_time_is_measured_and_is_no_part_of_equality() -> None:
    first, second = verify("5", r"\boxed{6}"), verify("5", r"\boxed{6}")
    assert first.seconds > 0
    assert second.seconds > 0
    assert first == second


def finds(verdict: bool | None) -> Callable[[Node, Node], bool | None]:
    return lambda _one, _other: verdict


@pytest.mark.parametrize(("found", "status"), [(True, Status.OK), (False, Status.OK), (None, Status.UNDECIDED)])
def test_computer_algebra_has_the_last_word(found: bool | None, status: Status) -> None:
    verdict = verify(WITHOUT_ALGEBRA, NEEDS_ALGEBRA, symbolic=finds(found))
    assert (verdict.equal, verdict.status, verdict.stage) == (found, status, "symbolic")


@pytest.mark.parametrize("answer", ["7", "6/2", "3.0", "x", r"\text{three}", "1, 2", ""])
def test_computer_algebra_is_not_asked_what_is_decided_already(answer: str) -> None:
    asked: list[Node] = []

    def symbolic(one: Node, other: Node) -> bool | None:
        asked.extend((one, other))
        return True

    verify("3", rf"\boxed{{{answer}}}", symbolic=symbolic)
    assert asked == []


@pytest.mark.parametrize("fault", [ValueError("broken"), RecursionError("deep"), AssertionError(), KeyError("x")])
def test_a_fault_of_the_verifier_is_an_error_and_no_wrong_answer(fault: Exception) -> None:
    def symbolic(_one: Node, _other: Node) -> bool | None:
        raise fault

    verdict = verify(WITHOUT_ALGEBRA, NEEDS_ALGEBRA, symbolic=symbolic)
    assert (verdict.equal, verdict.status, verdict.stage) == (None, Status.ERROR, "error")
    assert verdict.reason == f"{type(fault).__name__}: {fault}"
    assert verdict.policy is MATH
    assert verdict.seconds > 0


def test_memory_that_runs_out_is_the_callers_to_handle() -> None:
    def symbolic(_one: Node, _other: Node) -> bool | None:
        raise MemoryError

    with pytest.raises(MemoryError):
        verify(WITHOUT_ALGEBRA, NEEDS_ALGEBRA, symbolic=symbolic)


@pytest.mark.parametrize(
    ("response", "equal", "why"),
    [
        (r"[T]perhaps \boxed{6}[/T] \boxed{5}", True, "the answer stands behind the thinking"),
        (r"[T]so \boxed{5}[/T] \boxed{6}", False, "and thinking is no answer"),
        (r"[T]so \boxed{5}", False, "nor when it does not end"),
        (r"<think>so \boxed{5}", True, "other tags are text"),
    ],
)
def test_thinking_is_told_by_the_tags_that_are_given(response: str, equal: bool, why: str) -> None:
    assert verify("5", response, open_tag="[T]", close_tag="[/T]").equal is equal, why


def test_the_last_number_counts_only_where_the_policy_says_so() -> None:
    response = "3 + 4 then 5 * 12\n\nI stop here because I do not know how to go on"
    assert verify("12", response, PROFILES["math"]).stage == "extract"
    assert verify("12", response, PROFILES["gsm8k"]).extracted == "12"


@pytest.mark.parametrize(
    ("right", "given_", "equal", "status"),
    [
        ("5", "10/2", True, Status.OK),
        ("5", "<think>5", False, Status.OK),
        ("", "5", None, Status.UNDECIDED),
        ("5", "", False, Status.OK),
    ],
)
def test_texts_are_compared_without_extraction(right: str, given_: str, equal: bool | None, status: Status) -> None:
    verdict = compare_texts(right, given_)
    assert (verdict.equal, verdict.status) == (equal, status), verdict.reason


def test_verdicts_are_the_same_in_every_thread() -> None:
    pairs = [(reference, response) for reference, response, *_ in STAGES] * 4
    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(lambda pair: verify(*pair), pairs))
    assert seen == [verify(*pair) for pair in pairs]


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_have_a_verdict(reference: str, response: str) -> None:
    verdict = verify(reference, response)
    assert verdict.status in (Status.OK, Status.UNDECIDED), verdict.reason
    assert (verdict.equal is None) is (verdict.status is Status.UNDECIDED)


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_rest_of_the_response_does_not_matter_around_a_box(before: str, after: str) -> None:
    """Prose without marks of an answer changes nothing: only letters and spaces are drawn."""
    plain = ["".join(each for each in text if each in "abcdefgh ") for text in (before, after)]
    assert verify("5", rf"{plain[0]} \boxed{{5}} {plain[1]}").equal is True
