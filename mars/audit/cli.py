"""`mars audit`: how far a verifier can be trusted, on labelled answers; and what a reward taught over a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from mars.audit.run.cli import run as audit_run
from mars.errors import ConfigError, did_you_mean
from mars.verifying.options import (
    AnswerField,
    AsJson,
    GoldField,
    Imports,
    Profile,
    Setting,
    errors,
    import_all,
    progress,
    screen,
    settings_of,
)


class _Words(TyperGroup):
    """Takes `mars audit SOURCE FILE` for `mars audit labels SOURCE FILE`: only a command's name needs to be said."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the usual command in front where none is named."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [LABELS, *args]
        return super().parse_args(ctx, args)


LABELS = "labels"
audit = typer.Typer(
    cls=_Words,
    no_args_is_help=True,
    subcommand_metavar="[labels] SOURCE FILE | run DIR",
    help="Audit a verifier on labelled answers: mars audit SOURCE FILE. Audit a training run: mars audit run DIR.",
)


@audit.command(LABELS)
def audit_labels(
    source: Annotated[str, typer.Argument(help="The verifier: any registered source, or math-verify.")],
    file: Annotated[Path, typer.Argument(help="A JSONL file of labelled answers.", exists=True, dir_okay=False)],
    gold_field: GoldField = None,
    answer_field: AnswerField = None,
    label_field: Annotated[
        str | None,
        typer.Option(
            "--label-field",
            help="The key of the label; else expected, adjudicated, official_correct or is_correct.",
        ),
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Another verifier to run on the same answers: math-verify, or any source.")
    ] = None,
    profile: Profile = None,
    setting: Setting = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Worker processes; with one, no other answer slows down the one that is timed."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Records: only the first so many.")] = None,
    runs: Annotated[int | None, typer.Option(min=1, help="Records of instructions: how often; all must agree.")] = None,
    problems: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Records of code: the problems and their tests.")
    ] = None,
    backend: Annotated[str | None, typer.Option(help="Records of code: the sandbox's backend.")] = None,
    page: Annotated[Path | None, typer.Option(dir_okay=False, help="Write a self-contained HTML page too.")] = None,
    as_json: AsJson = False,
    imports: Imports = None,
) -> None:
    """Audit a verifier: recall, false positives, time, and every disagreement with its explanation.

    A file with verdicts on record (IFEval's instructions, letters of multiple choice, graded code, a judge's decisions)
    is compared with them: mars audit ifeval, choice, code or judge FILE.
    """
    from mars import registry
    from mars.audit import peers  # noqa: F401  (registers the peers' verifiers)
    from mars.audit.auditing import audit as judge_answers
    from mars.audit.kinds import KINDS, kind_of_file
    from mars.audit.page import require_packages, write_page
    from mars.audit.show import disagreement_list, measures_table

    import_all(imports)
    if source not in KINDS and source not in registry.names():
        raise ConfigError(f"there is no {source!r} to audit.{did_you_mean(source, [*KINDS, *registry.names()])}")
    options = {"limit": limit, "runs": runs, "problems": problems, "backend": backend}
    if (kind := kind_of_file(source, file)) is not None:
        labelled = {"page": page, "against": against, "profile": profile, "gold_field": gold_field}
        labelled |= {"answer_field": answer_field, "label_field": label_field}
        _refuse(labelled, f"{file} has verdicts on record")
        _audit_records(kind, file, setting, options | {"workers": workers}, as_json)
        return
    _refuse(options, f"{file} has labelled answers and no verdicts on record of a kind that {source!r} knows")
    if page is not None:
        require_packages()
    settings = settings_of(source, profile, setting)
    with progress(file, passes=1 if against is None else 2) as advance:
        found = judge_answers(
            file,
            source,
            settings,
            gold_field=gold_field,
            answer_field=answer_field,
            label_field=label_field,
            against=against,
            workers=workers or 1,
            advance=advance,
        )
    if as_json:
        print(json.dumps(found.to_dict()))
    else:
        screen.print(measures_table(found))
        screen.print(disagreement_list(found))
    if page is not None:
        write_page(found, page)
        errors.print(f"[dim]page in[/] {escape(str(page))}", soft_wrap=True)


audit.command("run")(audit_run)


def _audit_records(kind: str, file: Path, setting: list[str] | None, options: Mapping[str, Any], as_json: bool) -> None:
    from mars.audit.kinds import audit_records
    from mars.audit.show_records import disagreement_lines, found_tables
    from mars.recipe import Recipe

    settings = Recipe.parse("settings: {}", overrides=[f"settings.{item}" for item in setting or ()]).data["settings"]
    with progress(file) as advance:
        found = audit_records(kind, file, settings, options, advance)
    if as_json:
        print(json.dumps(found.to_dict()))
        return
    screen.print(found_tables(found))
    for line in disagreement_lines(found):
        screen.print(line)


def _refuse(options: Mapping[str, Any], why: str) -> None:
    for option, value in options.items():
        if value is not None:
            raise ConfigError(f"--{option.replace('_', '-')} does not apply: {why}")
