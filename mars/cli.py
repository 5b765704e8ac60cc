"""The `mars` command. Packages above this one join it by the entry-point group `mars.commands`."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from mars.errors import ConfigError, MarsError

GROUP = "mars.commands"
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Rewards for RL of LLM reasoners: defined once, the same verdict in every trainer and every benchmark.",
)
screen = Console()
errors = Console(stderr=True)

Imports = Annotated[
    list[str] | None, typer.Option("--import", help="A module or .py file that registers sources; may be repeated.")
]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="Change the recipe: section.key=value; may be repeated.")
]


@app.command()
def sources(
    name: Annotated[str | None, typer.Argument(help="Show this source's settings, range and an example.")] = None,
    imports: Imports = None,
) -> None:
    """List the reward sources, or show one of them."""
    from mars import registry
    from mars.catalogue import catalogue, page

    _import(imports)
    screen.print(catalogue() if name is None else page(registry.get(name)))
    for plugin, why in registry.broken_plugins().items():
        errors.print(f"[yellow]the plug-in {escape(plugin)} did not load:[/] {escape(why)}")


@app.command()
def weighting(
    name: Annotated[str | None, typer.Argument(help="Show this strategy, its settings and its bounds.")] = None,
    recipe: Annotated[
        Path | None,
        typer.Option("--recipe", "-r", help="Show what each task of this recipe gets, and behind which gate."),
    ] = None,
    overrides: Overrides = None,
    imports: Imports = None,
) -> None:
    """List the strategies that weigh sources, show one of them, or show what a recipe's tasks get."""
    from mars.recipe import SECTIONS, Recipe
    from mars.system import RewardSystem
    from mars.weighting import strategies
    from mars.weighting.show import chosen, strategy_list, strategy_page

    if name is not None and recipe is not None:
        raise ConfigError("name a strategy or a recipe, not both")
    _import(imports)
    if recipe is None:
        screen.print(strategy_list() if name is None else strategy_page(strategies.get(name)))
        for plugin, why in strategies.broken_packages().items():
            errors.print(f"[yellow]the plug-in {escape(plugin)} did not load:[/] {escape(why)}")
        return
    plan = Recipe.load(recipe, overrides or ())
    plan.only(SECTIONS)
    with RewardSystem.from_recipe(plan) as system:
        screen.print(chosen(system.settings, system.weighting))


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(help="Sources to check; by default all of them.")] = None,
    imports: Imports = None,
    setting: Annotated[
        list[str] | None, typer.Option("--setting", help="A setting of the source: key=value; may be repeated.")
    ] = None,
) -> None:
    """Run the contract test that every source passes: deterministic, bounded, total on garbage and more."""
    from mars import registry
    from mars.contract import check_source

    _import(imports)
    settings = _settings(setting)
    broken = 0
    for name in names or registry.names():
        source = registry.get(name)
        try:
            bound = source.configure(settings)
        except ConfigError as error:
            if names:
                raise
            screen.print(f"[bold]{escape(name)}[/] [dim]not checked: {escape(str(error))}[/]\n")
            continue
        table = Table("", "check", "what was seen", title=name, title_justify="left", title_style="bold")
        findings = check_source(bound)
        for finding in findings:
            mark = "[green]pass[/]" if finding.passed else "[red]FAIL[/]"
            table.add_row(mark, finding.check, escape(finding.seen))
        broken += any(not finding.passed for finding in findings)
        screen.print(table)
    if broken:
        errors.print(f"[red]{broken} of the sources break the contract[/]")
        raise typer.Exit(1)


@app.command()
def score(
    file: Annotated[Path, typer.Argument(help="A JSONL file of model answers.", exists=True, dir_okay=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the scored rows go; resumed if it exists.")],
    recipe: Annotated[
        Path | None, typer.Option("--recipe", "-r", help="The recipe whose reward section scores.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="One source to score with, in place of a recipe.")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="Which column plays a role: completion=response; may be repeated."),
    ] = None,
    label: Annotated[str | None, typer.Option(help="A column of true/false to compare the verdicts with.")] = None,
    prefix: Annotated[str, typer.Option(help="Text that stands before every completion, such as <think>.")] = "",
    overwrite: Annotated[bool, typer.Option(help="Start anew instead of resuming.")] = False,
    skip_bad: Annotated[bool, typer.Option(help="Record rows that cannot be read as errors; do not stop.")] = False,
    overrides: Overrides = None,
    imports: Imports = None,
) -> None:
    """Score a JSONL file of any size, in bounded memory; run the same command again to resume."""
    from mars.recipe import SECTIONS, Recipe
    from mars.rows import Columns
    from mars.scoring import Job, score_file
    from mars.summary import summary_tables
    from mars.system import RewardSystem

    if (recipe is None) is (source is None):
        raise ConfigError("say what to score with: --recipe FILE or --source NAME")
    if file.resolve() == output.resolve():
        raise ConfigError(f"the output would overwrite the input {file}")
    _import(imports)
    roles = [f"columns.{role}={json.dumps(name)}" for role, _, name in (item.partition("=") for item in column or ())]
    if recipe is not None:
        plan = Recipe.load(recipe, [*(overrides or ()), *roles])
    else:
        plan = Recipe.parse(f"reward: {{sources: {{{source}: 1.0}}}}", "--source", [*(overrides or ()), *roles])
    plan.only(SECTIONS)
    with RewardSystem.from_recipe(plan) as system:
        system.open()
        job = Job(system, file, output, plan.section("columns", Columns), prefix, label, skip_bad)
        with _progress() as progress:
            bar = progress.add_task(file.name, total=file.stat().st_size)
            summary = score_file(job, overwrite=overwrite, advance=lambda size: progress.advance(bar, size))
    for table in summary_tables(summary, label):
        screen.print(table)
    screen.print(f"[dim]{summary.tally.samples} rows in[/] {escape(str(output))}")
    if label is not None and summary.tally.samples and not summary.agreement.labelled:
        raise ConfigError(f"--label {label}: no row has true or false in a column of that name")


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=errors
    )


def _import(places: list[str] | None) -> None:
    from mars.loading import load_module

    for place in places or ():
        load_module(place)


def _settings(assignments: list[str] | None) -> dict[str, object]:
    from mars.recipe import Recipe

    return Recipe.parse("settings: {}", overrides=[f"settings.{item}" for item in assignments or ()]).data["settings"]


def _join_commands() -> None:
    """Add the commands of the packages above: functions as commands, Typer apps as groups."""
    for entry in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            command = entry.load()
        except Exception as error:
            # A package that fails to load must not take `mars score` with it.
            errors.print(
                f"[yellow]the command {entry.name} did not load:[/] {escape(f'{type(error).__name__}: {error}')}"
            )
            continue
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=entry.name)
        else:
            app.command(entry.name)(command)


def main() -> None:
    """Run the command line; errors that a user can mend are one message and the exit status 2."""
    _join_commands()
    # Last, so that a user's folder called like one of our packages hides nothing.
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        app()
    except MarsError as error:
        errors.print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        sys.exit(2)
    except KeyboardInterrupt:
        errors.print("interrupted")
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output went away (`mars sources | head`); there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
