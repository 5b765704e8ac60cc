"""The tables that end `mars score`: statuses by source, and agreement with a label."""

from __future__ import annotations

from rich.table import Table

from mars.scoring import Summary
from mars.types import Status


def summary_tables(summary: Summary, label: str | None) -> list[Table]:
    """Return what a run came to, as tables for the screen.

    Args:
        summary: The counts.
        label: The column that verdicts were compared with, if any.
    """
    tables = [_sources(summary)]
    if label is not None:
        tables.append(_agreement(summary, label))
    return tables


def _sources(summary: Summary) -> Table:
    tally = summary.tally
    table = Table("source", "mean", *(status.value for status in Status), "seconds", box=None, header_style="bold")
    for name, source in tally.sources.items():
        counts = (str(source.statuses[status] or "-") for status in Status)
        table.add_row(name, _number(source.mean), *counts, f"{source.seconds:.1f}")
    masked = f"{tally.masked} of {tally.samples} without a reward"
    table.caption = f"mean reward {_number(tally.mean)}; {masked}" + (
        f"; {summary.bad} unreadable" if summary.bad else ""
    )
    table.caption_justify = "left"
    return table


def _agreement(summary: Summary, label: str) -> Table:
    found = summary.agreement
    rate = "-" if found.rate is None else f"{found.rate:.2%}"
    table = Table(f"agreement with {label}", "", box=None, header_style="bold")
    table.add_row("agreement", f"[bold]{rate}[/] of {found.labelled} labelled rows")
    table.add_row("right answers rejected", str(found.right_rejected))
    table.add_row("wrong answers accepted", str(found.wrong_accepted))
    table.add_row("no verdict", str(found.no_verdict))
    table.add_row("left out: the label is not true or false", str(found.unlabelled))
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
