"""Fixtures that every test may use."""

from __future__ import annotations

import os

# Before any library reads it, whichever test imports that library first: no test may wait for a network.
os.environ["HF_HUB_OFFLINE"] = "1"

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from mars import registry
from mars.weighting import strategies

# What a property needs is many inputs, not fast ones: other work on the machine must not fail it.
settings.register_profile("mars", deadline=None, max_examples=100, print_blob=True)
settings.load_profile("mars")


@pytest.fixture(autouse=True)
def forget_sources() -> Iterator[None]:
    """Take out of the registries what a test registered."""
    registry.load_plugins()
    for name in strategies.BUILT_IN:
        strategies.get(name)
    sources, known = dict(registry._sources), dict(strategies._registered)
    yield
    registry._sources.clear()
    registry._sources.update(sources)
    strategies._registered.clear()
    strategies._registered.update(known)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real problems and graded answers, which is no part of the project."""
    named = os.environ.get("MARS_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs real data: there is no folder {folder}; say where it is with $MARS_DATA")
    return folder
