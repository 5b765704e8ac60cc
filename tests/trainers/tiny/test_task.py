"""The embedded task: the machine, the two ways to answer, and which problems are kept from training."""

import hashlib
import importlib.metadata
import json
import random
import re
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainers.tiny.task import BUTTONS, STATES, draw, fast_answer, held_out, problems, slow_answer, trace

runs = st.from_regex(r"[0-9][abcd]{1,40}=", fullmatch=True)

RUNS = [
    # problem, the states after each step, why
    ("7cabd=", "2594", "the example of the documentation"),
    ("7c=", "2", "one step is one look-up"),
    ("0a=", "7", "state 0 is a state like the others"),
    ("7ca=", "25", "a longer run begins as the shorter one"),
    ("2abd=", "594", "and goes on from wherever it is"),
]


@pytest.mark.parametrize(("problem", "states", "why"), RUNS)
def test_the_machine_writes_the_state_after_each_step(problem, states, why):
    assert trace(problem) == states, why


@pytest.mark.parametrize(
    ("problem", "why"),
    [
        ("7cabd", "no equals sign"),
        ("cabd=", "no state to start in"),
        ("7=", "no step to take"),
        ("7cabe=", "no such button"),
        ("77a=", "two states"),
        ("7cabd=4", "the answer is not part of the problem"),
        (" 7cabd=", "a space"),
        ("7cabd=\n", "a line end, which `$` in a pattern would let pass"),
        ("\u0667a=", "a digit, but an Arabic one"),
        ("", "nothing"),
    ],
)
def test_what_is_not_a_problem_is_refused_by_name(problem, why):
    with pytest.raises(ValueError, match=re.escape(repr(problem))):
        trace(problem)


def test_every_button_is_a_permutation_without_a_fixed_point():
    for button, leads_to in BUTTONS.items():
        assert sorted(leads_to) == list(STATES), f"{button} loses a state"
        assert all(state != next_state for state, next_state in zip(STATES, leads_to, strict=True)), (
            f"{button} leaves a state as it is: the answer could be copied instead of looked up"
        )


@given(runs, st.text("abcd", min_size=1, max_size=10))
def test_running_on_is_running_again_from_the_last_state(problem, more):
    states = trace(problem)
    assert trace(problem[:-1] + more + "=") == states + trace(states[-1] + more + "=")


@given(runs)
def test_both_ways_to_answer_are_right_and_only_the_slow_one_thinks(problem):
    states = trace(problem)
    assert fast_answer(problem) == f"<think></think>{states[-1]}"
    assert slow_answer(problem) == f"<think>{states}</think>{states[-1]}"
    assert len(states) == len(problem) - 2, "one state for each button"


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_row_says_all_that_a_reward_needs(split):
    for row in problems(split, 200):
        assert set(row) == {"prompt", "reference", "task", "steps"}
        assert row["reference"] == trace(row["prompt"])[-1]
        assert row["steps"] == len(trace(row["prompt"]))
        assert row["task"] == {1: "easy", 3: "hard", 6: "hard"}[row["steps"]]
        assert json.loads(json.dumps(row)) == row


def test_the_test_split_is_the_same_for_ever():
    rows = problems("test")
    assert rows == problems("test", seed=1) == problems("test", 340, seed=-5)
    assert Counter(row["steps"] for row in rows) == {1: 40, 3: 150, 6: 150}
    assert len({row["prompt"] for row in rows}) == 340
    # Pinned: scores of different versions are only comparable on the same problems.
    assert [row["prompt"] for row in rows[:4]] == ["1acb=", "5daa=", "6a=", "5bad="]
    listing = "\n".join(row["prompt"] for row in rows)
    assert hashlib.sha256(listing.encode()).hexdigest()[:16] == "96627fe2d089a74d"


def test_the_first_few_test_problems_are_a_fair_sample():
    lengths = Counter(row["steps"] for row in problems("test", 100))
    assert all(lengths[steps] >= 5 for steps in (1, 3, 6)), lengths
    assert problems("test", 100) == problems("test")[:100]


def test_one_answer_for_everything_does_not_pay():
    answers = Counter(row["reference"] for row in problems("test") if row["task"] == "hard")
    assert max(answers.values()) < 0.2 * 300, "a model that always says this would look as if it could do something"


@settings(max_examples=20, deadline=None)
@given(st.integers())
def test_no_seed_draws_a_held_out_problem(seed):
    drawn = {row["prompt"] for row in problems("train", 1000, seed)}
    assert not drawn & {row["prompt"] for row in problems("test") if row["task"] == "hard"}


def test_held_out_problems_would_be_drawn_were_they_not_refused(monkeypatch):
    # The test above proves something only if this is so, for both lengths.
    many = 30_000
    assert not held_out().intersection(draw(random.Random(0), many))
    monkeypatch.setattr("trainers.tiny.task.held_out", frozenset)
    leaked = held_out().intersection(draw(random.Random(0), many))
    assert {len(trace(problem)) for problem in leaked} == {3, 6}


def test_the_train_split_depends_on_its_seed_alone():
    assert problems("train", 50, seed=3) == problems("train", 50, seed=3)
    assert problems("train", 50, seed=3) != problems("train", 50, seed=4)
    assert problems("train", 50, seed=3) != problems("train", 50, seed=-3), "Python's own seeds ignore the sign"
    assert problems("train", 50, seed=3) == problems("train", 80, seed=3)[:50]


def test_the_train_split_has_every_length_equally_often():
    rows = problems("train")
    lengths = Counter(row["steps"] for row in rows)
    assert len(rows) == 8192
    assert set(lengths) == {1, 3, 6}
    assert all(abs(count / 8192 - 1 / 3) < 0.02 for count in lengths.values()), lengths
    assert {row["prompt"] for row in rows if row["steps"] == 1} == {
        row["prompt"] for row in problems("test") if row["steps"] == 1
    }, "there are only 40 easy problems: both splits use them all"


@pytest.mark.parametrize(
    ("split", "size", "says", "why"),
    [
        ("validation", None, "'validation'", "no such split"),
        ("Train", None, "'train' and 'test'", "the names are in lower case"),
        ("train", 0, "got 0", "nothing to train on is a mistake, not a wish"),
        ("train", -1, "got -1", "-1 for 'all' is another library's habit"),
        ("train", 2.0, "got 2.0", "from a recipe that says 2.0"),
        ("train", "64", "got '64'", "from a recipe that says '64'"),
        ("train", True, "got True", "True is 1 to Python"),
        ("test", 341, "340", "there are no more"),
    ],
)
def test_a_wrong_request_is_refused_with_what_would_be_right(split, size, says, why):
    with pytest.raises(ValueError, match=re.escape(says)):
        problems(split, size)


def test_the_problems_are_found_by_their_entry_point():
    (point,) = importlib.metadata.entry_points(group="mars.problems", name="tiny")
    assert point.load() is problems


def test_the_task_needs_no_trainer():
    program = "import sys, trainers.tiny.task; print([m for m in ('torch', 'transformers', 'trl') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
