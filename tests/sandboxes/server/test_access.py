"""Who is let in, how many wait, and how a server starts and ends."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandboxes.server import create_app
from sandboxes.server.serving import choose_token, write_token
from tests.sandboxes.http_server import serving, wait_until
from tests.sandboxes.server.clients import TOKEN, connect, judge, post, run_code

ROUTES = (
    ("POST", "/run_code"),
    ("POST", "/submit"),
    ("POST", "/v1/judge"),
    ("POST", "/v1/run"),
    ("PUT", "/v1/tests/x"),
    ("GET", "/metrics"),
)


@pytest.mark.parametrize(("method", "route"), ROUTES)
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"bearer{TOKEN}"])
def test_nothing_runs_without_the_token(client, method, route, header):
    headers = {} if header is None else {"Authorization": header}
    response = httpx.request(method, str(client.base_url.join(route)), headers=headers, trust_env=False)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_health_is_told_to_everybody(client, sandbox):
    with connect(str(client.base_url), None) as stranger:
        assert stranger.get("/v1/ping").json() == "pong"
        health = stranger.get("/healthz").json()
    assert (health["status"], health["backend"], health["isolation"]) == ("ok", "local", "namespaces")
    assert health["workers"] == sandbox.backend.workers
    assert health["probe"]["syscalls"] == "on"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "[::1]:8080"}, 200),
        ({"Host": "rebound.example"}, 403),
        ({"Host": "127.0.0.1.rebound.example"}, 403),
        ({"Host": "[::1"}, 403),
        ({"Host": "[::1].rebound.example"}, 403),
        ({"Origin": "https://a.page.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_without_a_token_programs_of_this_machine_are_served_and_web_pages_are_not(sandbox, headers, status):
    with serving(create_app(sandbox, token=None)) as url, connect(url, None) as client:
        body = {"code": "", "language": "python"}
        assert client.post("/run_code", json=body, headers=headers).status_code == status


def test_an_unknown_route_says_which_there_are(client):
    response = client.post("/run_jupyter", json={})
    assert response.status_code == 404
    assert "/run_code" in response.json()["detail"]
    assert client.get("/run_code").status_code == 405


def test_other_machines_are_never_let_in_without_a_token(monkeypatch):
    monkeypatch.delenv("MARS_SANDBOX_TOKEN", raising=False)
    for host in ("127.0.0.1", "::1", "localhost", "127.3.2.1"):
        assert choose_token(host, None, no_token=True) is None
    for host in ("0.0.0.0", "::", "10.0.0.1", "example.org", ""):
        with pytest.raises(ValueError, match="without a token"):
            choose_token(host, None, no_token=True)
    with pytest.raises(ValueError, match="one of both"):
        choose_token("127.0.0.1", "x", no_token=True)
    for bad in ("", " x", "x\n", "ü"):
        with pytest.raises(ValueError, match="printable"):
            choose_token("127.0.0.1", bad, no_token=False)


def test_a_token_is_made_when_none_is_given(monkeypatch, tmp_path):
    monkeypatch.delenv("MARS_SANDBOX_TOKEN", raising=False)
    first, second = (choose_token("0.0.0.0", None, no_token=False) for _ in range(2))
    assert first and second and first != second and len(first) >= 32
    monkeypatch.setenv("MARS_SANDBOX_TOKEN", "from outside")
    assert choose_token("0.0.0.0", None, no_token=False) == "from outside"
    file = tmp_path / "token"
    file.write_text("older")
    write_token(file, first)
    assert file.read_text() == first + "\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_requests_beyond_the_queue_are_told_when_to_come_back(sandbox):
    slow = {"code": "import time; time.sleep(3)", "language": "python", "run_timeout": 60}
    with serving(create_app(sandbox, token=TOKEN, queue=0)) as url, connect(url) as client:
        hanging = [threading.Thread(target=_ignore_errors, args=(url, slow)) for _ in range(2)]
        for thread in hanging:
            thread.start()
        wait_until(lambda: client.get("/healthz").json()["running"] == 2)
        response = post(client, "/run_code", {"code": "", "language": "python"})
        assert (response.status_code, response.json()["kind"]) == (429, "busy")
        assert 1 <= int(response.headers["Retry-After"]) <= 60
    for thread in hanging:
        thread.join()


def test_a_client_that_hangs_up_while_it_waits_is_not_served(sandbox):
    slow = {"code": "import time; time.sleep(2)", "language": "python", "run_timeout": 60}
    with serving(create_app(sandbox, token=TOKEN)) as url, connect(url) as client:
        busy = [threading.Thread(target=_ignore_errors, args=(url, slow)) for _ in range(2)]
        for thread in busy:
            thread.start()
        wait_until(lambda: client.get("/healthz").json()["running"] == 2)
        with connect(url) as impatient, pytest.raises(httpx.ReadTimeout):
            impatient.post("/run_code", json={"code": "", "language": "python"}, timeout=0.3)
        for thread in busy:
            thread.join()
        wait_until(lambda: client.get("/healthz").json()["waiting"] == 0)
        wait_until(lambda: 'route="/run_code",status="499"} 1.0' in client.get("/metrics").text)
        health = client.get("/healthz").json()
        assert (health["running"], health["waiting"]) == (0, 0)


def test_what_a_server_cannot_finish_when_it_ends_is_no_verdict(sandbox):
    answers: list[httpx.Response] = []
    slow = {"code": "import time; time.sleep(3)", "language": "python", "run_timeout": 60}
    with serving(create_app(sandbox, token=TOKEN)) as url:
        thread = threading.Thread(target=lambda: answers.append(post(connect(url), "/run_code", slow)))
        thread.start()
        with connect(url) as client:
            wait_until(lambda: client.get("/healthz").json()["running"] == 1)
    thread.join()
    assert (answers[0].status_code, answers[0].json()["kind"]) == (503, "internal_error")


def test_a_client_that_hangs_up_while_it_sends_is_counted_and_forgotten(sandbox):
    with serving(create_app(sandbox, token=TOKEN)) as url, connect(url) as client:
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as connection:
            head = f"POST /run_code HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 100\r\n\r\n"
            connection.sendall(head.encode() + b"{")
        wait_until(lambda: 'route="/run_code",status="499"} 1.0' in client.get("/metrics").text)


def test_a_request_that_is_too_large_is_refused_while_it_arrives(sandbox):
    def endless() -> Iterator[bytes]:
        yield b'{"code": "'
        while True:
            yield b"x" * 65536

    with serving(create_app(sandbox, token=TOKEN, most_body_mb=1)) as url, connect(url) as client:
        response = client.post("/run_code", content=b"x" * (1 << 20) + b"x")
        assert (response.status_code, response.json()["kind"]) == (413, "too_large")
        # The server may hang up before the client has stopped sending.
        with contextlib.suppress(httpx.TransportError):
            assert client.post("/run_code", content=endless()).status_code == 413
        assert post(client, "/run_code", {"code": "", "language": "python"}).status_code == 200


def test_what_was_served_is_counted_for_prometheus(sandbox):
    with serving(create_app(sandbox, token=TOKEN)) as url, connect(url) as client:
        run_code(client, "print(1)")
        run_code(client, "print(1)", "lua")
        judge(client, "print(1)", [{"kind": "stdio", "expected": "2"}])
        text = client.get("/metrics").text
    for line in (
        'mars_sandbox_requests_total{route="/run_code",status="200"} 2.0',
        'mars_sandbox_verdicts_total{route="/run_code",verdict="Success"} 1.0',
        'mars_sandbox_verdicts_total{route="/v1/judge",verdict="WA"} 1.0',
        'mars_sandbox_internal_errors_total{route="/run_code"} 1.0',
        'mars_sandbox_run_seconds_count{route="/v1/judge"} 1.0',
        "mars_sandbox_queue_length 0.0",
        "mars_sandbox_workers 2.0",
    ):
        assert line in text.splitlines()


def _ignore_errors(url: str, content: dict[str, Any]) -> None:
    with connect(url) as client, contextlib.suppress(httpx.TransportError):
        client.post("/run_code", json=content)


SCRIPT = "from sandboxes import open_sandbox; from sandboxes.server import serve; serve(open_sandbox(), port=0)"


def test_a_server_prints_its_address_and_token_and_ends_with_its_programs(sandbox):
    environment = {name: value for name, value in os.environ.items() if name != "MARS_SANDBOX_TOKEN"}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stderr=subprocess.PIPE, text=True, env=environment, cwd=_root()
    )
    try:
        assert process.stderr is not None
        url, token = (_last_word(process.stderr.readline()) for _ in range(2))
        with connect(url, token) as client:
            assert run_code(client, "print(1)")["status"] == "Success"
        slow = {"code": "import time; time.sleep(3)", "language": "python"}
        answers: list[httpx.Response] = []
        thread = threading.Thread(target=lambda: answers.append(post(connect(url, token), "/run_code", slow)))
        thread.start()
        with connect(url, token) as client:
            wait_until(lambda: client.get("/healthz").json()["running"] == 1)
        process.send_signal(signal.SIGTERM)
        thread.join()
        assert answers[0].json()["status"] == "Success", "what runs is finished first"
        process.wait(60)
    finally:
        process.kill()
        process.communicate()


def test_the_address_and_the_token_are_checked_before_anything_starts(sandbox):
    script = SCRIPT.replace("port=0", "host='0.0.0.0', no_token=True")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=_root(), check=False)
    assert done.returncode == 1
    assert re.search("ValueError: whoever reaches 0.0.0.0 .* without a token", done.stderr)


def _root() -> Path:
    return Path(__file__).resolve().parents[3]


def _last_word(line: str) -> str:
    return line.split()[-1]
