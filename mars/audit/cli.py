"""`mars audit`: how far a verifier can be trusted, on labelled answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

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


def audit(
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
        int, typer.Option(min=1, help="Worker processes; with one, no other answer slows down the one that is timed.")
    ] = 1,
    page: Annotated[Path | None, typer.Option(dir_okay=False, help="Write a self-contained HTML page too.")] = None,
    as_json: AsJson = False,
    imports: Imports = None,
) -> None:
    """Audit a verifier: recall, false positives, time, and every disagreement with its explanation."""
    from mars.audit import peers  # noqa: F401  (registers the peers' verifiers)
    from mars.audit.auditing import audit as run
    from mars.audit.page import require_packages, write_page
    from mars.audit.show import disagreement_list, measures_table

    import_all(imports)
    if page is not None:
        require_packages()
    settings = settings_of(source, profile, setting)
    with progress(file, passes=1 if against is None else 2) as advance:
        found = run(
            file,
            source,
            settings,
            gold_field=gold_field,
            answer_field=answer_field,
            label_field=label_field,
            against=against,
            workers=workers,
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
