"""What the tests of the sandbox's command line and settings share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandboxes import SandboxUnavailable, open_sandbox

MARS = str(Path(sys.executable).with_name("mars"))
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def local_sandbox() -> None:
    """Skip where this machine has no local sandbox."""
    try:
        open_sandbox(workers=1).close()
    except SandboxUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def mars(tmp_path: Path) -> Command:
    """`mars sandbox` as a user types it, in a folder of its own."""

    def run(*arguments: str, code: int = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name != "MARS_SANDBOX_TOKEN"}
        done = subprocess.run(
            [MARS, "sandbox", *arguments],
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env=environment | {"COLUMNS": "200"},
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], Path]:
    """Write a file: text as it is, anything else as JSON."""

    def to_file(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return to_file
