"""How a run is asked of SandboxFusion."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sandboxes.errors import SandboxUnavailable
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
from sandboxes.remote.transport import Again, TooLarge, Transport
from sandboxes.sandbox import Run
from sandboxes.server.fusion_format import CommandResult, RunCodeResponse
from sandboxes.types import Outcome

_LANGUAGES = {
    "python": "python",
    "cpp": "cpp",
    "javascript": "nodejs",
    "java": "java",
    "go": "go",
    "rust": "rust",
    "bash": "bash",
}


class Fusion:
    """SandboxFusion, which judges by the clock alone and gives output as text."""

    name = "fusion"

    def routes(self, url: str) -> str:
        """The address, which is often given with the route in it."""
        return url.rstrip("/").removesuffix("/run_code")

    async def run(self, transport: Transport, task: Task) -> Run:
        """Run a program by `POST /run_code`."""
        program = task.program
        if program.arguments:
            raise SandboxUnavailable("SandboxFusion passes programs no arguments; use our own server (dialect mars)")
        content = {
            "code": program.source,
            "language": name_there(_LANGUAGES, program.language, "SandboxFusion"),
            "stdin": stdin_text(task.stdin),
            "run_timeout": task.limits.wall,
            "compile_timeout": task.compiling.wall_s or task.compiling.cpu_s,
            "memory_limit_MB": task.limits.memory_mb,
            "files": {name: base64.b64encode(data).decode() for name, data in program.files.items()},
            "fetch_files": list(task.fetch),
        }
        try:
            return await transport.send(
                "POST", "run_code", content, seconds=task.seconds, most_bytes=task.most_bytes, read=_reader(task)
            )
        except TooLarge:
            return flooded()


def _reader(task: Task) -> Callable[[Any], Run]:
    def read(answer: Any) -> Run:
        response = RunCodeResponse.model_validate(answer)
        results = (response.compile_result, response.run_result)
        if response.status == "SandboxError" or any(result and result.status == "Error" for result in results):
            raise Again(f"SandboxError: {response.message}")
        compiled, outcome = (_of_command(result, task) if result else None for result in results)
        if outcome is not None:
            fetched = {name: base64.b64decode(text) for name, text in response.files.items() if name in task.fetch}
            outcome = with_syntax_checked(replace(outcome, fetched=fetched), task.program.language)
        return sound(compiled, outcome)

    return read


def _of_command(result: CommandResult, task: Task) -> Outcome:
    if result.status == "Finished" and result.return_code is None:
        raise ValueError("a command is said to have finished, and not how")
    code = result.return_code
    outcome = Outcome(
        "wall" if result.status == "TimeLimitExceeded" else "exited",
        exit_code=code if code is not None and code >= 0 else None,
        signal=-code if code is not None and code < 0 else None,
        wall_s=result.execution_time or 0.0,
        stdout=as_bytes(result.stdout),
        stderr=as_bytes(result.stderr),
    )
    return within(outcome, task.limits)
