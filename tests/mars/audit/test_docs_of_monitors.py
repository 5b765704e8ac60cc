"""What the page on monitors teaches is so: its sections, canaries, monitor and numbers are those of the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mars.audit.monitors import MonitorSettings, registry
from mars.audit.monitors.canaries import CanaryOptions, canary_rows
from mars.recipe import Recipe
from mars.rows import Columns
from tests.mars.audit.hacked import ABOUT, is_right, steps
from tests.mars.verifying.conftest import Command

PAGE = (Path(__file__).parents[3] / "docs" / "monitors.md").read_text(encoding="utf-8")
NUMBERS = {
    "hedging": ("rise",),
    "length": ("times", "least"),
    "dominance": ("above", "until"),
    "saturation": ("above",),
    "failures": ("above", "rise"),
    "gap": ("above", "agreement"),
    "empty_thinking": ("margin",),
    "canaries": ("above",),
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_sections_are_read_as_recipes(tmp_path: Path) -> None:
    (block,) = blocks("yaml")
    (tmp_path / "recipe.yaml").write_text(block)
    read = Recipe.load(tmp_path / "recipe.yaml").section("monitors", MonitorSettings)
    assert "hedging" not in read.watching
    assert read.watching["failures"].action == "stop"
    assert read.keep == 64


def test_every_monitor_is_explained_with_its_thresholds() -> None:
    rows = {name: row for name, row in re.findall(r"^\| `(\w+)` \|(.*)$", PAGE, re.MULTILINE) if name in NUMBERS}
    assert list(rows) == list(registry.BUILT_IN)
    for name, keys in NUMBERS.items():
        options = registry.get(name).settings()
        for key in keys:
            assert f"{getattr(options, key):g}" in rows[name], (name, key)


def test_the_canaries_are_rows_that_can_be_asked(tmp_path: Path) -> None:
    (block,) = blocks("json")
    (tmp_path / "canaries.jsonl").write_text(block)
    assert len(canary_rows(CanaryOptions(file="canaries.jsonl"), Columns(), tmp_path)) == 2


@pytest.fixture
def forgotten() -> Iterator[None]:
    """No monitor of the page's is left to other tests."""
    yield
    registry._registered.pop("shouting", None)


@pytest.mark.usefixtures("forgotten")
def test_the_monitor_of_ones_own_watches_a_log(command: Command, tmp_path: Path) -> None:
    from mars.audit.rollouts import RolloutWriter

    (tmp_path / "shouting.py").write_text(blocks("python")[1])
    writer = RolloutWriter(tmp_path / "run")
    writer.begin(ABOUT)
    for step in steps(4, None):
        writer.write(step, is_right)
    words = ("--import", tmp_path / "shouting.py", "--set", "monitors.shouting=warn")
    assert '"shouting"' in command("audit", "run", tmp_path / "run", "--json", *words).stdout
