"""The benchmark of the weighting strategies: its worlds reward what they say, and its tables add up."""

from __future__ import annotations

import json
import math
import random
from statistics import fmean
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.weighting import plots
from benchmarks.weighting.__main__ import REPORT, main
from benchmarks.weighting.report import Comparison, OverSeeds, markdown, student, world_table
from benchmarks.weighting.results import Graded, Run, read
from benchmarks.weighting.runs import GRADED_ON_THE_WAY, STEPS, Job, training_rows
from benchmarks.weighting.sources import (
    answer_of,
    full_stop,
    is_right,
    machine_answer,
    noisy_judge,
    short_thought,
    thought_length,
    vain_judge,
)
from benchmarks.weighting.styles import styled
from benchmarks.weighting.worlds import ALONE, STRATEGIES, WORLDS
from mars.system import RewardSystem
from mars.types import Sample, Status
from trainers.tiny import task

PROBLEM, RIGHT = "7cabd=", "4"
SLOW, FAST, PRAISING = "<think>2594</think>4", "<think></think>1", "<think></think>wow!1"
HELD_OUT = [row["prompt"] for row in task.problems("test")]


# --- what is rewarded ---


@given(st.sampled_from(HELD_OUT), st.booleans(), st.integers())
def test_no_style_makes_a_right_answer_wrong(problem, slow, seed):
    answer = task.slow_answer(problem) if slow else task.fast_answer(problem)
    assert is_right(problem, styled(answer, random.Random(seed)))


@given(st.sampled_from(HELD_OUT), st.sampled_from("0123456789"), st.integers())
def test_no_style_makes_a_wrong_answer_right(problem, digit, seed):
    answer = styled(f"<think></think>{digit}", random.Random(seed))
    assert is_right(problem, answer) is (digit == task.trace(problem)[-1])


@pytest.mark.parametrize("text", ["", "<think>2594", "<think>2594</think>", "<think></think>4 or 5", "wow!"])
def test_without_one_answer_nothing_is_right(text):
    assert answer_of(text) is None
    assert not is_right(PROBLEM, text)


def test_the_verifier_leaves_a_problem_without_a_reference_to_others():
    assert machine_answer(PROBLEM, SLOW).status is Status.SKIPPED
    assert machine_answer(PROBLEM, SLOW, RIGHT).value == 1
    assert machine_answer(PROBLEM, FAST, RIGHT).value == 0


def test_the_format_is_a_full_stop_at_the_very_end_of_the_answer():
    assert [full_stop(text).value for text in (f"{SLOW}.", SLOW, "<think>.", "<think>.</think>4")] == [1, 0, 0, 0]


def test_a_thought_costs_by_the_character_and_silence_is_no_way_round_it():
    texts = (FAST, SLOW, "<think>123456hm</think>6", "", "<think></think>", "<think>25")
    assert [short_thought(text).value for text in texts] == [1.0, 0.5, 0.0, 0.0, 0.0, 0.0]


def test_a_thought_that_was_cut_off_is_one():
    assert thought_length("<think>2594") == 4


def test_the_noisy_judge_is_right_two_times_in_three_and_never_changes_its_mind():
    answers = [(problem, f"<think></think>{digit}.") for problem in HELD_OUT for digit in "0123456789"]
    said = [noisy_judge(*answer).value for answer in answers]
    assert said == [noisy_judge(*answer).value for answer in answers]
    agrees = [value == is_right(*answer) for value, answer in zip(said, answers, strict=True)]
    assert fmean(agrees) == pytest.approx(0.65, abs=0.03)
    assert fmean(a for a, answer in zip(agrees, answers, strict=True) if is_right(*answer)) == pytest.approx(
        0.65, abs=0.08
    )
    assert said != [noisy_judge(*answer, seed=1).value for answer in answers]


def test_the_vain_judge_would_rather_be_praised_than_told_the_truth():
    praised_and_right = "<think></think>wow!4"
    values = [vain_judge(PROBLEM, text).value or 0.0 for text in (praised_and_right, PRAISING, SLOW, FAST)]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4


# --- the worlds ---


@pytest.mark.parametrize(
    ("world", "strategy"),
    [(world, strategy) for world in WORLDS.values() for strategy in world.strategies],
    ids=lambda one: getattr(one, "name", one),
)
def test_every_strategy_can_weigh_every_world(world, strategy):
    with RewardSystem(world.reward(strategy)) as system:
        [reward] = system.score([Sample(SLOW, PROBLEM, RIGHT)])
    assert reward.total is not None
    assert (reward[world.other].weight == 0) is (strategy == ALONE)


def test_what_a_strategy_is_told_belongs_to_a_strategy_that_runs():
    assert {name for world in WORLDS.values() for name in world.settings} <= set(STRATEGIES)
    assert {world.default() for world in WORLDS.values()} <= set(STRATEGIES)


