"""Verdicts for the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from mars.sandboxing.show import visible
from mars.verifying.files import Counts

_WORDS = {True: "[bold green]right[/]", False: "[bold red]wrong[/]", None: "[bold yellow]no verdict[/]"}
_ROWS = {
    "reason": "reason",
    "extracted": "extracted",
    "reference_form": "reference read as",
    "answer_form": "answer read as",
}
_LONGEST = 2000


def verdict_word(verdict: bool | None) -> str:
    """Return a verdict as a word with its colour."""
    return _WORDS[verdict]


def clip(text: str, longest: int = _LONGEST) -> str:
    """Return a text with its middle left out where it is longer than `longest` characters: answers stand at the end."""
    if len(text) <= longest:
        return text
    head = longest // 4
    return f"{text[:head]} [... {len(text) - longest} characters ...] {text[len(text) - longest + head :]}"


def shown(text: str, longest: int = _LONGEST) -> str:
    """Return a model's text for the screen: clipped, with nothing in it that could steer a terminal or our markup."""
    return escape(visible(clip(text, longest)))


def verdict_table(gold: str, answer: str, record: Mapping[str, Any]) -> Table:
    """Return one verdict with all that explains it.

    Args:
        gold: The reference.
        answer: The answer.
        record: The explained verdict.
    """
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    status = "" if record["status"] == "ok" else f" ({record['status']})"
    table.add_row("verdict", verdict_word(record["verdict"]) + status)
    table.add_row("reference", shown(gold))
    table.add_row("answer", shown(answer))
    for key, words in _ROWS.items():
        if record[key] not in (None, ""):
            table.add_row(words, shown(str(record[key])))
    if decided := decided_by(record):
        table.add_row("decided by", shown(decided))
    if record["policy"] is not None:
        table.add_row("policy", escape(f"{record['policy']} (version {record['version']})"))
    table.add_row("time", f"{1000 * record['seconds']:.1f} ms")
    return table


def decided_by(record: Mapping[str, Any]) -> str:
    """Return the stage and the rule that decided, where the verifier tells."""
    return ": ".join(str(record[key]) for key in ("stage", "rule") if record.get(key))


def counts_table(counts: Counts, source: str) -> RenderableType:
    """Return what a file came to.

    Args:
        counts: The counts.
        source: The verifier's name.
    """
    table = Table(source, "rows", "share", box=None, header_style="bold")
    rows = max(counts.rows, 1)
    for verdict, words in _WORDS.items():
        number = counts.verdicts[verdict]
        table.add_row(words, str(number), f"{number / rows:.1%}")
    for status, number in sorted(counts.statuses.items()):
        if status != "ok":
            table.add_row(f"  [dim]{escape(status)}[/]", str(number), f"{number / rows:.1%}")
    for stage, number in counts.stages.most_common():
        table.add_row(f"[dim]decided by {escape(stage)}[/]", str(number), f"{number / rows:.1%}")
    return Group(table, f"[dim]{counts.rows} rows, {1000 * counts.seconds / rows:.2f} ms a row inside the verifier[/]")


def refused_table(refused: Sequence[Mapping[str, Any]]) -> Table:
    """Return the references that do not answer themselves, with the reasons."""
    table = Table("line", "id", "reference", "", "why", box=None, header_style="bold")
    for each in refused:
        why = ": ".join(filter(None, [decided_by(each), str(each["reason"])]))
        name = "" if each.get("id") is None else str(each["id"])
        gold = shown(str(each["gold"]), 200)
        table.add_row(str(each["line"]), shown(name), gold, verdict_word(each["verdict"]), shown(why))
    return table
