"""A real sandbox on this machine, for tests that need nothing special of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandboxes import Sandbox, SandboxUnavailable, open_sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The local sandbox with two workers; where it cannot be had, tests skip with the reason."""
    try:
        made = open_sandbox("local", workers=2)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    with made:
        yield made
