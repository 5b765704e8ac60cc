"""The house keeps its shape: imports run one way, and importing the core is cheap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "transformers", "trl", "datasets", "sympy", "math_verify", "numpy", "pandas", "lm_eval")


def test_imports_run_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("module", ["mars", "mars.cli", "mars.sources", "trainers.cli", "evals.cli", "trainers.tiny"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    seen = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert seen.strip() == "[]"


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    packages = ("mars", "trainers", "sandboxes", "evals")
    files = [file for package in packages for file in (ROOT / package).rglob("*.py")]
    assert files
    assert not [file for file in files if file.stem in ("utils", "util", "helpers", "misc", "common")]
    assert not [file for file in files if len(file.read_text().splitlines()) > 450]
