"""What counts as a verdict: only what a source said, at a threshold that means something."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mars import ConfigError, DataError, RewardSystem, Sample, Score, Status, registry, reward
from mars.contract import check_source
from mars.rows import Columns
from mars.scoring import Job, score_file

SAMPLE = Sample("4", reference="4")


def correct(settings: dict[str, Any]) -> bool | None:
    with RewardSystem(settings) as system:
        [found] = system.score([SAMPLE])
        return system.is_correct(found)


@pytest.mark.parametrize("value", [0, 1])
def test_a_value_that_the_recipe_puts_in_is_no_verdict(value: int) -> None:
    @reward("verdict_unsure", kind="verifier", deadline=None)
    def unsure(completion: str) -> Score:
        return Score.failed(Status.UNDECIDED, "cannot tell")

    assert correct({"sources": {"verdict_unsure": {"on_failure": value}}}) is None
    stand_in = {"sources": {"verdict_unsure": {"fallback": "exact", "on_failure": value}, "exact": {}}}
    assert correct(stand_in) is True, "a fallback's verdict is one"


@pytest.mark.parametrize(("value", "right"), [(1.0, False), (5.0, False), (6.0, True), (10.0, True)])
def test_without_a_gate_the_middle_of_the_range_divides_right_from_wrong(value: float, right: bool) -> None:
    @reward("verdict_grade", kind="judge", range=(1, 10), deadline=None)
    def grade(completion: str) -> float:
        return value

    assert correct({"sources": {"verdict_grade": 1}}) is right


def test_the_verdict_is_a_verifiers_even_behind_a_required_metric() -> None:
    assert correct({"sources": {"format": {"required": True}, "exact": 1}}) is True


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sources": {"repetition": 1}, "gate": "repetition"}, "never opens"),
        ({"sources": {"exact": 1}, "gate": {"source": "exact", "threshold": 7}}, "never opens"),
        ({"sources": {"exact": 1}, "gate": {"source": "exact", "threshold": 0}}, "is never closed"),
    ],
)
def test_a_gate_that_cannot_move_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RewardSystem(settings)


def test_a_changed_function_is_another_recipe_to_a_resumed_run(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps({"completion": "a"}) + "\n")

    def run(value: float) -> None:
        code = compile(f"def changing(completion: str) -> float:\n    return {value}\n", str(tmp_path / "c.py"), "exec")
        space: dict[str, Any] = {"__name__": "changing_source"}
        exec(code, space)
        reward("verdict_changing", deadline=None)(space["changing"])
        with RewardSystem({"sources": {"verdict_changing": 1}}) as system:
            score_file(Job(system, tmp_path / "in.jsonl", tmp_path / "out.jsonl"))

    run(1.0)
    run(1.0)
    with pytest.raises(DataError, match="another recipe"):
        run(0.0)


def test_a_column_has_one_role() -> None:
    with pytest.raises(ValueError, match="two roles"):
        Columns(completion="answer", reference="answer")


@pytest.mark.parametrize("key", ["reasoning_content", "thinking"])
def test_thinking_that_was_parsed_out_of_a_message_is_put_back(key: str) -> None:
    message = {"role": "assistant", key: "2 and 2", "content": "4"}
    row = {"prompt": "2+2", "completion": [message]}
    for prefix in ("", "<think>"):
        assert Columns().to_sample(row, prefix).completion == "<think>2 and 2</think>4"


def test_the_contract_catches_a_batch_that_comes_back_in_another_order() -> None:
    @reward("verdict_swapped", deadline=None)
    def swapped(completions: list[str]) -> list[float]:
        return [min(1.0, len(text) / 1e7) for text in completions][::-1]

    findings = check_source(registry.get("verdict_swapped").configure())
    assert any("in order" in finding.check and not finding.passed for finding in findings)
