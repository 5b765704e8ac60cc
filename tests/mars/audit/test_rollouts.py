"""A run's completions as files: what is written is read again, whole steps survive, damage is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.audit.monitors.types import Seen, Step
from mars.audit.rollouts import About, Rollout, RolloutWriter, read_about, read_rollouts
from mars.errors import DataError
from mars.types import Sample
from tests.mars.audit.hacked import ABOUT, is_right, rewarded, steps, write_run


def logged(folder: Path) -> dict[int, list[Rollout]]:
    return dict(read_rollouts(folder / "rollouts"))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_run(tmp_path, number=3)
    assert read_about(tmp_path / "rollouts") == ABOUT
    found = logged(tmp_path)
    assert list(found) == [1, 2, 3]
    for step in steps(3, 8):
        for rollout, seen in zip(found[step.number], step.seen, strict=True):
            assert rollout.seen == seen
            assert rollout.seen.reward.group == seen.reward.group, "equality of rewards leaves the group out"
            assert rollout.correct == is_right(seen.reward)


texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)


@given(completion=texts, prompt=texts, group=st.none() | texts, canary=st.booleans(), correct=st.none() | st.booleans())
def test_any_text_survives_the_way_through_json(
    completion: str, prompt: str, group: str | None, canary: bool, correct: bool | None
) -> None:
    sample = Sample(completion, prompt, None, "math", group)
    rollout = Rollout(7, Seen(sample, rewarded(sample, correct=True, helpful=0.5)), correct, canary)
    again = Rollout.from_dict(json.loads(json.dumps(rollout.to_dict())))
    assert again == rollout
    assert again.seen.reward.group == group


def test_lines_end_only_where_completions_end(tmp_path: Path) -> None:
    sample = Sample("one\ntwo\u2028three\rfour", "p", task="math")
    writer = RolloutWriter(tmp_path)
    writer.begin(ABOUT)
    writer.write(Step(1, [Seen(sample, rewarded(sample, correct=True, helpful=0.0))]), is_right)
    assert logged(tmp_path)[1][0].seen.sample.completion == sample.completion


def test_whole_prompts_are_kept_as_many_as_fit(tmp_path: Path) -> None:
    writer = RolloutWriter(tmp_path, keep=10)
    writer.begin(ABOUT)
    step = next(steps(1, None))
    writer.write(step, is_right)
    assert [each.seen for each in logged(tmp_path)[1]] == list(step.seen[:8]), (
        "two prompts of four; a third is too much"
    )


def test_a_prompt_with_more_completions_than_are_kept_is_cut(tmp_path: Path) -> None:
    writer = RolloutWriter(tmp_path, keep=3)
    writer.begin(ABOUT)
    writer.write(next(steps(1, None)), is_right)
    assert len(logged(tmp_path)[1]) == 3


def test_canaries_are_kept_besides_and_marked(tmp_path: Path) -> None:
    step = next(steps(1, None))
    writer = RolloutWriter(tmp_path, keep=4)
    writer.begin(ABOUT)
    writer.write(Step(1, step.seen, canaries=step.seen[:2]), is_right)
    assert [each.canary for each in logged(tmp_path)[1]] == [False] * 4 + [True] * 2


def test_keeping_none_writes_nothing(tmp_path: Path) -> None:
    writer = RolloutWriter(tmp_path, keep=0)
    writer.begin(ABOUT)
    writer.write(next(steps(1, None)), is_right)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_keeps_none_leaves_none_of_an_earlier_run_to_be_taken_for_its_own(tmp_path: Path) -> None:
    write_run(tmp_path, number=3)
    RolloutWriter(tmp_path, keep=0).begin(ABOUT, step=2)
    assert list(logged(tmp_path)) == [1, 2], "of before the checkpoint"
    RolloutWriter(tmp_path, keep=0).begin(ABOUT)
    assert list((tmp_path / "rollouts").iterdir()) == []


def test_going_on_from_a_checkpoint_removes_what_came_after_it(tmp_path: Path) -> None:
    write_run(tmp_path, number=12)
    RolloutWriter(tmp_path).begin(ABOUT, step=9)
    assert list(logged(tmp_path)) == list(range(1, 10))


def test_a_file_that_a_killed_run_left_unfinished_is_no_step(tmp_path: Path) -> None:
    write_run(tmp_path, number=2)
    (tmp_path / "rollouts" / "step-000003.jsonl.part").write_text('{"step": 3, "comp')
    assert list(logged(tmp_path)) == [1, 2]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"step": 2, "compl', "not JSON"),
        ('{"step": 2}', "no 'completion'"),
        ('{"step": 2, "completion": 7, "prompt": "", "task": "math", "reward": {}}', "'completion' must be text"),
        ('{"step": 2, "completion": "", "prompt": "", "task": "", "reward": {"components": {}}}', "no 'total'"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str, why: str) -> None:
    write_run(tmp_path, number=2)
    file = tmp_path / "rollouts" / "step-000002.jsonl"
    first = file.read_text().splitlines()[0]
    file.write_text(f"{first}\n{line}\n")
    with pytest.raises(DataError, match=rf"step-000002\.jsonl:2: .*{why}"):
        logged(tmp_path)


@pytest.mark.parametrize("text", [None, "{", "[]", '{"tasks": {"math": {"name": "math", "sources": 3}}}'])
def test_a_missing_or_damaged_description_of_the_sources_is_named(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "about.json").write_text(text)
    with pytest.raises(DataError, match=r"about\.json.*what the sources are"):
        read_about(tmp_path)


def test_a_description_holds_the_monitors_as_the_recipe_has_them(tmp_path: Path) -> None:
    RolloutWriter(tmp_path).begin(About(ABOUT.tasks, {"hedging": False, "keep": 64}))
    assert read_about(tmp_path / "rollouts").monitors == {"hedging": False, "keep": 64}
