"""Judging on a server of ours that is trusted with the tests: one request a program, and the tests sent once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from pydantic import TypeAdapter

from sandboxes.checkers import Checker, Special
from sandboxes.checkers import checker as choose_checker
from sandboxes.errors import SandboxUnavailable
from sandboxes.remote.dialects import Task
from sandboxes.remote.transport import Again, Declined, Transport
from sandboxes.server.judge_format import case_to_json, program_to_json
from sandboxes.types import Judgement, TestCase, Verdict

_REGISTERED_FROM = 16 << 10
_MOST_BYTES_A_TEST = 128 << 10
_SLACK_BYTES = 1 << 20
_JUDGEMENT = TypeAdapter(Judgement)


async def judge_there(
    transport: Transport, task: Task, tests: Sequence[TestCase], checker: Checker, stop_early: bool
) -> Judgement:
    """Judge a program on the server.

    Raises:
        InternalError: The server failed, or has no verdict.
        SandboxUnavailable: The checker exists here alone.
    """
    listed = [case_to_json(test) for test in tests]
    written = json.dumps(listed).encode()
    content = {
        **program_to_json(task.program, task.limits, task.compile_limits, task.fresh),
        "checker": checker_to_json(checker),
        "stop_early": stop_early,
    }
    if len(written) < _REGISTERED_FROM:
        return await _ask(transport, task, content | {"tests": listed}, len(tests))
    digest = hashlib.sha256(written).hexdigest()
    content["tests_id"] = digest
    try:
        return await _ask(transport, task, content, len(tests))
    except Declined as error:
        if error.kind != "unknown_tests":
            raise
    await transport.send("PUT", f"v1/tests/{digest}", written, seconds=60, most_bytes=_SLACK_BYTES, read=lambda _: None)
    return await _ask(transport, task, content, len(tests))


async def _ask(transport: Transport, task: Task, content: dict[str, Any], count: int) -> Judgement:
    def read(answer: Any) -> Judgement:
        judgement = _JUDGEMENT.validate_python(answer)
        accepted = all(case.verdict is Verdict.ACCEPTED for case in judgement.cases)
        if len(judgement.cases) != count or (judgement.verdict is Verdict.ACCEPTED) != accepted:
            raise ValueError("the judgement does not add up")
        if not judgement.decided:
            raise Again(f"the server has no verdict: {judgement.note}")
        return replace(judgement, backend="remote", isolation="remote")

    return await transport.send(
        "POST",
        "v1/judge",
        content,
        seconds=task.seconds + (count - 1) * task.limits.wall,
        most_bytes=_SLACK_BYTES + count * _MOST_BYTES_A_TEST,
        read=read,
    )


def checker_to_json(checker: Checker) -> dict[str, Any]:
    """Write a checker for the server.

    Raises:
        SandboxUnavailable: It exists here alone.
    """
    if isinstance(checker, Special):
        return {"kind": "special", **program_to_json(checker.program, checker.limits), "refusals": checker.refusals}
    try:
        if is_dataclass(checker):
            written = {"kind": checker.name} | {field.name: getattr(checker, field.name) for field in fields(checker)}
            if choose_checker(written) == checker:
                return written
    except ValueError:
        pass
    raise SandboxUnavailable(
        f"the server does not have the checker {type(checker).__name__}; leave tests_on_server out to compare here"
    )
