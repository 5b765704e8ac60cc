"""SandboxFusion's `POST /run_code`, answered by a sandbox as SandboxFusion would."""

from __future__ import annotations

import base64

from sandboxes import Sandbox
from sandboxes.errors import SandboxError, ToolchainMissing
from sandboxes.sandbox import Run
from sandboxes.server.fusion_format import (
    LANGUAGES,
    OTHER_LANGUAGES,
    CommandResult,
    RunCodeRequest,
    RunCodeResponse,
    overall_status,
)
from sandboxes.server.gate import Refusal
from sandboxes.server.paths import check_arguments, confine, decode_files
from sandboxes.server.settings import Settings
from sandboxes.types import Outcome, Program

_RUN_PYTEST = "import sys, pytest\nsys.exit(pytest.main(sys.argv[1:]))\n"
_PYTEST_FILE = "test_program.py"
_PYTEST_ARGUMENTS = ("-q", "-p", "no:cacheprovider", _PYTEST_FILE)
_ENDED_AT = {"memory": "memory limit", "output": "output limit", "policy": "forbidden system call"}
_KILLED = 9


class Fusion:
    """Answers requests to run code.

    Args:
        sandbox: Where the programs run.
        settings: What clients may ask for.
    """

    def __init__(self, sandbox: Sandbox, settings: Settings):
        self._sandbox = sandbox
        self._settings = settings
        self._has_pytest = False

    def prepare(self, request: RunCodeRequest) -> Program:
        """Return the program that a request is about.

        Raises:
            Refusal: The request is malformed.
        """
        language = LANGUAGES.get(request.language)
        if language is None and request.language not in OTHER_LANGUAGES:
            raise Refusal(
                422, "invalid", f"unknown language {request.language!r:.80}; known are {', '.join(LANGUAGES)}"
            )
        try:
            confine(request.fetch_files)
            files = decode_files(request.files, self._settings.limits.disk_mb << 20)
            arguments = check_arguments(request.args)
        except ValueError as error:
            raise Refusal(422, "invalid", str(error)) from None
        if request.language == "pytest":
            files[_PYTEST_FILE] = request.code.encode("utf-8", "surrogatepass")
            return Program(_RUN_PYTEST, files=files, arguments=(*_PYTEST_ARGUMENTS, *arguments))
        return Program(request.code, language or request.language, files, arguments)

    async def run_code(self, request: RunCodeRequest) -> RunCodeResponse:
        """Run code and tell what came of it. Trouble of the sandbox is an answer too: `SandboxError`.

        Raises:
            Refusal: The request is malformed.
        """
        program = self.prepare(request)
        if request.language in OTHER_LANGUAGES:
            known = ", ".join(LANGUAGES)
            return _trouble(f"{request.language} is not available on this server; available are {known}")
        limits = self._settings.for_command(request.run_timeout, request.memory_limit_MB)
        compile_limits = self._settings.for_compiling(program.language, request.compile_timeout)
        try:
            if request.language == "pytest" and not await self._pytest_runs():
                return _trouble("pytest is not installed where programs run")
            run = await self._sandbox.run_async(
                program,
                (request.stdin or "").encode("utf-8", "surrogatepass"),
                limits,
                compile_limits=compile_limits,
                fetch=tuple(request.fetch_files),
            )
        except ToolchainMissing as error:
            return _trouble(str(error))
        except SandboxError as error:
            return _trouble(f"the sandbox failed: {error}")
        return _response(run)

    async def _pytest_runs(self) -> bool:
        """Whether pytest is installed; asked before a test runs, since afterwards the program decides what is said."""
        if not self._has_pytest:
            run = await self._sandbox.run_async(Program("import pytest"))
            self._has_pytest = run.outcome is not None and run.outcome.exit_code == 0
        return self._has_pytest


def command_result(outcome: Outcome) -> CommandResult:
    """Return the facts of a run in SandboxFusion's words, which know a time limit and no other."""
    timed_out = outcome.ending in ("cpu", "wall")
    code = outcome.exit_code if outcome.exit_code is not None else -(outcome.signal or _KILLED)
    stderr = outcome.stderr.decode("utf-8", "replace")
    if reason := _ENDED_AT.get(outcome.ending):
        code = code or -_KILLED
        stderr += f"\n[sandbox: {reason}]\n"
    return CommandResult(
        status="TimeLimitExceeded" if timed_out else "Finished",
        execution_time=outcome.wall_s,
        return_code=None if timed_out else code,
        stdout=outcome.stdout.decode("utf-8", "replace"),
        stderr=stderr,
    )


def _response(run: Run) -> RunCodeResponse:
    compiled = command_result(run.compile) if run.compile is not None else None
    ran = command_result(run.outcome) if run.outcome is not None else None
    if compiled is not None and ran is None:
        # A compiler may end well and leave no program.
        compiled.return_code = compiled.return_code if compiled.status != "Finished" else compiled.return_code or 1
    files = run.outcome.fetched if run.outcome is not None else {}
    return RunCodeResponse(
        status=overall_status(compiled, ran),
        compile_result=compiled,
        run_result=ran,
        files={name: base64.b64encode(content).decode() for name, content in files.items()},
    )


def _trouble(message: str) -> RunCodeResponse:
    return RunCodeResponse(status="SandboxError", message=message)
