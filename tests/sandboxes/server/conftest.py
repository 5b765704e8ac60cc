"""A server over the local sandbox, and a client that has its token."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from sandboxes.server import create_app
from tests.sandboxes.http_server import serving
from tests.sandboxes.server.clients import TOKEN, connect


@pytest.fixture(scope="session")
def client(sandbox) -> Iterator[httpx.Client]:
    with serving(create_app(sandbox, token=TOKEN)) as url, connect(url) as connected:
        yield connected
