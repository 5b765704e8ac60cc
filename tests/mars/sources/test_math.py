from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mars import RewardSystem, Sample
from mars.rows import Columns
from mars.scoring import Agreement, Job, score_file
from mars.types import Status
from tests.mars.sources.bench import score

TABLE = [
    (r"\boxed{42}", "42", 1, "a number"),
    (r"\boxed{43}", "42", 0, "another number"),
    (r"\boxed{\frac{1}{2}}", "0.5", 1, "a fraction and a decimal"),
    (r"\boxed{\frac12}", r"\frac{1}{2}", 1, "a fraction without braces"),
    (r"\boxed{2x+1}", "1+2x", 1, "the order of terms"),
    (r"\boxed{(x+1)^2}", "x^2+2x+1", 1, "expanded"),
    (r"\boxed{\sqrt{8}}", r"2\sqrt{2}", 1, "simplified"),
    (r"\boxed{x=5}", "5", 1, "an assignment"),
    (r"\boxed{\{1,2\}}", r"\{2,1\}", 1, "a set"),
    (r"\boxed{(1,2)}", "(2,1)", 0, "a pair has an order"),
    (r"\boxed{1}, then \boxed{2}", "2", 1, "the last box"),
    ("The answer is 42.", "42", 1, "no box: what the text calls its answer"),
    (r"<think>\boxed{41}</think>\boxed{42}", "42", 1, "behind the thinking"),
    (r"<think>\boxed{42}</think>\boxed{41}", "42", 0, "never in it"),
    (r"<think>\boxed{42}", "42", 0, "thinking that never ends"),
    (r"<think>\boxed{42}</think>", "42", 0, "nothing behind it"),
    ("", "42", 0, "silence"),
    ("I do not know", "42", 0, "no mathematics"),
    (r"\boxed{42}", "$42$", 1, "a reference in dollars"),
    (r"\boxed{42}", r"\(42\)", 1, "in parentheses"),
    (r"\boxed{42}", r"so it is \boxed{42}", 1, "in a box"),
    (r"\boxed{42}", 42, 1, "as a number"),
    (r"\boxed{0.333333}", r"\frac{1}{3}", 1, "to six places"),
    (r"\boxed{0.3333}", r"\frac{1}{3}", 0, "not to four"),
]


@pytest.mark.parametrize(("completion", "reference", "value", "why"), TABLE, ids=[row[-1] for row in TABLE])
def test_what_is_mathematically_right(completion: str, reference: object, value: float, why: str) -> None:
    found = score("math", completion, reference)
    assert (found.value, found.status) == (value, Status.OK), found.reason


def test_the_policy_is_a_profile_with_options() -> None:
    assert score("math", r"\boxed{0.3333}", r"\frac{1}{3}", decimals=4).value == 1.0
    assert score("math", r"\boxed{0.333333}", r"\frac{1}{3}", decimals="never").value == 0.0
    assert score("math", r"\boxed{2/4}", r"\frac{1}{2}").value == 1.0
    assert score("math", r"\boxed{2/4}", r"\frac{1}{2}", profile="strict").value == 0.0
    assert score("math", r"\boxed{2/4}", r"\frac{1}{2}", profile="strict", form="value").value == 1.0


@pytest.mark.parametrize("reference", ["", " ", "$$", r"\text{}", r"\frac{1}{", "((", r"\nosuchcommand{3}"])
def test_a_reference_that_cannot_be_read_gives_no_verdict(reference: str) -> None:
    found = score("math", r"\boxed{42}", reference)
    assert (found.status, found.value) == (Status.UNDECIDED, None)
    assert "reference" in found.reason


def test_a_verdict_explains_itself() -> None:
    found = score("math", r"so it is \boxed{x=\frac{2}{4}}", "0.5")
    assert found.value == 1.0
    assert found.details["extracted"] == r"x=\frac{2}{4}"
    assert found.details["stage"] == "exact"
    assert found.details["policy"] == "math"
    assert "equals" in found.reason


