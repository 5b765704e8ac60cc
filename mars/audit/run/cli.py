"""`mars audit run`: the monitors over a run's logged completions, and the page of what rose."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn

from mars.errors import ConfigError
from mars.verifying.options import AsJson, Imports, errors, import_all, screen

if TYPE_CHECKING:
    from mars.audit.monitors.settings import MonitorSettings
    from mars.audit.run.logs import Known, RunLog
    from mars.declaring import Kind
    from mars.recipe import Recipe

ALARMED = 3
"""The exit status where an alarm is to be one."""


def run(
    place: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="A run's folder with rollouts/ (of mars train) or completions/ (TRL's log_completions=True), or a "
            "JSONL file that mars score wrote.",
        ),
    ],
    page: Annotated[Path | None, typer.Option(dir_okay=False, help="Write a self-contained HTML page.")] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            "--recipe",
            "-r",
            help="A recipe: its `monitors` section is used in place of the run's, and where the log does not know its "
            "sources, its `reward` section tells them.",
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a setting: monitors.length.times=3; may be repeated."),
    ] = None,
    judge: Annotated[
        list[str] | None, typer.Option(help="A source of the log that is a judge; may be repeated.")
    ] = None,
    verifier: Annotated[
        list[str] | None, typer.Option(help="A source of the log that is a verifier; may be repeated.")
    ] = None,
    fail_on_alarm: Annotated[
        bool, typer.Option("--fail-on-alarm", help="Exit with status 3 if an alarm of warn or stop was raised.")
    ] = False,
    as_json: AsJson = False,
    imports: Imports = None,
) -> None:
    """Audit a run: watch its logged completions for reward hacking, and show what rose most.

    mars audit run runs/x --page run.html
    """
    from mars.audit.monitors.types import Action
    from mars.audit.page import require_packages
    from mars.audit.run.logs import open_log
    from mars.audit.run.page import write_page
    from mars.audit.run.replay import replay
    from mars.audit.run.show import report
    from mars.recipe import Recipe

    import_all(imports)
    if page is not None:
        require_packages()
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=errors, transient=True) as progress:
        bar = progress.add_task(f"reading {escape(str(place))}", total=None)
        given = Recipe.load(recipe) if recipe else Recipe("--set", {})
        log = open_log(place, _known(given.override(overrides or ()), judge, verifier))
        settings = _settings(given, overrides or (), log)
        found = replay(log, settings, lambda step: progress.update(bar, description=f"step {step}"))
    if as_json:
        print(json.dumps(found.to_dict(), default=str))
    else:
        for part in report(found):
            screen.print(part)
    if page is not None:
        write_page(found, page)
        errors.print(f"[dim]page in[/] {escape(str(page))}", soft_wrap=True)
    if fail_on_alarm and any(raised.alarm.action is not Action.LOG for raised in found.alarms):
        raise typer.Exit(ALARMED)


def _known(recipe: Recipe, judges: list[str] | None, verifiers: list[str] | None) -> Known:
    """Return what the user says of the log."""
    from mars.audit.run.logs import Known
    from mars.declaring import Kind
    from mars.rows import Columns
    from mars.system import RewardSystem

    kinds: dict[str, Kind] = {}
    for kind, names in ((Kind.JUDGE, judges), (Kind.VERIFIER, verifiers)):
        for name in names or ():
            if kinds.setdefault(name, kind) is not kind:
                raise ConfigError(f"{name!r} is given as --judge and as --verifier; a source is one of them")
    if "reward" not in recipe.data:
        return Known({}, kinds, recipe.section("columns", Columns))
    if kinds:
        raise ConfigError("--judge and --verifier: the recipe's reward section says the kinds of its sources")
    with RewardSystem.from_recipe(recipe) as system:
        return Known(system.tasks, {}, recipe.section("columns", Columns))


def _settings(recipe: Recipe, overrides: Iterable[str], log: RunLog) -> MonitorSettings:
    """Return the monitors: those of the recipe, or else those that the run had, with what `--set` changes."""
    from mars.audit.monitors import registry
    from mars.audit.monitors.settings import MonitorSettings
    from mars.recipe import Recipe

    if "monitors" in recipe.data:
        return recipe.override(overrides).section("monitors", MonitorSettings)
    logged = log.about.monitors
    for name in logged if isinstance(logged, dict) else ():
        if name not in (*registry.names(), registry.KEEP):
            raise ConfigError(
                f"{log.place}: the run had a monitor {name!r} of its own: --import the module that has it"
            )
    return Recipe(str(log.place), {"monitors": logged}).override(overrides).section("monitors", MonitorSettings)
