"""`mars eval` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from evals.cli import evaluate
from mars.errors import MarsError

ENTRY = "from mars.cli import main; main()"


def _mars(*arguments: str | int | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", ENTRY, "eval", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)


def _told(*arguments: str | Path) -> str:
    """Run the command in this process and return the error that `mars` would print."""
    app = typer.Typer()
    app.command()(evaluate)
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert isinstance(result.exception, MarsError), result.output
    return str(result.exception)


def test_json_and_files(tiny_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = _mars(
        "tiny", "--model", tiny_folder, "-k", 2, "--limit", 8, "--output", out, "--json", "--device", "cpu",
        cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    [printed] = json.loads(done.stdout)["results"]
    assert printed == json.loads((out / "result.json").read_text())
    assert (printed["overall"]["problems"], printed["overall"]["samples"]) == (8, 16)
    assert {"mean", "low", "high"} <= printed["overall"]["average"].keys()
    rows = [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]
    assert [row["sample"] for row in rows] == [0, 1] * 8
    assert {"prompt", "completion", "reference", "task", "group", "sample", "mars"} <= rows[0].keys()
    assert rows[0]["mars"]["components"].keys() == {"correct", "brevity"}
    assert len({row["completion"] for row in rows}) == 16
    assert sorted(path.name for path in out.iterdir()) == ["records.jsonl", "result.json"]


def test_the_table_for_people(tiny_folder: Path, tmp_path: Path) -> None:
    done = _mars("tiny", "-m", tiny_folder, "--limit", 8, "--temperature", 0, "--max-tokens", 4, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for part in ("avg@1", "greedy, at most 4 tokens, first 8 problems", "easy", "hard", "all", "truncated"):
        assert part in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_mistake_is_one_line_and_the_status_2(tiny_folder: Path, tmp_path: Path) -> None:
    done = _mars("tinny", "--model", tiny_folder, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: no benchmark 'tinny'. Did you mean 'tiny'?\n"


def test_a_recipe_grades_in_place_of_the_benchmarks_own(tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from mars import reward\n\n"
        "@reward('generous', kind='verifier')\ndef generous(completion: str) -> bool:\n    return True\n"
    )
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("reward: {imports: [mine.py], sources: {generous: 2.0}}\ntrain: {steps: 3}\n")
    done = _mars(
        "tiny", "-m", tiny_folder, "-k", 1, "--limit", 4, "--recipe", recipe, "--json",
        "--set", "reward.sources.generous=0.5", cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    [result] = json.loads(done.stdout)["results"]
    assert result["overall"]["average"]["mean"] == 1.0
    assert result["overall"]["mean_total"] == 0.5


def test_importing_the_command_is_cheap() -> None:
    code = "import sys, evals.cli; print([m for m in ('torch', 'rich.table', 'lm_eval', 'yaml') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "torch" not in done.stdout and "lm_eval" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["tiny", "tiny"], "the benchmark 'tiny' is named twice"),
        (["tiny", "--recipe", "nowhere.yaml"], "cannot read the recipe nowhere.yaml"),
        (["tiny", "--set", "train.steps=3"], "only the reward can be changed here"),
        (["tiny", "--set", "reward.sources.correct.source=exactt"], "Did you mean 'exact'?"),
        (["tiny", "--set", "reward.sources.brevity.wight=1"], "Did you mean 'weight'?"),
        (["tiny", "--set", "reward.tasks={hard: [correct]}"], "no sources for the benchmark's task 'easy'"),
        (["tiny", "--temperature", "0", "-k", "4"], "at temperature 0 all 4 samples"),
        (["tiny", "--import", "no_such_module_here"], "no_such_module_here does not import"),
        (["tiny", "--max-tokens", "600"], "use --max-tokens 4"),
        (["tiny", "--device", "abacus"], "--device abacus: not a device"),
    ],
)
def test_mistakes_are_told(arguments: list[str], told: str, tiny_folder: Path) -> None:
    assert told in _told(*arguments, "--model", tiny_folder)


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    assert _told("tiny", "--model", tmp_path / "none") == f"--model {tmp_path / 'none'}: there is no such folder"
    assert "has no config.json" in _told("tiny", "--model", tmp_path)
    (tmp_path / "file").touch()
    assert "is a file" in _told("tiny", "--model", tmp_path / "file")


def test_a_folder_that_cannot_be_written_is_found_before_the_model_loads(tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = _told("tiny", "--model", tiny_folder, "--output", tmp_path / "file" / "out")
    assert "cannot be written to" in told
