"""What tests of the benchmarks share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.hostile import host as hosts
from benchmarks.hostile.host import Host
from sandboxes import open_sandbox
from sandboxes.errors import SandboxUnavailable


@pytest.fixture(scope="session")
def local_backend() -> str:
    """The local backend's name, where this machine can run it."""
    try:
        open_sandbox("local", workers=1).close()
    except SandboxUnavailable as error:
        pytest.skip(f"needs the local sandbox: {error}")
    return "local"


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for the secret and the canary, so that no run of the tool itself is waited for."""
    with tempfile.TemporaryDirectory(prefix="mars-") as name:  # the path of a socket must be short
        Path(name).chmod(0o755)
        monkeypatch.setattr(hosts, "FOLDER", Path(name))
        yield Path(name)


@pytest.fixture
def host() -> Iterator[Host]:
    with Host(["3"]) as ready:
        yield ready
