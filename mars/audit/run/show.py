"""A run's audit for the screen: its alarms, and what rose most."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from mars.audit.run.replay import Raised, Replay
from mars.audit.run.rising import Rising
from mars.verifying.show import shown

_COLOURS = {"log": "dim", "warn": "yellow", "stop": "red"}
_MOST_PHRASES = 6


def report(found: Replay) -> Iterator[RenderableType]:
    """Yield what to print of an audit."""
    span = f"steps {found.steps[0]} to {found.steps[-1]}" if len(found.steps) > 1 else f"step {found.steps[0]}"
    yield f"{found.completions} completions of {span}, as logged by {escape(found.log.form)}"
    if not found.readings:
        yield "[yellow]all monitors are off[/]"
    elif found.alarms:
        yield alarm_table(found.alarms)
    else:
        yield f"[green]no alarm[/] from {', '.join(map(shown, found.readings))}"
    if found.rising is not None and found.rising.phrases:
        yield _phrase_table(found.rising)


def alarm_table(alarms: list[Raised]) -> RenderableType:
    """Return the alarms, in order."""
    columns = ("alarm", "step", "until", "at worst", "threshold", "what was seen")
    table = Table(*columns, header_style="bold")
    for raised in alarms:
        alarm = raised.alarm
        name = f"{alarm.monitor}/{alarm.name}" if alarm.name else alarm.monitor
        table.add_row(
            f"[{_COLOURS[alarm.action]}]{alarm.action}[/] {shown(name)}",
            str(alarm.step),
            "stands" if raised.until is None else str(raised.until),
            escape(f"{written(raised.worst[0])} ({excess(raised.worst[0], alarm.threshold)})"),
            written(alarm.threshold),
            shown(alarm.explanation),
        )
    return table


def _phrase_table(rising: Rising) -> RenderableType:
    columns = ("what rose most", f"steps {_span(rising.early)}", f"steps {_span(rising.late)}", "earns", "right")
    table = Table(*columns, box=None, header_style="bold")
    for risen in rising.phrases[:_MOST_PHRASES]:
        text = "  ".join(risen.texts) + (" (twice)" if risen.phrase.times > 1 else "")
        table.add_row(
            shown(text),
            f"{risen.early:.0%}",
            f"[bold]{risen.late:.0%}[/]",
            _signed(risen.earns, "+.3f"),
            f"[red]{_signed(risen.right, '+.0%')}[/]" if risen.suspicious else _signed(risen.right, "+.0%"),
        )
    table.caption = "earns, right: with it less without it, among answers to one prompt; red: pays without being right"
    table.caption_justify = "left"
    return table


def excess(value: float, threshold: float) -> str:
    """Return in words how far a measure is from its threshold."""
    if value == threshold:
        return "at the threshold"
    if threshold > 0 and value > threshold:
        return f"{value / threshold:.2g} times the threshold"
    return f"{abs(value - threshold):.2g} {'above' if value >= threshold else 'below'} the threshold"


def written(value: float) -> str:
    """Return a measure for a reader: three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _span(steps: tuple[int, int]) -> str:
    return f"{steps[0]}-{steps[1]}" if steps[0] != steps[1] else str(steps[0])


def _signed(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
