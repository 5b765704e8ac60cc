"""`mars train` as a user runs it: recipes, overrides, a stop that resumes, and errors that name the line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from mars import MarsError, RewardSystem, Sample, TrainingError
from mars.recipe import Recipe
from trainers.evaluation import Evaluation, Graded
from trainers.run import Outcome, Plan, run
from trainers.story import write_story
from trainers.verdicts import read_evaluation, write_evaluation

RECIPE = """\
title: A short run
model: {{path: {model}}}
data: {{source: tiny, size: 64, test_size: 6}}
reward:
  sources:
    correct: {{source: exact}}
    brevity: {{source: length, weight: 0.3, settings: {{part: thinking, limit: 10}}}}
  gate: correct
train:
  max_steps: 3
  per_device_train_batch_size: 8
  num_generations: 4
  max_completion_length: 6
  learning_rate: 3e-4
  report_to: none
  seed: 0
evaluate: {{every: 2, every_size: 4}}
"""


@pytest.fixture
def recipe(nonsense: str, tmp_path: Path) -> Path:
    file = tmp_path / "recipe.yaml"
    file.write_text(RECIPE.format(model=nonsense))
    return file


def mars(*arguments: str | Path, cwd: Path) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).with_name("mars")), *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=cwd, text=True, stdout=pipe, stderr=pipe, env=os.environ | {"COLUMNS": "200"})


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=200)
    return process.returncode, out, err


def test_a_run_leaves_the_model_the_numbers_and_the_story(recipe: Path, tmp_path: Path) -> None:
    code, out, err = finish(mars("train", recipe, "-o", "run", "--set", "train.max_steps=2", cwd=tmp_path))
    assert code == 0, err
    folder = tmp_path / "run"
    result = json.loads((folder / "result.json").read_text())
    assert result["steps"] == 2
    assert result["recipe"]["train"]["max_steps"] == 2
    assert set(result["before"]) == set(result["after"]) == {"easy", "hard", "all"}
    assert "test problems" in out
    assert (folder / "model" / "model.safetensors").exists()
    assert (folder / "model" / "tokenizer.json").exists()
    history = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    assert [row["step"] for row in history] == [0, 1, 2]
    assert "heldout/hard" in history[0] and "heldout/hard" in history[2]
    page = (folder / "index.html").read_text()
    assert "A short run" in page and "How it was learned" in page
    # Running again would write over it, which has to be asked for.
    code, _, err = finish(mars("train", recipe, "-o", "run", cwd=tmp_path))
    assert code == 2 and "--overwrite" in err


def test_ctrl_c_leaves_a_checkpoint_that_resumes(recipe: Path, tmp_path: Path) -> None:
    process = mars("train", recipe, "-o", "run", "--set", "train.max_steps=400", cwd=tmp_path)
    history = tmp_path / "run" / "history.jsonl"
    deadline = time.monotonic() + 120
    while not (history.exists() and '"step": 2' in history.read_text()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "training never took a second step"
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    code, out, err = finish(process)
    assert code == 130, err
    assert "--resume" in out
    [checkpoint] = (tmp_path / "run").glob("checkpoint-*")
    steps = int(checkpoint.name.partition("-")[2])
    other = mars("train", recipe, "-o", "run", "--resume", "--set", "reward.sources.brevity.weight=2", cwd=tmp_path)
    code, _, err = finish(other)
    assert code == 2 and "started with another reward" in err
    more = [f"train.max_steps={steps + 1}", "train.num_train_epochs=100"]
    changes = [part for change in more for part in ("--set", change)]
    code, out, err = finish(mars("train", recipe, "-o", "run", "--resume", *changes, cwd=tmp_path))
    assert code == 0, err
    logged = [json.loads(line)["step"] for line in history.read_text().splitlines()]
    assert logged == list(range(steps + 2)), "every step once, those before the stop included"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("train.max_step=3", "--set train.max_step: train.max_step: no such key. Did you mean 'max_steps'?"),
        ("train.reward_weights=[1]", "train.reward_weights: no such key. Weights are in `reward`."),
        ("reward.sources.correct.source=exat", "no reward source 'exat'. Did you mean 'exact'?"),
        ("reward.gate=corect", "no source 'corect' in this recipe. Did you mean 'correct'?"),
        ("rewards.gate=1", "no section 'rewards'. Did you mean 'reward'?"),
        ("data.source=nowhere.jsonl", "there is no file nowhere.jsonl"),
        ("columns.reference=answer", "no column 'answer' to be the reference"),
        ("train.num_generations=3", "train:"),
        ("model.path=no/such/folder", "no/such/folder"),
    ],
)
def test_mistakes_are_found_before_the_first_step(change: str, message: str, recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(MarsError) as raised:
        run(Recipe.load(recipe, [f"output={tmp_path / 'run'}", change]), Console(quiet=True))
    assert message in str(raised.value)


def test_a_mistake_in_the_file_names_its_line(recipe: Path, tmp_path: Path) -> None:
    recipe.write_text(recipe.read_text().replace("learning_rate", "learning_rat"))
    code, _, err = finish(mars("train", recipe, cwd=tmp_path))
    line = recipe.read_text().splitlines().index("  learning_rat: 3e-4") + 1
    assert code == 2
    assert "Traceback" not in err
    assert f"recipe.yaml:{line}: train.learning_rat: no such key. Did you mean 'learning_rate'?" in err


def test_data_that_no_source_can_score_is_refused(recipe: Path, tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text('{"prompt": "7a="}\n' * 8)
    with pytest.raises(TrainingError, match=r"none of the first 8 rows can be scored.*reference"):
        run(Recipe.load(recipe, [f"data.source={data}", f"output={tmp_path / 'run'}"]), Console(quiet=True))


def graded(system: RewardSystem, problem: int, text: str) -> Graded:
    sample = Sample(text, "7a=", "2", "hard")
    [reward] = system.score([sample])
    return Graded(problem, sample, reward, system.is_correct(reward))


def test_graded_answers_survive_a_file(tmp_path: Path) -> None:
    with RewardSystem({"sources": {"exact": 1}}) as system:
        evaluation = Evaluation((graded(system, 0, "<think>2</think>2"), graded(system, 1, "\ud800")), 1.5)
    write_evaluation(tmp_path / "answers.jsonl", evaluation)
    assert read_evaluation(tmp_path / "answers.jsonl") == evaluation


def test_the_page_shows_model_text_and_never_runs_it(recipe: Path, tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>\ud800"
    with RewardSystem({"sources": {"exact": 1}}) as system:
        evaluation = Evaluation((graded(system, 0, hostile),), 1.0)
        plan = Plan.of(Recipe.load(recipe))
        write_story(tmp_path / "page.html", plan, Outcome(tmp_path, evaluation, evaluation, False, {}), [], system)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page and "<img src=x" not in page
