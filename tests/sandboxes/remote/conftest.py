"""A server of ours over the local sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandboxes.server import create_app
from tests.sandboxes.http_server import serving
from tests.sandboxes.remote.servers import TOKEN


@pytest.fixture(scope="session")
def url(sandbox) -> Iterator[str]:
    with serving(create_app(sandbox, token=TOKEN)) as address:
        yield address
