"""`mars verify`: one answer explained, a file of answers, or every reference of a file against itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.markup import escape

from mars.errors import ConfigError
from mars.verifying.options import (
    AnswerField,
    AsJson,
    GoldField,
    Imports,
    Profile,
    Setting,
    Workers,
    errors,
    import_all,
    progress,
    screen,
    settings_of,
)

if TYPE_CHECKING:
    from mars.verifying.verifier import Verifier

RIGHT, WRONG, NO_VERDICT = 0, 1, 3
"""Exit codes of `--exit-code`; 2 is an error in what was asked for."""


def verify(
    file: Annotated[
        Path | None, typer.Argument(help="A JSONL file of answers, a row each.", exists=True, dir_okay=False)
    ] = None,
    gold: Annotated[str | None, typer.Option("--gold", "-g", help="One reference.")] = None,
    answer: Annotated[str | None, typer.Option("--answer", "-a", help="One response, or an answer alone.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the records go, one a row; whole or not at all.")
    ] = None,
    gold_field: GoldField = None,
    answer_field: AnswerField = None,
    check: Annotated[
        bool,
        typer.Option("--self-check", help="Verify every reference of FILE against itself; exit with 1 if one fails."),
    ] = False,
    source: Annotated[str, typer.Option(help="The verifier: any registered source.")] = "math",
    profile: Profile = None,
    setting: Setting = None,
    workers: Workers = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Of one answer: exit with 0 (right), 1 (wrong) or 3 (no verdict).")
    ] = False,
    as_json: AsJson = False,
    imports: Imports = None,
) -> None:
    """Verify answers against references, and say why: one pair, a JSONL file, or a file's references by themselves."""
    from mars.verifying.verifier import Verifier

    pair = _pair(gold, answer, file)
    if pair is None:
        _check_file_options(output, answer_field, check, exit_code)
    else:
        _check_pair_options({"--output": output, "--gold-field": gold_field, "--answer-field": answer_field}, check)
    import_all(imports)
    settings = settings_of(source, profile, setting)
    with Verifier(source, settings, workers if pair is None else 1) as verifier:
        if pair is not None:
            _one(verifier, *pair, as_json=as_json, exit_code=exit_code)
        elif file is not None and check:
            _self_check(verifier, file, gold_field, as_json)
        elif file is not None and output is not None:
            _file(verifier, file, output, gold_field, answer_field, as_json)


def _pair(gold: str | None, answer: str | None, file: Path | None) -> tuple[str, str] | None:
    """Return the one pair that is to be verified, or `None` when it is a file."""
    if file is not None and gold is None and answer is None:
        return None
    if file is None and gold is not None and answer is not None:
        return gold, answer
    raise ConfigError("say what to verify: --gold G --answer A, or FILE -o OUT, or --self-check FILE")


def _check_pair_options(of_files: Mapping[str, object], check: bool) -> None:
    given = [option for option, value in of_files.items() if value is not None] + ["--self-check"] * check
    if given:
        raise ConfigError(f"{given[0]} needs a FILE; it has no place beside --gold and --answer")


def _check_file_options(output: Path | None, answer_field: str | None, check: bool, exit_code: bool) -> None:
    if exit_code:
        raise ConfigError("--exit-code is for one answer: --gold G --answer A")
    if check and (output is not None or answer_field is not None):
        raise ConfigError("--self-check needs no --output and no --answer-field: it verifies references by themselves")
    if not check and output is None:
        raise ConfigError("say where the records go: --output OUT.jsonl")


def _one(verifier: Verifier, gold: str, answer: str, *, as_json: bool, exit_code: bool) -> None:
    from mars.types import Sample
    from mars.verifying.show import verdict_table
    from mars.verifying.verifier import explained

    [score] = verifier.scores([Sample(answer, reference=gold)])
    record = explained(verifier.bound, score)
    if as_json:
        print(json.dumps({"gold": gold, "answer": answer, **record}))
    else:
        screen.print(verdict_table(gold, answer, record))
    if exit_code:
        verdict = record["verdict"]
        raise typer.Exit(NO_VERDICT if verdict is None else RIGHT if verdict else WRONG)


def _file(
    verifier: Verifier, file: Path, output: Path, gold_field: str | None, answer_field: str | None, as_json: bool
) -> None:
    from mars.verifying.files import verify_file
    from mars.verifying.show import counts_table

    with progress(file) as advance:
        counts = verify_file(file, output, verifier, gold_field=gold_field, answer_field=answer_field, advance=advance)
    if as_json:
        print(json.dumps(counts.to_dict()))
    else:
        screen.print(counts_table(counts, verifier.bound.alias))
        screen.print(f"[dim]records in[/] {escape(str(output))}", soft_wrap=True)


def _self_check(verifier: Verifier, file: Path, gold_field: str | None, as_json: bool) -> NoReturn:
    from mars.verifying.files import self_check
    from mars.verifying.show import counts_table, refused_table

    with progress(file) as advance:
        found = self_check(file, verifier, gold_field=gold_field, advance=advance)
    if as_json:
        print(json.dumps({**found.counts.to_dict(), "refused": found.refused}))
    else:
        screen.print(counts_table(found.counts, verifier.bound.alias))
        if found.refused:
            screen.print(refused_table(found.refused))
    if found.refused:
        errors.print(f"[red]{len(found.refused)} of {found.counts.rows} references are refused as their own answer[/]")
    raise typer.Exit(1 if found.refused else 0)
