"""What the demo does on three seeds: held-out accuracy before and after, and where the time goes.

    python benchmarks/demo.py

The peer is the model itself before reinforcement learning: the same weights, the same problems, the same reward.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
SEEDS = (0, 1, 2)


def run(seed: int, folder: Path) -> tuple[dict, float]:
    """Run the demo's recipe with a seed, and return its result and the wall time of the whole command."""
    out = folder / f"seed-{seed}"
    command = [Path(sys.executable).with_name("mars"), "train", ROOT / "recipes" / "demo.yaml", "-o", out / "demo"]
    changes = [f"--set={key}={seed}" for key in ("model.seed", "data.seed", "train.seed", "evaluate.seed")]
    start = time.perf_counter()
    quiet = subprocess.DEVNULL
    subprocess.run(
        [*command, *changes], check=True, stdout=quiet, stderr=quiet, env=os.environ | {"TRACKIO_DIR": str(folder)}
    )
    return json.loads((out / "demo" / "result.json").read_text()), time.perf_counter() - start


def share(found: dict[str, float]) -> str:
    """Write an accuracy with its interval."""
    return f"{found['accuracy']:.1%} [{found['low']:.1%}, {found['high']:.1%}]"


def main() -> None:
    """Run and print the table."""
    table = Table("seed", "hard before", "hard after", "easy after", "warm start s", "training s", "whole command s")
    with tempfile.TemporaryDirectory() as folder:
        for seed in SEEDS:
            result, seconds = run(seed, Path(folder))
            before, after, parts = result["before"], result["after"], result["seconds"]
            table.add_row(
                str(seed),
                share(before["hard"]),
                share(after["hard"]),
                share(after["easy"]),
                f"{parts['warm start']:.0f}",
                f"{parts['training']:.0f}",
                f"{seconds:.0f}",
            )
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
