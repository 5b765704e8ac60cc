"""Watching a run: what the monitors see is logged and kept, an alarm is said once and may stop the run, in order."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset
from rich.console import Console
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from mars import ConfigError, RewardSystem
from mars.adapters.trl import reward_functions, reward_weights
from mars.audit.monitors.options import Options
from mars.audit.monitors.registry import monitor
from mars.audit.monitors.types import Reading, Scene, Step
from mars.audit.rollouts import read_about, read_rollouts
from mars.audit.run.logs import open_log
from mars.recipe import Recipe
from trainers.closing import closing_words
from trainers.grpo import MarsGRPOTrainer
from trainers.monitoring import watch_run
from trainers.run import run
from trainers.tiny import task as tiny_task

BATCH, GROUP = 8, 4
QUIET = {"keep": 128}


@monitor("counting_steps", advice="Nothing can be done about the passing of time.")
class CountingSteps:
    """The number of steps that were shown; three are alarming."""

    def __init__(self, options: Options, scene: Scene) -> None:
        self.steps = 0
        self.shown: list[Step] = []

    def read(self, step: Step) -> list[Reading]:
        self.steps += 1
        self.shown.append(step)
        return [Reading("", float(self.steps), 3.0, self.steps >= 3, f"{self.steps} steps \ud800 [b]went by")]

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.steps = state["steps"]


COUNT = {"counting_steps": {"patience": 1}}
HALT = {"counting_steps": {"patience": 1, "action": "stop"}}


@pytest.fixture
def five(config: GRPOConfig) -> GRPOConfig:
    config.max_steps = 5
    return config


@pytest.fixture
def no_shaping() -> Iterator[RewardSystem]:
    """Says nothing of most nonsense, so that weights stand still."""
    with RewardSystem({"sources": {"correct": {"source": "exact"}, "repetition": 0.5}, "weighting": "static"}) as made:
        yield made


def trained(
    model: str, system: RewardSystem, config: GRPOConfig, rows: Dataset, monitors: Any, **options: Any
) -> MarsGRPOTrainer:
    trainer = MarsGRPOTrainer(model, system, config, train_dataset=rows, monitors=monitors)
    trainer.train(**options)
    return trainer


def logged(trainer: Any, key: str) -> list[float]:
    return [row[key] for row in trainer.state.log_history if key in row]


def kept(folder: str | Path | None) -> dict[int, list[dict[str, Any]]]:
    return {
        number: [each.to_dict() for each in found] for number, found in read_rollouts(Path(str(folder)) / "rollouts")
    }


def test_each_step_is_shown_logged_and_kept(
    nonsense: str, system: RewardSystem, config: GRPOConfig, rows: Dataset
) -> None:
    trainer = trained(nonsense, system, config, rows, COUNT)
    assert logged(trainer, "mars/monitor/counting_steps") == [1.0, 2.0]
    found = kept(config.output_dir)
    assert {number: len(rollouts) for number, rollouts in found.items()} == {1: BATCH, 2: BATCH}
    scorer = trainer._functions[0].scorer
    assert [each["completion"] for each in found[2]] == [sample.completion for sample in scorer.samples]
    assert [each["reward"]["total"] for each in found[2]] == [reward.total for reward in scorer.rewards]
    about = read_about(Path(str(config.output_dir)) / "rollouts")
    assert about.tasks == system.tasks
    assert about.monitors["counting_steps"]["patience"] == 1


def test_evaluation_is_not_shown(nonsense: str, system: RewardSystem, config: GRPOConfig, rows: Dataset) -> None:
    config.eval_strategy, config.eval_steps = "steps", 1  # type: ignore[assignment]
    config.per_device_eval_batch_size = BATCH
    trainer = MarsGRPOTrainer(nonsense, system, config, train_dataset=rows, eval_dataset=rows, monitors=COUNT)
    trainer.train()
    assert logged(trainer, "mars/monitor/counting_steps") == [1.0, 2.0]
    assert {number: len(rollouts) for number, rollouts in kept(config.output_dir).items()} == {1: BATCH, 2: BATCH}


def test_a_warning_is_said_once_and_the_run_goes_on(
    nonsense: str, system: RewardSystem, five: GRPOConfig, rows: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "trainers.monitoring"):
        trainer = trained(nonsense, system, five, rows, COUNT)
    said = [record.getMessage() for record in caplog.records if "counting_steps" in record.getMessage()]
    assert len(said) == 1 and "alarm at step 3" in said[0] and "passing of time" in said[0]
    assert trainer.state.global_step == 5
    assert logged(trainer, "mars/alarm/counting_steps") == [1.0, 1.0, 1.0]
    assert [alarm.monitor for alarm in trainer.monitoring.alarms] == ["counting_steps"]


def test_an_alarm_that_stops_ends_the_run_with_a_checkpoint(
    nonsense: str, system: RewardSystem, five: GRPOConfig, rows: Dataset
) -> None:
    trainer = trained(nonsense, system, five, rows, HALT)
    assert trainer.state.global_step == 3
    assert trainer.monitoring.halted is not None and trainer.monitoring.halted.step == 3
    assert (Path(str(five.output_dir)) / "checkpoint-3" / "trainer_state.json").exists()


def test_a_resumed_run_keeps_and_raises_what_an_unbroken_one_does(
    nonsense: str, no_shaping: RewardSystem, five: GRPOConfig, rows: Dataset, tmp_path: Path
) -> None:
    five.save_strategy, five.save_steps = "steps", 2  # type: ignore[assignment]
    whole = trained(nonsense, no_shaping, five, rows, COUNT)
    before, folder = kept(five.output_dir), Path(str(five.output_dir))
    again = copy.copy(five)
    again.reward_weights = None
    (folder / "rollouts" / "step-000009.jsonl").write_text("of a run that went further\n")
    resumed = trained(nonsense, no_shaping, again, rows, COUNT, resume_from_checkpoint=str(folder / "checkpoint-2"))
    assert resumed.monitoring.alarms == whole.monitoring.alarms
    assert resumed.monitoring.state_dict() == whole.monitoring.state_dict()

    def texts(found: Mapping[int, Sequence[Mapping[str, Any]]]) -> dict[int, list[str]]:
        return {number: [each["completion"] for each in rollouts] for number, rollouts in found.items()}

    assert texts(kept(five.output_dir)) == texts(before)


def test_monitors_can_be_turned_off(nonsense: str, system: RewardSystem, config: GRPOConfig, rows: Dataset) -> None:
    trainer = trained(nonsense, system, config, rows, "off")
    assert not any(key.startswith("mars/monitor/") for row in trainer.state.log_history for key in row)
    assert not (Path(str(config.output_dir)) / "rollouts").exists()


def test_an_unknown_monitor_is_refused_at_start(
    nonsense: str, system: RewardSystem, config: GRPOConfig, rows: Dataset
) -> None:
    with pytest.raises(ConfigError, match="no monitor 'hedgehog'"):
        MarsGRPOTrainer(nonsense, system, config, train_dataset=rows, monitors={"hedgehog": {}})


@pytest.fixture
def canaries(tmp_path: Path) -> Path:
    file = tmp_path / "canaries.jsonl"
    problems = tiny_task.problems("train", 3, seed=7)
    file.write_text("".join(json.dumps(row | {"reference": "unreachable"}) + "\n" for row in problems))
    return file


def test_canaries_are_asked_shown_and_never_trained_on(
    nonsense: str, no_shaping: RewardSystem, config: GRPOConfig, rows: Dataset, canaries: Path
) -> None:
    plain = trained(nonsense, no_shaping, config, rows, QUIET)
    without = kept(config.output_dir)
    config.reward_weights = None
    asking = {"canaries": {"file": str(canaries), "every": 2, "samples": 3}}
    trainer = trained(nonsense, no_shaping, config, rows, asking)
    found = kept(config.output_dir)
    assert [sum(each["canary"] for each in found[number]) for number in (1, 2)] == [0, 9]
    assert {each["reference"] for each in found[2] if each["canary"]} == {"unreachable"}
    assert logged(trainer, "mars/monitor/canaries") == [0.0]
    trained_on = {number: [e["completion"] for e in each if not e["canary"]] for number, each in found.items()}
    assert trained_on == {number: [e["completion"] for e in each] for number, each in without.items()}
    assert logged(trainer, "loss") == logged(plain, "loss"), "asking leaves the random numbers as they were"


def test_trls_own_trainer_is_watched_too(nonsense: str, system: RewardSystem, five: GRPOConfig, rows: Dataset) -> None:
    functions = reward_functions(system)
    five.reward_weights = reward_weights(functions)
    five.log_completions = True
    five.eval_strategy, five.eval_steps = "steps", 2  # type: ignore[assignment]
    five.per_device_eval_batch_size = BATCH
    reward_funcs: Any = list(functions)
    trainer = GRPOTrainer(nonsense, reward_funcs, five, train_dataset=rows, eval_dataset=rows)
    monitoring = watch_run(trainer, functions, HALT)
    trainer.train()
    assert trainer.state.global_step == 3
    assert monitoring.halted is not None
    assert logged(trainer, "mars/monitor/counting_steps") == [1.0, 2.0, 3.0]
    state = json.loads((Path(str(five.output_dir)) / "checkpoint-3" / "mars_monitors.json").read_text())
    assert state["monitors"]["counting_steps"] == {"steps": 3}
    # TRL's own tables of the same run hold the same completions.
    tables = dict(open_log(Path(str(five.output_dir)) / "completions").steps())
    assert [each.seen.sample.completion for each in tables[1]] == [
        each["completion"] for each in kept(five.output_dir)[1]
    ]


def test_all_that_a_step_of_several_batches_scores_is_shown(
    nonsense: str, system: RewardSystem, config: GRPOConfig, rows: Dataset
) -> None:
    functions = reward_functions(system)
    config.reward_weights = reward_weights(functions)
    config.gradient_accumulation_steps, config.steps_per_generation = 3, 1
    reward_funcs: Any = list(functions)
    trainer = GRPOTrainer(nonsense, reward_funcs, config, train_dataset=rows)
    monitoring = watch_run(trainer, functions, COUNT)
    trainer.train()
    watched: Any = monitoring.watch._watched["counting_steps"].monitor
    assert [len(step.seen) for step in watched.shown] == [3 * BATCH, 3 * BATCH]


def test_canaries_that_fall_due_between_two_generations_are_asked_at_the_next(
    nonsense: str, no_shaping: RewardSystem, five: GRPOConfig, rows: Dataset, canaries: Path
) -> None:
    five.steps_per_generation = 2
    five.save_strategy, five.save_steps = "steps", 2  # type: ignore[assignment]
    asking = {"canaries": {"file": str(canaries), "every": 2, "samples": 1}}
    trained(nonsense, no_shaping, five, rows, asking)
    whole = kept(five.output_dir)
    assert {number: sum(each["canary"] for each in found) for number, found in whole.items()} == {1: 0, 3: 3, 5: 3}
    five.reward_weights = None
    checkpoint = str(Path(str(five.output_dir)) / "checkpoint-2")
    trained(nonsense, no_shaping, five, rows, asking, resume_from_checkpoint=checkpoint)
    resumed = kept(five.output_dir)
    assert {number: sum(each["canary"] for each in found) for number, found in resumed.items()} == {1: 0, 3: 3, 5: 3}


RECIPE = """\
model: {{path: {model}}}
data: {{source: tiny, size: 64, test_size: 4}}
reward:
  sources: {{correct: {{source: exact}}, repetition: 0.5}}
  weighting: static
