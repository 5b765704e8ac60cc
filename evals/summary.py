"""The table that ends `mars eval`."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from evals.benchmarks.base import Benchmark
from evals.metrics import TaskScore
from evals.runner import EvalResult

MANY = 0.05
"""The share of truncated completions from which on a reader is warned."""


def summary(result: EvalResult, benchmark: Benchmark) -> RenderableType:
    """Return what a run came to, for the screen.

    Args:
        result: The run.
        benchmark: What was run.
    """
    k = result.settings.samples
    table = Table(box=None, header_style="bold", title=_title(result, benchmark), title_justify="left", title_style="")
    table.add_column("task")
    # Eighty columns of a terminal hold this, and no more.
    for name in (
        "problems\n× samples",
        f"avg@{k}",
        "95%\ninterval",
        "mean\nreward",
        "no\nverdict",
        "trun-\ncated",
        "think\nchars",
        "time",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for task, score in result.tasks.items():
        table.add_row(escape(task), *_cells(score))
    table.add_section()
    table.add_row("[bold]all[/]", *_cells(result.overall))
    return Group(table, *_notes(result))


def _title(result: EvalResult, benchmark: Benchmark) -> str:
    sampling = result.settings.sampling
    how = f"temperature {sampling.temperature:g}" if sampling.temperature else "greedy"
    limit = f", first {result.settings.limit} problems" if result.settings.limit else ""
    name = f"[bold cyan]{escape(benchmark.name)}[/] {escape(benchmark.title)}"
    return f"{name} · {escape(result.model.name)}\n[dim]{how}, at most {sampling.max_tokens} tokens{limit}[/]"


def _cells(score: TaskScore) -> list[str]:
    average = score.average
    return [
        f"{score.problems} × {score.samples // score.problems}",
        f"[bold]{average.mean:.1%}[/]" if average else "-",
        f"{100 * average.low:.1f}–{average.high:.1%}" if average else "-",
        "-" if score.mean_total is None else f"{score.mean_total:.3f}",
        str(score.no_verdict or "-"),
        str(score.truncated or "-"),
        f"{score.mean_thinking:.1f}",
        f"{score.seconds:.1f} s",
    ]


def _notes(result: EvalResult) -> list[Text]:
    score, marks = result.overall, result.fingerprints
    notes = []
    if score.truncated > MANY * score.samples:
        limit = result.settings.sampling.max_tokens
        notes.append(
            Text(
                f"{score.truncated} of {score.samples} completions are truncated ({score.cut_off} cut off at {limit} "
                f"tokens, {score.unfinished} never end their thinking): a higher --max-tokens may change the score",
                "yellow",
            )
        )
    if len(score.pass_at) > 1:
        notes.append(Text(", ".join(f"pass@{k} {value:.1%}" for k, value in score.pass_at.items() if k > 1)))
    if score.judged < score.problems:
        notes.append(Text(f"{score.problems - score.judged} problems have no verdict and are in no mean", "yellow"))
    times = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in result.seconds.items())
    prints = ", ".join(f"{what} {digits}" for what, digits in marks.items())
    return [*notes, Text(f"{times} · {prints}", "dim")]
