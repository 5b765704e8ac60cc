"""Servers that are well, ill or hostile, and sandboxes that use them."""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from sandboxes import Program, StdioCase
from sandboxes.remote import Patience, RemoteSandbox
from tests.sandboxes.http_server import serving

TOKEN = "a token for tests"
QUICK = Patience(seconds=20, backoff=0.01)
BRIEF = Patience(seconds=0.6, backoff=0.01)
ECHO = Program("print(input())")
HELLO = [StdioCase("hello", "hello")]


class Scripted(FastAPI):
    """A server that gives the answers it was given, in turn, and the last of them from then on."""

    def __init__(self, *answers: Any):
        super().__init__(openapi_url=None)
        self.answers = list(answers)
        self.requests: list[tuple[str, Any]] = []
        self.under_way = self.most_under_way = 0
        self.add_api_route("/{path:path}", self.answer, methods=["GET", "POST", "PUT"])

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        self.requests.append((request.url.path, json.loads(body) if body else None))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        try:
            if inspect.iscoroutinefunction(answer):
                answer = await answer(request)
        finally:
            self.under_way -= 1
        return answer if isinstance(answer, Response) else Response(json.dumps(answer), media_type="application/json")


@contextmanager
def remote(
    app: FastAPI, dialect: Any = "fusion", patience: Patience = QUICK, **options: Any
) -> Iterator[RemoteSandbox]:
    with serving(app) as address:
        opened = RemoteSandbox(address, dialect=dialect, patience=patience, **options)
        with opened:
            yield opened


def ran(stdout: str = "hello\n", **fields: Any) -> dict[str, Any]:
    """SandboxFusion's answer to a run."""
    result = {"status": "Finished", "execution_time": 0.1, "return_code": 0, "stdout": stdout, "stderr": "", **fields}
    failed = result["status"] != "Finished" or result["return_code"] != 0
    return {"status": "Failed" if failed else "Success", "message": "", "run_result": result}


async def hang(request: Request) -> Response:
    await asyncio.sleep(30)
    return Response()


async def hang_up(request: Request) -> Response:
    """Promise more than is sent, on which the connection is closed."""
    return StreamingResponse(iter([b'{"status": ']), headers={"Content-Length": "1000"})


def piston_app(*, most_ms: int = 10**9) -> FastAPI:
    """Piston in small: it runs the Python programs of these tests, and says what Piston says."""
    app = FastAPI(openapi_url=None)
    app.state.runtimes_asked = 0

    @app.get("/api/v2/runtimes")
    async def runtimes() -> Any:
        app.state.runtimes_asked += 1
        names = [("python", "3.9.1"), ("python", "3.12.0"), ("python", "2.7.18"), ("go", "1.16.2")]
        return [{"language": name, "version": version, "aliases": ["py", "x"]} for name, version in names]

    @app.post("/api/v2/execute")
    def execute(content: dict[str, Any]) -> Any:
        if (content["language"], content["version"]) != ("python", "3.12.0"):
            return Response('{"message": "runtime is unknown"}', 400)
        if content["run_timeout"] > most_ms:
            return Response(f'{{"message": "run_timeout cannot exceed the configured limit of {most_ms}"}}', 400)
        command = [sys.executable, "-c", content["files"][0]["content"], *content["args"]]
        stage: dict[str, Any] = {"status": None, "cpu_time": 10, "wall_time": 20, "memory": 1 << 20}
        try:
            done = subprocess.run(
                command,
                input=content["stdin"],
                capture_output=True,
                text=True,
                timeout=content["run_timeout"] / 1000,
                check=False,
            )
        except subprocess.TimeoutExpired:
            stage |= {"stdout": "", "stderr": "", "code": None, "signal": "SIGKILL", "status": "TO"}
            return {"run": stage, "language": "python", "version": "3.12.0"}
        stage |= {"stdout": done.stdout, "stderr": done.stderr, "code": done.returncode, "signal": None}
        if done.returncode < 0:
            stage |= {"code": None, "signal": "SIGSEGV", "status": "SG"}
        return {"run": stage, "language": "python", "version": "3.12.0"}

    return app
