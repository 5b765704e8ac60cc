"""The routes of a server: SandboxFusion's, ours under `/v1`, health and metrics."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from sandboxes import Sandbox
from sandboxes.checkers import Checker, Special, checker
from sandboxes.errors import SandboxError, SandboxUnavailable, ToolchainMissing
from sandboxes.judging import as_bytes, call_job
from sandboxes.languages import language
from sandboxes.sandbox import Run
from sandboxes.server.fusion import Fusion
from sandboxes.server.fusion_format import RunCodeRequest, SubmitRequest
from sandboxes.server.gate import Bodies, ClientGone, Gate, Refusal, check_access
from sandboxes.server.judge_format import (
    TESTS,
    JudgeRequest,
    ProgramFields,
    RunRequest,
    SpecialFields,
    from_data,
    run_to_json,
)
from sandboxes.server.kept_tests import KeptTests
from sandboxes.server.metrics import Metrics
from sandboxes.server.settings import CEILING, DEFAULTS, Settings
from sandboxes.server.submit import submit
from sandboxes.types import Job, Limits, Program, TestCase

logger = logging.getLogger(__name__)
Body = TypeVar("Body", bound=BaseModel)
Handler = Callable[[Request, bytes], Awaitable[Response]]


def create_app(
    sandbox: Sandbox,
    *,
    token: str | None,
    queue: int = 512,
    limits: Limits = DEFAULTS,
    ceiling: Limits = CEILING,
    most_body_mb: int = 64,
    most_tests_mb: int = 512,
    on_shutdown: Callable[[], None] | None = None,
) -> FastAPI:
    """Put a sandbox behind HTTP.

    Args:
        sandbox: Where the programs run.
        token: What clients must show. None serves whoever asks from this machine, but no web page: only for servers
            that listen on the loopback.
        queue: How many requests may wait for a worker; further ones are answered 429 with `Retry-After`.
        limits: What applies where a request names no limit.
        ceiling: The most that a request may ask for.
        most_body_mb: The largest request, in MiB; four times as much is held at once.
        most_tests_mb: How many MiB of registered tests to keep.
        on_shutdown: Called when the server has answered its last request, or cannot wait for it any longer.
    """
    settings = Settings(limits, ceiling)
    settings.check(limits)
    return _Service(sandbox, token, queue, settings, most_body_mb << 20, most_tests_mb << 20).app(on_shutdown)


class _Service:
    """The state behind the routes."""

    def __init__(
        self, sandbox: Sandbox, token: str | None, queue: int, settings: Settings, body_bytes: int, tests_bytes: int
    ):
        self.sandbox = sandbox
        self.token = token
        self.settings = settings
        self.gate = Gate(sandbox.backend.workers, queue)
        self.bodies = Bodies(body_bytes, 4 * body_bytes)
        self.metrics = Metrics(self.gate)
        self.tests = KeptTests(tests_bytes)
        self.fusion = Fusion(sandbox, settings)

    def app(self, on_shutdown: Callable[[], None] | None) -> FastAPI:
        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            yield
            if on_shutdown is not None:
                await run_in_threadpool(on_shutdown)

        app = FastAPI(title="MARS sandbox", openapi_url=None, lifespan=lifespan)
        for method, path, handler in (
            ("POST", "/run_code", self.run_code),
            ("POST", "/submit", self.submit),
            ("POST", "/v1/judge", self.judge),
            ("POST", "/v1/run", self.run),
            ("PUT", "/v1/tests/{digest}", self.put_tests),
            ("GET", "/v1/ping", self.ping),
            ("GET", "/healthz", self.health),
            ("GET", "/metrics", self.show_metrics),
        ):
            app.add_route(path, self._guarded(path, handler), [method])
        app.add_exception_handler(HTTPException, _no_such_route)
        return app

    def _guarded(self, route: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Around every handler: access, the body, errors as answers, and the count of requests."""

        async def guarded(request: Request) -> Response:
            response = await self._answer(request, handler, route)
            self.metrics.requests.labels(route, str(response.status_code)).inc()
            return response

        return guarded

    async def _answer(self, request: Request, handler: Handler, route: str) -> Response:
        try:
            check_access(request, self.token)
            if request.method == "POST":
                self.gate.check()
            async with self.bodies.read(request) as body:
                return await handler(request, body)
        except Refusal as refusal:
            return _json({"detail": refusal.detail, "kind": refusal.kind}, refusal.status, refusal.headers)
        except asyncio.CancelledError:
            # The server is told to end, and has waited for this request as long as it may.
            return _json({"detail": "the server shuts down", "kind": "internal_error"}, 503)
        except (ClientGone, ClientDisconnect):
            return Response(status_code=499)
        except ToolchainMissing as error:
            return _json({"detail": str(error), "kind": "toolchain_missing"}, 422)
        except SandboxUnavailable as error:
            return _json({"detail": str(error), "kind": "unavailable"}, 422)
        except SandboxError as error:
            self.metrics.internal_errors.labels(route).inc()
            return _json(
                {"detail": f"the sandbox failed: {error}", "kind": "internal_error"}, 503, {"Retry-After": "1"}
            )
        except Exception:
            logger.exception("%s failed", route)
            return _json({"detail": "the server failed; its log says how", "kind": "internal_error"}, 500)

    @asynccontextmanager
    async def _served(self, request: Request, route: str) -> AsyncIterator[None]:
        async with self.gate.place(request):
            with self.metrics.seconds.labels(route).time():
                yield

    async def run_code(self, request: Request, body: bytes) -> Response:
        asked = await run_in_threadpool(_parse, RunCodeRequest, body)
        async with self._served(request, "/run_code"):
            response = await self.fusion.run_code(asked)
        self.metrics.verdicts.labels("/run_code", response.status).inc()
        if response.status == "SandboxError":
            self.metrics.internal_errors.labels("/run_code").inc()
        return _json(response.model_dump())

    async def submit(self, request: Request, body: bytes) -> Response:
        asked = await run_in_threadpool(_parse, SubmitRequest, body)
        async with self._served(request, "/submit"):
            result = await submit(self.sandbox, self.settings, asked)
        self.metrics.verdicts.labels("/submit", (result.extra or {})["verdict"]).inc()
        return _json(result.model_dump())

    async def judge(self, request: Request, body: bytes) -> Response:
        asked = await run_in_threadpool(_parse, JudgeRequest, body)
        program, limits, compile_limits = self._program(asked)
        cases = self._cases(asked)
        options = {"compile_limits": compile_limits, "fresh": asked.fresh, "stop_early": asked.stop_early}
        options["checker"] = self._checker(asked)
        async with self._served(request, "/v1/judge"):
            try:
                judgement = await self.sandbox.judge_async(program, cases, limits, **options)
            except ValueError as error:
                raise Refusal(422, "invalid", str(error)) from None
        self.metrics.verdicts.labels("/v1/judge", judgement.verdict.code).inc()
        if not judgement.decided:
            self.metrics.internal_errors.labels("/v1/judge").inc()
        return _json(judgement.to_dict())

    async def run(self, request: Request, body: bytes) -> Response:
        asked = await run_in_threadpool(_parse, RunRequest, body)
        program, limits, compile_limits = self._program(asked)
        stdin, fetch = _valid(from_data, asked.stdin), _valid(RunRequest.confined_fetch, asked)
        call = _valid(_call_job, asked, program, limits)
        async with self._served(request, "/v1/run"):
            if call is not None:
                run = Run(None, await run_in_threadpool(self.sandbox.backend.run, call))
            else:
                options = {"compile_limits": compile_limits, "fresh": asked.fresh, "fetch": fetch}
                run = await self.sandbox.run_async(program, as_bytes(stdin), limits, **options)
        self.metrics.verdicts.labels("/v1/run", run.outcome.ending if run.outcome else "not compiled").inc()
        return _json(run_to_json(_settled(run)))

    async def put_tests(self, request: Request, body: bytes) -> Response:
        digest = request.path_params["digest"]
        if await run_in_threadpool(_digest, body) != digest:
            raise Refusal(422, "invalid", "the path is not the SHA-256 of the body, in hexadecimal")
        if len(body) > self.tests.most_bytes:
            raise Refusal(413, "too_large", f"the tests come to more than {self.tests.most_bytes} bytes")
        cases = await run_in_threadpool(_parse_tests, body)
        self.tests.put(digest, cases, len(body))
        return _json({"tests_id": digest, "tests": len(cases)}, 201)

    async def ping(self, request: Request, body: bytes) -> Response:
        return _json("pong")

    async def health(self, request: Request, body: bytes) -> Response:
        backend = self.sandbox.backend
        probe = getattr(backend, "probe", None)
        about = {
            "status": "ok",
            "backend": backend.name,
            "isolation": backend.isolation,
            "workers": backend.workers,
            "running": self.gate.running,
            "waiting": self.gate.waiting,
            "probe": dict(await run_in_threadpool(probe)) if probe else None,
        }
        return _json(about)

    async def show_metrics(self, request: Request, body: bytes) -> Response:
        return Response(self.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    def _program(self, asked: ProgramFields) -> tuple[Program, Limits, Limits | None]:
        limits, compile_limits = self.settings.choose(asked.limits), None
        compiling = _valid(language, asked.language).compile_limits
        if asked.compile_limits is not None:
            compile_limits = self.settings.choose(asked.compile_limits, compiling)
        return _valid(asked.program, limits.disk_mb << 20), limits, compile_limits

    def _checker(self, asked: JudgeRequest) -> Checker:
        if isinstance(asked.checker, SpecialFields):
            program, limits, _ = self._program(asked.checker)
            return Special(program, self.sandbox, limits, asked.checker.refusals)
        if isinstance(asked.checker, dict) and asked.checker.get("kind") == "special":
            raise Refusal(422, "invalid", "a special judge is a program: `kind`, `source`, and at most what a run has")
        return _valid(checker, asked.checker)

    def _cases(self, asked: JudgeRequest) -> tuple[TestCase, ...]:
        if asked.tests is not None:
            return tuple(_valid(type(test).case, test) for test in asked.tests)
        cases = self.tests.get(asked.tests_id or "")
        if cases is None:
            detail = f"no tests are registered as {asked.tests_id!r:.80}; PUT them to /v1/tests/SHA256 first"
            raise Refusal(404, "unknown_tests", detail)
        return cases


def _valid(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function makes of a part of a request; that it cannot is the client's fault."""
    try:
        return function(*arguments)
    except ValueError as error:
        raise Refusal(422, "invalid", str(error)) from None


def _parse(model: type[Body], body: bytes) -> Body:
    return _validate(TypeAdapter(model), body)


def _parse_tests(body: bytes) -> tuple[TestCase, ...]:
    return tuple(_valid(type(test).case, test) for test in _validate(TESTS, body))


def _validate(adapter: TypeAdapter[Any], body: bytes) -> Any:
    try:
        # Python's parser, not pydantic's: it takes the lone surrogates that models write.
        return adapter.validate_python(json.loads(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Refusal(422, "invalid", f"{where}: {first['msg']}" if where else first["msg"]) from None
    except (ValueError, RecursionError):
        raise Refusal(422, "invalid", "the body is not JSON") from None


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    # In ASCII, so that lone surrogates in what programs write get through.
    return Response(json.dumps(content), status, headers, media_type="application/json")


def _call_job(asked: RunRequest, program: Program, limits: Limits) -> Job | None:
    if asked.call is None:
        return None
    if language(asked.language).name != "python":
        raise ValueError("only functions of Python programs can be called")
    return replace(call_job(as_bytes(program.source), asked.call.case(), limits), files=program.files)


def _settled(run: Run) -> Run:
    """The same, with a compiler that ended well and left no program told as one that failed."""
    if run.compile is not None and run.outcome is None and not run.compile.exit_code and run.compile.signal is None:
        return Run(replace(run.compile, exit_code=1), None)
    return run


async def _no_such_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    detail = "no such route; there are /run_code, /submit, /v1/judge, /v1/run, /v1/tests/SHA256, /healthz and /metrics"
    return _json({"detail": detail, "kind": "not_found"}, status)