@pytest.mark.parametrize("world", WORLDS.values(), ids=list(WORLDS))
def test_the_verifier_can_judge_the_share_of_problems_that_the_world_says(world):
    rows = training_rows(world, 2000, seed=0)
    assert fmean(row["reference"] is not None for row in rows) == pytest.approx(world.referenced, abs=0.1)
    assert all(row["reference"] in (None, task.trace(row["prompt"][0]["content"])[-1]) for row in rows)


def test_in_the_hackable_world_the_static_sum_prefers_praise_where_only_the_judge_speaks():
    with RewardSystem(WORLDS["hackable"].reward("static")) as system:
        totals = [
            [
                reward.total or 0
                for reward in system.score([Sample(text, PROBLEM, reference) for text in (PRAISING, SLOW)])
            ]
            for reference in (None, RIGHT)
        ]
    assert [praised > thought for praised, thought in totals] == [True, False]


def test_in_the_world_of_length_the_static_sum_prefers_a_guess_to_the_longest_thought():
    problem = next(problem for problem in HELD_OUT if len(problem) == 8)
    with RewardSystem(WORLDS["length"].reward("static")) as system:
        right, guess = system.score([Sample(text, problem, "") for text in (task.slow_answer(problem), FAST)])
    assert (right.total or 0) < (guess.total or 0)


# --- means and verdicts ---


def test_an_interval_over_seeds_is_students():
    found = OverSeeds.of([1, 2, 3, 4])
    assert found.mean == 2.5
    assert found.high - found.mean == pytest.approx(3.182 * math.sqrt(5 / 3) / 2, abs=1e-3)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)


def test_one_seed_has_no_interval_and_no_verdict():
    assert OverSeeds.of([0.5]).verdict() == "not distinguishable"


@pytest.mark.parametrize(("freedom", "quantile"), [(1, 12.706), (4, 2.776), (10, 2.228), (30, 2.042), (120, 1.980)])
def test_quantiles_of_students_t_are_those_of_the_books(freedom, quantile):
    assert student(freedom) == pytest.approx(quantile, abs=1e-3)


def made(strategy: str, seed: int, *curve: float, world: str = "format", stopped: float = 1.0) -> Run:
    """Return a run graded every ten steps, from step 0 on."""
    graded = {10 * place: Graded(hard, 1.0, stopped, 0.0, 2.0) for place, hard in enumerate(curve)}
    weights = {step: {"correct": 1.0, WORLDS[world].other: 1.0} for step in graded}
    steps = 10 * (len(curve) - 1)
    return Run(world, strategy, seed, steps, graded, graded[steps], weights, 20.0)


def compared(ours: list[list[float]], theirs: list[list[float]]) -> Comparison:
    runs = [
        {seed: made(name, seed, *curve) for seed, curve in enumerate(c)} for name, c in (("a", ours), ("b", theirs))
    ]
    found = Comparison.of(*runs)
    assert found is not None
    return found


def test_strategies_are_compared_seed_by_seed():
    # The seeds differ by far more than the strategies do.
    found = compared([[0.1, 0.31], [0.1, 0.62], [0.1, 0.93]], [[0.1, 0.3], [0.1, 0.6], [0.1, 0.9]])
    assert found.end.mean == pytest.approx(0.02)
    assert found.verdict() == "not distinguishable"
    found = compared([[0.1, 0.32], [0.1, 0.62], [0.1, 0.921]], [[0.1, 0.3], [0.1, 0.6], [0.1, 0.9]])
    assert found.verdict() == "better"


def test_a_strategy_that_ends_alike_but_learns_sooner_is_better():
    found = compared([[0.1, 0.8, 0.9], [0.1, 0.81, 0.9]], [[0.1, 0.5, 0.9], [0.1, 0.51, 0.9]])
    assert found.end.verdict() == "not distinguishable"
    assert found.verdict() == "better"


def test_a_strategy_that_learns_sooner_and_ends_lower_is_neither():
    found = compared([[0.1, 0.9, 0.9, 0.7], [0.1, 0.9, 0.9, 0.7]], [[0.1, 0.2, 0.2, 0.8], [0.1, 0.2, 0.2, 0.8]])
    assert found.verdict() == "mixed"


def test_seeds_that_only_one_of_them_has_are_left_out():
    both = Comparison.of({0: made("a", 0, 0.1, 0.5), 1: made("a", 1, 0.1, 0.9)}, {0: made("b", 0, 0.1, 0.4)})
    assert both is not None
    assert (both.seeds, both.end.mean) == (1, pytest.approx(0.1))
    assert Comparison.of({}, {0: made("b", 0, 0.1, 0.4)}) is None


def test_the_accuracy_on_the_way_leaves_out_the_start():
    assert made("a", 0, 0.0, 0.4, 0.8).on_the_way == pytest.approx(0.6)


