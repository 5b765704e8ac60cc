"""How a run is asked of Piston."""

from __future__ import annotations

import asyncio
import base64
import math
import signal
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from sandboxes.errors import SandboxUnavailable, ToolchainMissing
from sandboxes.languages import language as find_language
from sandboxes.remote.dialects import (
    Task,
    as_bytes,
    flooded,
    name_there,
    sound,
    stdin_text,
    with_syntax_checked,
    within,
)
from sandboxes.remote.transport import Again, Declined, TooLarge, Transport
from sandboxes.sandbox import Run
from sandboxes.server.fusion_format import Text
from sandboxes.types import Outcome, Program

_MOST_RUNTIMES_BYTES = 4 << 20
_ENDINGS: dict[str | None, Literal["wall", "output"]] = {"TO": "wall", "OL": "output", "EL": "output"}
_LANGUAGES = {
    "python": "python",
    "c": "c",
    "cpp": "c++",
    "javascript": "javascript",
    "java": "java",
    "go": "go",
    "rust": "rust",
    "bash": "bash",
}


class PistonStage(BaseModel):
    """What Piston tells of compiling or running; older ones leave out the times and the status."""

    model_config = ConfigDict(allow_inf_nan=False)

    stdout: Text = ""
    stderr: Text = ""
    code: int | None = None
    signal: Text | None = None
    status: Text | None = None
    message: Text | None = None
    cpu_time: float | None = None
    wall_time: float | None = None
    memory: int | None = None


class PistonResponse(BaseModel):
    """The answer to Piston's `POST /api/v2/execute`."""

    run: PistonStage | None = None
    compile: PistonStage | None = None


class PistonRuntime(BaseModel):
    """One entry of Piston's `GET /api/v2/runtimes`."""

    language: Text
    version: Text
    aliases: list[Text] = []


class Piston:
    """Piston v2, which judges CPU time and has a small limit on output of its own."""

    name = "piston"

    def __init__(self):
        self._runtimes: list[PistonRuntime] | None = None
        self._asking = asyncio.Lock()

    def routes(self, url: str) -> str:
        """The address with Piston's usual path, unless it came with one."""
        return url if urlsplit(url).path.strip("/") else url.rstrip("/") + "/api/v2"

    async def run(self, transport: Transport, task: Task) -> Run:
        """Run a program by `POST /api/v2/execute`."""
        if task.fetch:
            raise SandboxUnavailable("Piston brings no files back; use our own server (dialect mars)")
        content = await self._request(transport, task)
        try:
            return await transport.send(
                "POST", "execute", content, seconds=task.seconds, most_bytes=task.most_bytes, read=_reader(task)
            )
        except TooLarge:
            return flooded()
        except Declined as error:
            if "cannot exceed" in error.detail:
                raise SandboxUnavailable(
                    f"Piston allows less than these limits: {error.detail}. Lower the limits, or raise Piston's "
                    "PISTON_RUN_TIMEOUT, PISTON_RUN_CPU_TIME, PISTON_COMPILE_TIMEOUT or PISTON_*_MEMORY_LIMIT"
                ) from None
            raise

    async def _request(self, transport: Transport, task: Task) -> dict[str, Any]:
        program, limits, compiling = task.program, task.limits, task.compiling
        language, version = await self._runtime(transport, program.language)
        source = {"name": _source_name(program), "content": program.source or "\n"}
        # As base64, since Piston hands every file of text to the compiler.
        others = [
            {"name": name, "content": base64.b64encode(data).decode(), "encoding": "base64"}
            for name, data in program.files.items()
        ]
        return {
            "language": language,
            "version": version,
            "files": [source, *others],
            "stdin": stdin_text(task.stdin),
            "args": list(program.arguments),
            "run_timeout": math.ceil(limits.wall * 1000),
            "run_cpu_time": math.ceil(limits.cpu_s * 1000),
            "run_memory_limit": limits.memory_mb << 20,
            "compile_timeout": math.ceil(compiling.wall * 1000),
            "compile_cpu_time": math.ceil(compiling.cpu_s * 1000),
            "compile_memory_limit": compiling.memory_mb << 20,
        }

    async def _runtime(self, transport: Transport, language: str) -> tuple[str, str]:
        """The name and the newest version that the server has of a language."""
        async with self._asking:
            if self._runtimes is None:
                self._runtimes = await transport.send(
                    "GET", "runtimes", None, seconds=10, most_bytes=_MOST_RUNTIMES_BYTES, read=_read_runtimes
                )
        name = name_there(_LANGUAGES, language, "Piston")
        found = [entry for entry in self._runtimes if name == entry.language or name in entry.aliases]
        if not found:
            raise ToolchainMissing(f"this Piston has no {language}; install its package there")
        newest = max(found, key=lambda entry: _version(entry.version))
        return newest.language, newest.version


def _source_name(program: Program) -> str:
    spoken = find_language(program.language)
    return spoken.words(program.source)["source"] if spoken.words else spoken.source_name


def _read_runtimes(answer: Any) -> list[PistonRuntime]:
    if not isinstance(answer, list):
        raise ValueError("the runtimes are no list")
    return [PistonRuntime.model_validate(entry) for entry in answer]


def _version(text: str) -> list[int]:
    return [int(part) if part.isascii() and part.isdigit() else -1 for part in text.split(".")[:4]]


def _reader(task: Task) -> Callable[[Any], Run]:
    def read(answer: Any) -> Run:
        response = PistonResponse.model_validate(answer)
        compiled, outcome = (_of_stage(stage, task) if stage else None for stage in (response.compile, response.run))
        return sound(compiled, outcome and with_syntax_checked(outcome, task.program.language))

    return read


def _of_stage(stage: PistonStage, task: Task) -> Outcome:
    if stage.status == "XX":
        raise Again(f"Piston failed: {stage.message}")
    if stage.code is None and stage.signal is None and stage.status is None:
        raise ValueError("a program is said to have ended, and not how")
    ended_by = signal.Signals.__members__.get(stage.signal or "", signal.SIGKILL)
    outcome = Outcome(
        _ENDINGS.get(stage.status, "exited"),
        exit_code=stage.code if stage.signal is None else None,
        signal=int(ended_by) if stage.code is None or stage.signal is not None else None,
        cpu_s=None if stage.cpu_time is None else stage.cpu_time / 1000,
        wall_s=(stage.wall_time or 0.0) / 1000,
        peak_bytes=stage.memory,
        stdout=as_bytes(stage.stdout),
        stderr=as_bytes(stage.stderr),
    )
    return within(outcome, task.limits)
