"""What clients of these tests send."""

from __future__ import annotations

import json
from typing import Any

import httpx

TOKEN = "a token for tests"
SURROGATE = "\ud800"


def connect(url: str, token: str | None = TOKEN) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False)


def post(client: httpx.Client, route: str, content: Any) -> httpx.Response:
    """Post JSON as other clients do: lone surrogates as escapes."""
    return client.post(route, content=json.dumps(content).encode())


def run_code(client: httpx.Client, code: str, language: str = "python", **fields: Any) -> dict[str, Any]:
    response = post(client, "/run_code", {"code": code, "language": language, **fields})
    assert response.status_code == 200, response.text
    return response.json()


def judge(client: httpx.Client, source: str, tests: Any, **fields: Any) -> dict[str, Any]:
    response = post(client, "/v1/judge", {"source": source, "tests": tests, **fields})
    assert response.status_code == 200, response.text
    return response.json()
