"""How a run is asked of our own server."""

from __future__ import annotations

from typing import Any

from sandboxes.remote.dialects import Task, sound
from sandboxes.remote.transport import Transport
from sandboxes.sandbox import Run
from sandboxes.server.judge_format import RunResponse, call_to_json, program_to_json, to_data


class Mars:
    """Our own server: every byte and every fact comes through."""

    name = "mars"

    def routes(self, url: str) -> str:
        """The address itself."""
        return url

    async def run(self, transport: Transport, task: Task) -> Run:
        """Run a program, or call one of its functions, by `POST /v1/run`."""
        content = {
            **program_to_json(task.program, task.limits, task.compile_limits, task.fresh),
            "stdin": to_data(task.stdin),
            "fetch": list(task.fetch),
            "call": None if task.call is None else call_to_json(task.call),
        }

        def read(answer: Any) -> Run:
            response = RunResponse.model_validate(answer)
            compiled = response.compile.outcome() if response.compile else None
            return sound(compiled, response.outcome.outcome() if response.outcome else None)

        return await transport.send(
            "POST", "v1/run", content, seconds=task.seconds, most_bytes=task.most_bytes, read=read
        )
