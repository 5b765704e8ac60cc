"""The last words of `mars train`: accuracy before and after, and where everything is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from trainers.run import PAGE, Outcome


def closing_words(outcome: Outcome, recipe: Path) -> Iterator[RenderableType]:
    """Yield what to print at the end of a run.

    Args:
        outcome: How it ended.
        recipe: The recipe's file, for the command that resumes.
    """
    if outcome.stopped:
        yield f"stopped; the checkpoint is in [bold]{escape(str(outcome.folder))}[/]. To go on:"
        yield f"  mars train {escape(str(recipe))} --output {escape(str(outcome.folder))} --resume"
        return
    if outcome.before is not None and outcome.after is not None:
        yield _table(outcome)
    times = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in outcome.seconds.items() if seconds >= 0.5)
    yield f"[dim]{times}[/]"
    yield f"the model   [bold]{escape(str(outcome.folder / 'model'))}[/]"
    yield f"the story   [bold]{escape(str(outcome.folder / PAGE))}[/]"


def _table(outcome: Outcome) -> Table:
    assert outcome.before is not None and outcome.after is not None
    table = Table("held-out problems", "", "before", "after", box=None, header_style="bold")
    for task in [*outcome.after.tasks, None]:
        before, after = outcome.before.accuracy(task), outcome.after.accuracy(task)
        if before and after and (task or len(outcome.after.tasks) > 1):
            table.add_row(task or "all", str(after.questions), str(before), f"[bold green]{after}[/]")
    table.caption = "share of right answers with 95% intervals"
    table.caption_justify = "left"
    return table