train:
  max_steps: 5
  per_device_train_batch_size: 8
  num_generations: 4
  max_completion_length: 6
  report_to: none
  seed: 0
monitors: {{counting_steps: {{patience: 1, action: stop}}, canaries: {{file: canaries.jsonl, every: 2, samples: 1}}}}
output: {folder}
"""


def test_mars_train_says_why_it_stopped_and_leaves_the_alarms(nonsense: str, tmp_path: Path, canaries: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.format(model=nonsense, folder=tmp_path / "run"))
    screen = Console(record=True, width=200)
    outcome = run(Recipe.load(recipe), screen)
    assert outcome.stopped and outcome.halted is not None and outcome.after is None
    assert "alarm at step 3: counting_steps" in screen.export_text()
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["steps"] == 3
    assert result["stopped_by"]["monitor"] == "counting_steps" == result["alarms"][0]["monitor"]
    page = (tmp_path / "run" / "index.html").read_text(errors="replace")
    assert "The run was stopped at step 3 by counting_steps" in page
    words = [str(each) for each in closing_words(outcome, recipe, [])]
    assert any("counting_steps" in each and "stopped" in each for each in words)
    assert any("--resume" in each for each in words) and any("audit run" in each for each in words)
    assert sum(each["canary"] for each in kept(tmp_path / "run")[2]) == 3
    resumed = run(Recipe.load(recipe), screen, resume=True)
    assert not resumed.stopped, "an alarm that stands is not raised again"
    assert sorted(kept(tmp_path / "run")) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (["monitors.canaries.file=nowhere.jsonl"], "monitors.canaries.file: cannot read the canaries"),
        (["monitors.lenght=off"], r"monitors.lenght: no monitor 'lenght'. Did you mean 'length'"),
    ],
)
def test_mistakes_in_the_section_are_found_before_anything_runs(
    nonsense: str, tmp_path: Path, canaries: Path, changes: list[str], why: str
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.format(model=nonsense, folder=tmp_path / "run"))
    with pytest.raises(ConfigError, match=why):
        run(Recipe.load(recipe, changes), Console(quiet=True))
