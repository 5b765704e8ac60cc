"""The command `mars train`."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Annotated

import typer


def train(
    recipe: Annotated[Path, typer.Argument(help="The recipe: a YAML file.", exists=True, dir_okay=False)],
    model: Annotated[str | None, typer.Option(help="A folder, a hub id, or `tiny`; in place of model.path.")] = None,
    data: Annotated[str | None, typer.Option(help="A file, a hub data set or a problem set; for data.source.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The run's folder; for output.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Change the recipe: section.key=value; may be repeated.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint in the run's folder.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Start anew in a folder that holds an earlier run.")] = False,
) -> None:
    """Train a model with GRPO on the rewards of a recipe, graded before and after by the same rewards."""
    _quiet()
    changes = [*(overrides or ())]
    changes += [
        f"{key}={json.dumps(str(value))}"
        for key, value in (("model.path", model), ("data.source", data), ("output", output))
        if value
    ]
    from mars.recipe import Recipe

    plan = Recipe.load(recipe, changes)
    try:
        from trainers.run import run

        _quiet_libraries()
    except ModuleNotFoundError as error:
        from mars.errors import ConfigError

        raise ConfigError(f"training needs {error.name}: pip install 'mars-rewards[train]'") from error
    from rich.console import Console

    from mars.audit.run.cli import ALARMED
    from trainers.closing import closing_words

    screen = Console()
    outcome = run(plan, screen, resume=resume, overwrite=overwrite)
    for words in closing_words(outcome, recipe, changes):
        screen.print(words)
    if outcome.halted:
        raise typer.Exit(ALARMED)
    if outcome.stopped:
        raise typer.Exit(130)


def _quiet() -> None:
    """Set what must be set before torch and transformers are imported; what the user set stands."""
    # Waiting OpenMP threads would burn the cores that reward workers need.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")


def _quiet_libraries() -> None:
    """Leave the screen to one progress display."""
    from transformers.utils import logging

    logging.disable_progress_bar()
