"""Run what has not been run yet, then write the tables and the plots."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable

from benchmarks.weighting import plots, report
from benchmarks.weighting.results import Run, read
from benchmarks.weighting.runs import STEPS, Job, prepare, run
from benchmarks.weighting.worlds import WORLDS

REPORT = "report.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        1 where a run failed, else 0.
    """
    options = _options(arguments)
    jobs = [
        Job(world, strategy, seed, options.steps, options.output)
        for seed in options.seeds
        for world in options.worlds
        for strategy in options.strategies or WORLDS[world].strategies
    ]
    screen = Console(width=None if sys.stdout.isatty() else 200)
    waiting = [] if options.report_only else [job for job in jobs if options.again or not job.is_done()]
    failed = _run_all(waiting, options.jobs, screen) if waiting else 0
    done = [read(job.file) for job in jobs if job.is_done()]
    if done:
        _report(done, options.output, options.plots or options.output, screen)
    screen.print(f"{len(done)} of {len(jobs)} runs are done")
    return 1 if failed else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.weighting", description=__doc__)
    parser.add_argument("--worlds", nargs="+", choices=list(WORLDS), default=list(WORLDS), metavar="WORLD")
    parser.add_argument("--strategies", nargs="+", metavar="STRATEGY", help="by default those of each world")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(5)), metavar="SEED")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at a time, each on one core")
    parser.add_argument("--output", type=Path, default=Path("runs/weighting"), help="where runs are kept")
    parser.add_argument("--plots", type=Path, help="where the plots are written; by default the output")
    parser.add_argument("--again", action="store_true", help="also do the runs that are done: a strategy was changed")
    parser.add_argument("--report-only", action="store_true", help="run nothing")
    return parser.parse_args(arguments)


def _run_all(jobs: Sequence[Job], at_once: int, screen: Console) -> int:
    """Do runs, each in a process of its own, and return how many failed."""
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    # Imported once, in the process that all others are forked from.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["trainers.grpo", "trainers.tiny.warm_start"])
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=screen
    )
    with progress, ProcessPoolExecutor(at_once, mp_context=context, max_tasks_per_child=1) as pool:

        def each(title: str, call: Callable[[Any], object], tasks: Iterable[Any]) -> int:
            named = {pool.submit(call, task): task for task in tasks}
            bar = progress.add_task(title, total=len(named))
            failed = 0
            for future in as_completed(named):
                progress.advance(bar)
                if error := future.exception():
                    failed += 1
                    screen.print(f"[red]{named[future]}: {type(error).__name__}: {error}")
            return failed

        one_of_each_seed = {job.seed: job for job in jobs}
        return each("warm starts", prepare, one_of_each_seed.values()) or each("runs", run, jobs)


def _report(runs: Sequence[Run], output: Path, folder: Path, screen: Console) -> None:
    """Print the tables, and write them as Markdown, with the plots."""
    worlds = {name: world for name, world in WORLDS.items() if any(run.world == name for run in runs)}
    defaults = {name: world.default() for name, world in worlds.items()}
    tables = {"Verdicts beside the static sum": report.verdict_table(worlds, runs, defaults)}
    accuracy, weights = [], []
    for name, world in worlds.items():
        here = [run for run in runs if run.world == name]
        tables[world.title] = report.world_table(world, here, defaults[name])
        tables[f"{world.title}: hard problems, share right"] = report.accuracy_table(here, defaults[name])
        tables[f"{world.title}: share of the weight that {world.other!r} has"] = report.weights_table(
            world, here, defaults[name]
        )
        accuracy.append(plots.accuracy_panel(world, here, defaults[name]))
        weights.append(plots.weights_panel(world, here, defaults[name]))
    for title, (header, rows) in tables.items():
        table = RichTable(*header, title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        screen.print(table)
    text = "\n".join(
        f"### {title[0].upper()}{title[1:]}\n\n{report.markdown(table)}" for title, table in tables.items()
    )
    (output / REPORT).write_text(text)
    plots.write(folder / "weighting-accuracy.svg", accuracy, y="hard problems, right")
    plots.write(folder / "weighting-weights.svg", weights, y="share of the weight")


if __name__ == "__main__":
    sys.exit(main())
