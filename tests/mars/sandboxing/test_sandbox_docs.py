"""What docs/sandbox.md says is so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mars.recipe import SECTIONS, Recipe
from mars.sandboxing.settings import OPTIONS, SandboxSettings, open_from
from mars.sandboxing.show import LAYERS
from mars.sandboxing.tests_file import read_tests
from sandboxes import Limits, Verdict, checker
from sandboxes.local import ESSENTIAL
from sandboxes.types import SEVERITY

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "sandbox.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def rows(heading: str) -> list[list[str]]:
    """The cells of the table of a section, without its head."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    table = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip(" |") for cell in row] for row in table[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_quick_start_runs_and_prints_what_the_page_says(local_sandbox: None) -> None:
    done = subprocess.run([sys.executable, "-c", blocks("python")[0]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"prints `{done.stdout.strip()}`" in PAGE


def test_the_readmes_example_runs(local_sandbox: None) -> None:
    examples = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    [example] = [example for example in examples if "open_sandbox" in example]
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, check=False)
    assert done.stdout == "accepted\n", done.stderr


def test_the_file_of_tests_reads(tmp_path: Path) -> None:
    [written] = blocks("json")
    (tmp_path / "t.json").write_text(written)
    assert len(read_tests(tmp_path / "t.json").tests) == len(json.loads(written)["tests"])


def test_the_recipes_are_right() -> None:
    for recipe in (Recipe.parse(blocks("yaml")[0]), Recipe.load(ROOT / "recipes" / "sandbox.yaml")):
        recipe.only(SECTIONS)
        recipe.section("sandbox", SandboxSettings)


def test_every_verdict_is_there_with_its_code() -> None:
    assert [(name, code) for name, code, _ in rows("Verdicts")] != []
    assert {name: code for name, code, _ in rows("Verdicts")} == {each.value: each.code for each in Verdict}
    assert ", ".join(each.code for each in SEVERITY) in PAGE


def test_every_limit_is_there_with_its_default() -> None:
    found = {}
    for limits, default, _ in rows("Limits"):
        found |= dict(zip(names(limits), default.split(", "), strict=False))
    assert set(found) == {*Limits.__dataclass_fields__}
    assert {name: float(value) for name, value in found.items() if name != "wall_s"} == {
        name: getattr(Limits(), name) for name in found if name != "wall_s"
    }


def test_every_checker_is_there_and_works_as_it_is_written() -> None:
    written = [spec for cell, _ in rows("Checkers") for spec in names(cell)]
    kinds = {checker(spec).name for spec in written if not spec.startswith("special")} | {"special"}
    with pytest.raises(ValueError) as caught:
        checker("none")
    assert all(kind in str(caught.value) for kind in kinds)
    assert len(kinds) == len(str(caught.value).partition("Known: ")[2].split(","))
    assert checker("exact:tuple_as_list=false") != checker("exact")


def test_every_layer_is_there_and_whether_it_is_essential() -> None:
    found = {name: whether for name, _, whether in rows("What each layer stops")}
    assert list(found) == list(LAYERS)
    assert [name for name, whether in found.items() if whether == "essential"] == list(ESSENTIAL)


def test_every_key_of_a_recipe_is_there_under_the_backends_that_have_it() -> None:
    found = {name: backends for keys, backends, _ in rows("Recipes") for name in names(keys)}
    assert set(found) == set(SandboxSettings.model_fields)
    for key in set().union(*OPTIONS.values()):
        having = [name for name, keys in OPTIONS.items() if key in keys]
        assert found[key] == ("every backend" if len(having) == len(OPTIONS) else ", ".join(having)), key


def test_the_recipe_to_copy_opens_a_sandbox(local_sandbox: None) -> None:
    settings = Recipe.load(ROOT / "recipes" / "sandbox.yaml").section("sandbox", SandboxSettings)
    with open_from(settings) as sandbox:
        assert sandbox.backend.name == "local"