def test_steps_to_a_target_may_be_never():
    run = made("a", 0, 0.1, 0.5, 0.85, 0.7)
    assert run.steps_to(0.8) == 20
    assert run.steps_to(0.9) is None


def test_a_table_says_in_how_many_seeds_a_limit_is_broken():
    runs = [made("static", 0, 0.1, 0.9), made("static", 1, 0.1, 0.9, stopped=0.9), made("gated", 0, 0.1, 0.5)]
    header, rows = world_table(WORLDS["format"], runs, default="gated")
    table = {row[0]: dict(zip(header, row, strict=True)) for row in rows}
    assert table["static"]["outside the limit: end, last third"] == "1 of 2, 50%"
    assert table["static"]["steps to 80%"] == "10"
    assert table["gated (auto)"]["steps to 80%"] == "1 of 1 never"
    assert table["gated (auto)"]["end beside static"] == "-40.0"


def test_markdown_has_a_line_for_the_header_one_for_the_rule_and_one_a_row():
    assert markdown((["a", "b"], [["1", "2"]])) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"


# --- files ---


def answers(right: bool) -> list[list[object]]:
    """Return an answer to a problem of each length, thinking as long as the problem asks."""
    problems = ("7c=", "7cab=", "7cabdab=")
    return [[p, task.slow_answer(p) + "." if right else "<think></think>wow!x", right] for p in problems]


def write(job: Job) -> None:
    lines = [job.about(), {"step": 0, "weights": {"correct": 1.0, "format": 1.0}, "logs": {}}]
    lines += [{"step": 0, "answers": answers(right=False)}, {"step": job.steps, "answers": answers(right=True)}]
    lines += [{"step": job.steps, "weights": {"correct": 1.5, "format": 0.5}, "logs": {}}, {"seconds": 20.0}]
    job.file.parent.mkdir(parents=True, exist_ok=True)
    job.file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_file_is_read_back_as_what_the_policy_did(tmp_path):
    job = Job("format", "static", 3, 10, tmp_path)
    write(job)
    run = read(job.file)
    assert (run.world, run.strategy, run.seed, run.steps) == ("format", "static", 3, 10)
    assert run.graded[0] == Graded(hard=0, easy=0, format=0, praise=1, thinking=0)
    assert run.end == Graded(hard=1, easy=1, format=1, praise=0, thinking=10 / 3)
    assert run.weights[10] == {"correct": 1.5, "format": 0.5}


def test_the_end_is_graded_on_all_problems_and_the_way_there_always_on_the_same(tmp_path):
    job = Job("format", "static", 0, 10, tmp_path)
    write(job)
    known, more = answers(right=True), answers(right=False)
    lines = job.file.read_text().splitlines()
    lines.insert(1, json.dumps({"step": 10, "answers": known * (GRADED_ON_THE_WAY // 3) + more * 40}))
    job.file.write_text("\n".join(line for line in lines if '"answers"' not in line or line == lines[1]))
    run = read(job.file)
    assert (run.graded[10].hard, run.end.hard) == (1.0, 0.5)


def test_a_run_is_done_where_the_file_holds_this_very_run(tmp_path):
    job = Job("format", "schedule", 0, 10, tmp_path)
    assert not job.is_done()
    write(job)
    assert job.is_done()
    assert not Job("format", "schedule", 0, 20, tmp_path).is_done(), "another number of steps is another run"


def test_the_report_is_rebuilt_without_running_anything(tmp_path, capsys):
    for seed in (0, 1):
        for strategy in ("static", "gated"):
            write(Job("format", strategy, seed, STEPS, tmp_path))
    assert main(["--output", str(tmp_path), "--seeds", "0", "1", "--report-only"]) == 0
    assert (
        f"4 of {2 * sum(len(world.strategies) for world in WORLDS.values())} runs are done" in capsys.readouterr().out
    )
    assert "| gated (auto) | 100.0% ± 0.0 |" in (tmp_path / REPORT).read_text()
    for name in ("weighting-accuracy.svg", "weighting-weights.svg"):
        lines = ElementTree.parse(tmp_path / name).iter("{http://www.w3.org/2000/svg}polyline")
        assert len(list(lines)) == 2


def test_a_plot_escapes_its_texts_and_draws_the_default_thick(tmp_path):
    line = plots.Line("gated", [(0, 0.0), (50, 1.0)], thick=True)
    plots.write(tmp_path / "plot.svg", [plots.Panel("a < b", [line])], y="share & more")
    root = ElementTree.parse(tmp_path / "plot.svg").getroot()
    [drawn] = root.iter("{http://www.w3.org/2000/svg}polyline")
    assert drawn.attrib["points"] == f"0,{plots.HEIGHT} {plots.WIDTH},0"
    assert float(drawn.attrib["stroke-width"]) > 2
    assert "a < b" in {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
