"""The last words of `mars train`: accuracy before and after, and where everything is."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from mars.audit.monitors.types import Action
from trainers.run import PAGE, Outcome


def closing_words(outcome: Outcome, recipe: Path, changes: Sequence[str]) -> Iterator[RenderableType]:
    """Yield what to print at the end of a run.

    Args:
        outcome: How it ended.
        recipe: The recipe's file, for the command that resumes.
        changes: What the command line changed of it.
    """
    if outcome.alarms:
        yield from _alarms(outcome)
    if outcome.stopped:
        why = f" by the alarm {escape(outcome.halted.monitor)!r}" if outcome.halted else ""
        yield f"stopped{why}; the checkpoint is in [bold]{escape(str(outcome.folder))}[/]. To go on:"
        words = ["mars", "train", str(recipe), *(part for change in changes for part in ("--set", change)), "--resume"]
        yield f"  {escape(shlex.join(words))}"
        if outcome.halted:
            yield _story(outcome)
        return
    if outcome.before is not None and outcome.after is not None:
        yield _table(outcome)
    times = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in outcome.seconds.items() if seconds >= 0.5)
    yield f"[dim]{times}[/]"
    yield f"the model   [bold]{escape(str(outcome.folder / 'model'))}[/]"
    yield _story(outcome)


def _story(outcome: Outcome) -> str:
    return f"the story   [bold]{escape(str(outcome.folder / PAGE))}[/]"


def _alarms(outcome: Outcome) -> Iterator[RenderableType]:
    loud = [alarm for alarm in outcome.alarms if alarm.action is not Action.LOG]
    for word, colour, shown in (
        ("alarm", "yellow", loud),
        ("note", "dim", [a for a in outcome.alarms if a not in loud]),
    ):
        if shown:
            names = ", ".join(dict.fromkeys(alarm.monitor for alarm in shown))
            yield f"[{colour}]{len(shown)} {word}{'s' if len(shown) > 1 else ''} of the monitors: {escape(names)}[/]"
    yield "To see what was learned:"
    folder = str(outcome.folder)
    yield f"  {escape(shlex.join(['mars', 'audit', 'run', folder, '--page', f'{folder}/audit.html']))}"


def _table(outcome: Outcome) -> Table:
    assert outcome.before is not None and outcome.after is not None
    table = Table("test problems", "", "before", "after", "no verdict", box=None, header_style="bold")
    for task in [*outcome.after.tasks, None]:
        before, after = outcome.before.accuracy(task), outcome.after.accuracy(task)
        if before and after and (task or len(outcome.after.tasks) > 1):
            lost = f"{outcome.before.no_verdict(task)}, {outcome.after.no_verdict(task)}"
            table.add_row(task or "all", str(after.questions), str(before), f"[bold green]{after}[/]", lost)
    table.caption = "share of right answers with 95% intervals"
    table.caption_justify = "left"
    return table
