"""Runs Python as a user without any rights, as which the local sandbox must work too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

import sandboxes

_NOBODY = 65534
_OLDEST = (3, 11)


def run_as_plain_user(script: str) -> list[Any]:
    """Run a script that prints JSON, a value a line, as a plain user with the system's Python; skip if there is none.

    Args:
        script: Its source. The package `sandboxes` is there, and nothing else that Python does not bring.

    Returns:
        The values.
    """
    with tempfile.TemporaryDirectory(prefix="plain-") as folder:
        # This checkout and this interpreter may lie where plain users may not go.
        at = Path(folder)
        shutil.copytree(Path(sandboxes.__file__).parent, at / "sandboxes")
        at.chmod(0o755)
        command = [_python(), "-c", script]
        environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        user = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=False, **user)
    if "SandboxUnavailable" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _python() -> str:
    """An interpreter that every user may run."""
    if os.geteuid() != 0:
        return sys.executable
    for name in ("/usr/bin/python3", "/usr/local/bin/python3"):
        code = f"import sys; sys.exit(sys.version_info < {_OLDEST})"
        if Path(name).exists() and subprocess.run([name, "-c", code], check=False).returncode == 0:
            return name
    pytest.skip("there is no Python of the system's that is new enough for plain users to run")
