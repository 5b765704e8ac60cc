"""The commands as a user types them, and a verifier that fails on request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from mars.audit.cli import audit
from mars.verifying.cli import verify

Command = Callable[..., Result]
Write = Callable[[str, Iterable[Mapping[str, Any]]], Path]

MOODY = '''
"""A verifier that does what the answer says."""

import time

from mars import Score, Status, reward


@reward("moody", kind="verifier", isolated=True, deadline=0.5)
def moody(completion: str, reference: object) -> Score:
    if completion == "hang":
        time.sleep(60)
    if completion == "raise":
        raise ValueError("asked to")
    if completion == "shrug":
        return Score.failed(Status.UNDECIDED, "cannot tell", extracted="shrug")
    right = completion.strip() == reference
    return Score(float(right), reason="the same" if right else "another", details={"stage": "identical"})
'''


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    app = typer.Typer()
    app.command("verify")(verify)
    app.add_typer(audit, name="audit")

    def run(*arguments: object, code: int = 0) -> Result:
        result = CliRunner().invoke(app, list(map(str, arguments)))
        assert result.exit_code == code, result.output + repr(result.exception)
        return result

    return run


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def rows(name: str, content: Iterable[Mapping[str, Any]]) -> Path:
        file = tmp_path / name
        file.write_text("".join(json.dumps(row) + "\n" for row in content))
        return file

    return rows


@pytest.fixture
def moody(tmp_path: Path) -> Path:
    # Modules are remembered by name, so that each folder needs a name of its own.
    file = tmp_path / f"moody_{abs(hash(tmp_path))}.py"
    file.write_text(MOODY)
    return file
