"""An audit for the screen: the measures with their intervals, and every disagreement with its explanation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from mars.audit.auditing import Audit
from mars.audit.measures import Measures, Trial
from mars.verifying.show import decided_by, shown, verdict_word

SHARES = {
    "accuracy": "accuracy",
    "recall": "recall",
    "false_positive_rate": "false positives",
    "undecided": "no verdict",
}
TIMES = {"p50_ms": "p50", "p95_ms": "p95", "p99_ms": "p99", "worst_ms": "worst"}
COUNTED = "an answer without a verdict counts as not accepted"
_LONGEST = 400


def measures_table(audit: Audit) -> RenderableType:
    """Return the measures of all verifiers, a column each, and what to know of them."""
    found = [trial.measures() for trial in audit.trials]
    table = Table("", *(trial.source for trial in audit.trials), box=None, header_style="bold")
    table.add_row("answers", *(f"{each.n} ({each.positives} right, {each.negatives} wrong)" for each in found))
    for key, words in SHARES.items():
        table.add_row(words, *(share(each, key) for each in found))
    for key, words in TIMES.items():
        table.add_row(words, *(milliseconds(getattr(each, key)) for each in found))
    table.add_row("per second", *("-" if each.per_second is None else f"{each.per_second:,.0f}" for each in found))
    notes = ["95% intervals", f"{audit.workers} worker process{'es' if audit.workers > 1 else ''}"]
    notes += [COUNTED] if any(each.undecided for each in found) else []
    notes += [f"{number} left out: {why}" for why, number in audit.left_out.items()]
    return Group(table, f"[dim]{'; '.join(notes)}[/]")


def share(measures: Measures, key: str) -> str:
    """Return a share with its interval: `96.2% [94.0%, 97.6%]`."""
    value = getattr(measures, key)
    if value is None:
        return "-"
    low, high = measures.intervals[key]
    return f"{value:.2%} [{low:.1%}, {high:.1%}]"


def milliseconds(value: float | None) -> str:
    """Return a time for a reader."""
    return "-" if value is None else f"{value:,.2f} ms" if value < 100 else f"{value:,.0f} ms"


def disagreement_list(audit: Audit) -> RenderableType:
    """Return every disagreement of the audited verifier, and what the other says of the same answer."""
    others = {each["line"] for each in audit.against.disagreements} if audit.against else set()
    parts: list[RenderableType] = []
    for each in audit.trial.disagreements:
        parts += ["", *_lines(each, audit.against, each["line"] in others)]
    return Group(*parts)


def _lines(each: Mapping[str, Any], against: Trial | None, shared: bool) -> Iterator[RenderableType]:
    name = "" if each["id"] is None else f" [dim]({shown(str(each['id']))})[/]"
    says = "disagrees too" if shared else "agrees with the label"
    beside = "" if against is None else f" [dim]({against.source} {says})[/]"
    yield f"line {each['line']}{name}: label {verdict_word(each['expected'])}, got {verdict_word(each['got'])}{beside}"
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for words, text in explanation(each).items():
        table.add_row(f"  {words}", shown(text, _LONGEST))
    yield table


def kind_of(each: Mapping[str, Any]) -> str:
    """Return what kind of disagreement one is: `wrong accepted`, `right refused` or `no verdict`.

    Args:
        each: The disagreement.
    """
    if each["got"] is None:
        return "no verdict"
    return "wrong accepted" if each["got"] else "right refused"


def explanation(each: Mapping[str, Any]) -> dict[str, str]:
    """Return what explains a disagreement, by name, without what the verifier does not tell.

    Args:
        each: The disagreement.
    """
    parts = {
        "reference": each["gold"],
        "answer": each["answer"],
        "extracted": each["extracted"],
        "reference read as": each["reference_form"],
        "answer read as": each["answer_form"],
        "decided by": decided_by(each),
        "reason": each["reason"],
    }
    return {words: str(text) for words, text in parts.items() if text not in (None, "")}