def test_algebra_decides_what_numbers_cannot() -> None:
    found = score("math", r"\boxed{\int_0^1 x^2\,dx}", r"\frac{1}{3}", unevaluated="allowed")
    assert (found.value, found.details["stage"]) == (1.0, "symbolic")


@pytest.fixture(scope="module")
def system() -> Iterator[RewardSystem]:
    with RewardSystem({"sources": {"math": {"deadline": 1.0}}}) as system:
        yield system


def test_what_nothing_can_tell_in_time_has_no_verdict_and_is_no_wrong_answer(system: RewardSystem) -> None:
    hard = Sample(r"\boxed{\int_0^x e^{t^4 \sin t}\,dt}", reference=r"\int_0^x e^{t^4 \cos t}\,dt")
    easy = Sample(r"\boxed{4}", reference="4")
    rewards = system.score([easy, hard, easy])
    assert [reward.total for reward in rewards] == [1.0, None, 1.0]
    assert rewards[1].status in (Status.TIMEOUT, Status.UNDECIDED)


def test_bombs_cost_at_most_the_deadline_and_leave_the_others_their_verdicts(system: RewardSystem) -> None:
    bombs = [r"\boxed{9^{9^{9^9}}}", r"\boxed{100000000!}", r"\boxed{10^{10^{10}}}"]
    texts = [text for bomb in bombs for text in (r"\boxed{4}", bomb, r"\boxed{5}")]
    rewards = system.score([Sample(text, reference="4") for text in texts])
    for place, reward in enumerate(rewards):
        if place % 3 == 1:
            assert (reward.total, reward.status) == (0.0, Status.OK), reward.reason
        else:
            assert reward.total == float(place % 3 == 0), reward.reason


@pytest.mark.parametrize(
    "text",
    [
        "\\boxed" + "{" * 10_000,
        "\\boxed{" + "9" * 100_000 + "}",
        "\x00\\boxed{\x00}",
        "\ud800\\boxed{\ud800}",
        "4 " * 2**19,
    ],
    ids=["open braces", "digits", "NUL", "lone surrogates", "a megabyte"],
)
def test_garbage_is_answered_within_the_deadline(system: RewardSystem, text: str) -> None:
    [reward] = system.score([Sample(text, reference="7")])
    assert reward.total in (None, 0.0)
    assert json.loads(json.dumps(reward.to_dict()))["components"]["math"]["status"] in ("ok", "timeout", "error")


# Real answers of a model, with verdicts that were read one by one where harnesses disagreed.


@pytest.mark.parametrize(("name", "rows"), [("math500", 1004), ("gsm8k", 2700)])
def test_agreement_with_adjudicated_answers(name: str, rows: int, shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "graded" / f"{name}_rho1.jsonl"
    with RewardSystem({"sources": {"math": 1.0}}) as system:
        columns = Columns(completion="response", prompt="question", reference="gold")
        job = Job(system, source, tmp_path / "scored.jsonl", columns, label="adjudicated")
        summary = score_file(job)
    found = summary.agreement
    assert isinstance(found, Agreement)
    assert found.labelled + found.unlabelled == rows
    right, wrong = found.right_accepted + found.wrong_rejected, found.right_rejected + found.wrong_accepted
    assert right / (right + wrong) >= 0.99
    assert found.no_verdict <= rows // 100
    statuses = summary.tally.sources["math"].statuses
    assert statuses.total() == rows
    assert statuses[Status.OK] == rows - summary.tally.masked
    # No verdict is invented: a row has a total exactly where its verifier gave a verdict.
    with job.target.open() as scored:
        records = [json.loads(line)["mars"] for line in scored]
    assert Counter(record["components"]["math"]["status"] for record in records) == {
        str(status): count for status, count in statuses.items()
    }
    assert all((record["total"] is None) is (record["status"] != "ok") for record in records)
