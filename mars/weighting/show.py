"""What `mars weighting` shows: all strategies, one of them, or what each task of a recipe gets."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from mars.config import RewardSettings
from mars.settings_table import default_of, ordered, settings_table, spelled
from mars.weighting import strategies
from mars.weighting.adaptive import Adaptive
from mars.weighting.bounds import Bounds
from mars.weighting.planning import rule_of_auto
from mars.weighting.protocol import Weighting
from mars.weighting.strategies import AUTO, RegisteredStrategy
from mars.weighting.tasks import TaskWeighting


def strategy_list() -> RenderableType:
    """Return the table of all strategies, and what `auto` takes."""
    table = Table("strategy", "weights", "what it does", box=None, header_style="bold")
    for name in strategies.names():
        one = strategies.get(name)
        table.add_row(f"[bold cyan]{name}[/]", _weights(one), escape(one.summary))
    return Group(table, "", Text(rule_of_auto()))


def strategy_page(one: RegisteredStrategy) -> RenderableType:
    """Return one strategy's page: what it does and where it loses, its settings, its bounds, how a recipe names it."""
    facts = Table.grid(padding=(0, 2))
    facts.add_row("[dim]weights[/]", _weights(one))
    facts.add_row("[dim]advantages[/]", _ADVANTAGES[one.aggregation])
    facts.add_row("[dim]defined in[/]", escape(one.make.__module__))
    parts: list[RenderableType] = [Text(one.name, "bold cyan"), Text(_prose(one)), "", facts]
    if one.settings.model_fields:
        parts += ["", Text("settings", "bold"), settings_table(one.settings, one.make)]
    if one.adapts:
        parts += ["", Text("bounds", "bold"), _bounds(one)]
    parts += ["", Text("in a recipe", "bold"), Padding(_recipe(one), (0, 0, 0, 2))]
    return Group(*parts)


def chosen(settings: RewardSettings, weighting: Weighting) -> Table:
    """Return for each task of a recipe its strategy, who chose it, its gate, and its weights at the start.

    Args:
        settings: The recipe's `reward` section.
        weighting: The weighting of the system that was made of it.
    """
    assert isinstance(weighting, TaskWeighting)
    table = Table("task", "strategy", "chosen by", "gate", "source", "weight", box=None, header_style="bold")
    for name, weights in weighting.tasks.items():
        own = settings.tasks[name].weighting if name in settings.tasks else None
        by = AUTO if (own or settings.weighting).strategy == AUTO else "the recipe"
        head = (f"[bold cyan]{escape(name)}[/]", _strategy(weights), by, _gate(weights))
        for source, weight, remark in _starting(weights):
            table.add_row(*head, escape(source), f"{weight:g}{remark}")
            head = ("", "", "", "")
    return table


_ADVANTAGES = {
    "sum_then_normalize": "from the weighted sum",
    "normalize_then_sum": "each source normalised first, then the weighted sum",
}


def _weights(one: RegisteredStrategy) -> str:
    return "adapted" if one.adapts else "[dim]the recipe's[/]"


def _prose(one: RegisteredStrategy) -> str:
    paragraphs = inspect.cleandoc(one.make.__doc__ or "(no docstring)").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _bounds(one: RegisteredStrategy) -> Table:
    table = Table(Column("name", no_wrap=True), "default", "meaning", box=None, header_style="dim")
    for name, field in Bounds.model_fields.items():
        table.add_row(name, spelled(getattr(one.bounds, name)), escape(field.description or ""))
    return table


def _recipe(one: RegisteredStrategy) -> Text:
    shown: dict[str, str] = {}
    for name, field in ordered(one.settings):
        if field.is_required():
            shown[name] = spelled(field.examples[0]) if field.examples else "..."
    if not shown:
        plain = ((name, default_of(field)) for name, field in ordered(one.settings))
        shown = {name: spelled(value) for name, value in plain if isinstance(value, str | int | float)}
    if not shown:
        return Text(f"reward:\n  weighting: {one.name}", "green")
    settings = ", ".join(f"{name}: {value}" for name, value in list(shown.items())[:2])
    return Text(f"reward:\n  weighting: {{strategy: {one.name}, settings: {{{settings}}}}}", "green")


def _strategy(weights: Adaptive) -> str:
    name = weights.name["strategy"]
    if name == "gated":
        name = f"{name}, {weights.name['settings']['shaping']} inside"
    return escape(name) if weights.moves else f"{escape(name)} [dim](weights stay)[/]"


def _gate(weights: Adaptive) -> str:
    gate = weights.task.gate
    return "[dim]none[/]" if gate is None else f"{escape(gate)} ≥ {weights.task.threshold:g}"


def _starting(weights: Adaptive) -> Iterator[tuple[str, float, str]]:
    for source, weight in weights.weights().items():
        yield source, weight, "" if weight else " [dim](only logged)[/]"
