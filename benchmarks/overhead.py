"""What MARS costs around a source that costs nothing, beside the ways in which one would run it without MARS.

    python benchmarks/overhead.py            # prints the table that is kept in benchmarks/RESULTS.md

Each figure is the median of several rounds; the peers take turns within one process, so that a busy moment hits all.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import itertools
import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from mars import RewardSystem, Sample, reward
from mars.adapters.trl import reward_functions

ROUNDS = 15
BATCH = 1024


@reward("bench_in_line", deadline=None)
def in_line(completion: str, reference: str) -> bool:
    """Compare two short texts, in the caller's thread."""
    return completion == reference


@reward("bench_watched")
def watched(completion: str, reference: str) -> bool:
    """Compare two short texts, in a thread with a deadline."""
    return completion == reference


@reward("bench_isolated", isolated=True)
def isolated(completion: str, reference: str) -> bool:
    """Compare two short texts, in a killable worker process."""
    return completion == reference


def compare(pair: tuple[str, str]) -> bool:
    """What the sources do, for the peers."""
    return pair[0] == pair[1]


def in_a_process_of_its_own(pairs: Sequence[tuple[str, str]]) -> None:
    """Start a process a sample, as harnesses do that must be able to kill one."""
    context = multiprocessing.get_context("fork")
    for pair in pairs:
        process = context.Process(target=compare, args=(pair,))
        process.start()
        process.join()


def medians(contenders: dict[str, tuple[int, Callable[[], object]]]) -> dict[str, float]:
    """Return microseconds a sample for each contender: its samples a call, and the call."""
    for _, work in contenders.values():
        work()
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, (samples, work) in contenders.items():
            start = time.perf_counter()
            work()
            taken[name].append((time.perf_counter() - start) / samples * 1e6)
    return {name: statistics.median(values) for name, values in taken.items()}


def import_seconds(module: str) -> float:
    """Return the median time that a fresh interpreter spends importing a module."""
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    runs = [float(subprocess.check_output([sys.executable, "-c", code], stderr=subprocess.DEVNULL)) for _ in range(5)]
    return statistics.median(runs)


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skip-imports", action="store_true", help="leave out the import times")
    options = parser.parse_args()
    pairs = [(f"answer {i}", f"answer {i // 2 * 2}") for i in range(BATCH)]
    samples = [Sample(completion, reference=reference) for completion, reference in pairs]
    systems = {name: RewardSystem({"sources": {f"bench_{name}": 1.0}}) for name in ("in_line", "watched", "isolated")}
    [trl] = reward_functions(systems["in_line"])
    texts, references = [list(column) for column in zip(*pairs, strict=True)]
    prompts = itertools.cycle([["a"] * BATCH, ["b"] * BATCH])  # never the batch before, which is remembered
    few = pairs[:16]
    with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as executor:
        found = medians(
            {
                "a plain loop": (BATCH, lambda: [compare(pair) for pair in pairs]),
                "MARS in line": (BATCH, lambda: systems["in_line"].score(samples)),
                "MARS in line, as a TRL function": (
                    BATCH,
                    lambda: trl(next(prompts), texts, reference=references),
                ),
                "MARS watched": (BATCH, lambda: systems["watched"].score(samples)),
                "MARS isolated": (BATCH, lambda: systems["isolated"].score(samples)),
                "ProcessPoolExecutor.map, one a task": (BATCH, lambda: list(executor.map(compare, pairs))),
                "ProcessPoolExecutor.map, 32 a task": (BATCH, lambda: list(executor.map(compare, pairs, chunksize=32))),
                "a fork a sample": (len(few), lambda: in_a_process_of_its_own(few)),
                "MARS in line, one sample a call": (64, lambda: [systems["in_line"].score([s]) for s in samples[:64]]),
                "MARS isolated, one sample a call": (
                    64,
                    lambda: [systems["isolated"].score([s]) for s in samples[:64]],
                ),
            }
        )
    for system in systems.values():
        system.close()
    screen = Console(width=100)
    screen.print(_costs(found))
    if not options.skip_imports:
        screen.print(_imports())


def _costs(found: dict[str, float]) -> Table:
    table = Table("way to score", "µs a sample", "beside MARS isolated", title=f"overhead, batches of {BATCH}")
    for name, microseconds in found.items():
        table.add_row(name, f"{microseconds:.1f}", f"{microseconds / found['MARS isolated']:.2f}x")
    return table


def _imports() -> Table:
    modules = ("mars", "pydantic", "math_verify", "trl.rewards", "torch")
    seconds = {module: import_seconds(module) for module in modules}
    table = Table("import", "s", "beside mars", title="import time, fresh interpreter")
    for module, value in seconds.items():
        table.add_row(module, f"{value:.2f}", f"{value / seconds['mars']:.1f}x")
    return table


if __name__ == "__main__":
    main()
