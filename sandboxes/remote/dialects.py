"""What the dialects of servers have in common: the task, and how answers read as facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from sandboxes.errors import SandboxUnavailable, ToolchainMissing
from sandboxes.languages import language
from sandboxes.remote.transport import Transport
from sandboxes.sandbox import Run
from sandboxes.types import CallCase, Limits, Outcome, Program

_JSON_BYTES_A_BYTE = 6  # a NUL is written \u0000
_SLACK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Task:
    """One run that is asked for: of a whole program or, where a server can do that, of one of its functions."""

    program: Program
    stdin: bytes
    limits: Limits
    compile_limits: Limits | None = None
    fresh: bool = False
    fetch: tuple[str, ...] = ()
    call: CallCase | None = None

    @property
    def seconds(self) -> float:
        """How long it may take a server."""
        compiled = language(self.program.language).compile_command is not None
        return self.limits.wall + (self.compiling.wall if compiled else 0)

    @property
    def compiling(self) -> Limits:
        """The limits that apply to compiling."""
        return self.compile_limits or language(self.program.language).compile_limits

    @property
    def most_bytes(self) -> int:
        """The largest answer that keeps to the limits."""
        files = len(self.fetch) * (self.limits.file_mb << 20)
        output = 2 * (self.limits.output_kb + self.compiling.output_kb) << 10
        return 2 * _JSON_BYTES_A_BYTE * output + 2 * files + _SLACK_BYTES


class Dialect(Protocol):
    """A kind of server.

    Attributes:
        name: What users call it.
    """

    name: str

    def routes(self, url: str) -> str:
        """Where the server's routes begin, from the address that a user gave."""
        ...

    async def run(self, transport: Transport, task: Task) -> Run:
        """Run a program once.

        Raises:
            InternalError: There is no answer that says anything of the program.
            ToolchainMissing: The server does not have the language.
            SandboxUnavailable: The server cannot do it, or is none of this kind.
        """
        ...


def name_there(languages: Mapping[str, str], wanted: str, server: str) -> str:
    """Return what a server calls a language.

    Raises:
        ToolchainMissing: It does not have it.
    """
    if wanted not in languages:
        raise ToolchainMissing(f"{server} has no {wanted}; it has {', '.join(languages)}")
    return languages[wanted]


def stdin_text(stdin: bytes) -> str:
    """Return standard input for a server that takes text.

    Raises:
        SandboxUnavailable: It is none.
    """
    try:
        return stdin.decode()
    except UnicodeDecodeError:
        detail = "this server takes standard input as text, and a test's is no UTF-8; use our own (dialect mars)"
        raise SandboxUnavailable(detail) from None


def sound(compiled: Outcome | None, outcome: Outcome | None) -> Run:
    """Return the run, when the answer tells as much as a run does.

    Raises:
        ValueError: It does not.
    """
    if compiled is not None and not ended_well(compiled):
        return Run(compiled, None)
    if outcome is None:
        raise ValueError("the answer says neither that the program ran nor that it could not be compiled")
    return Run(compiled, outcome)


def ended_well(outcome: Outcome) -> bool:
    """Whether a command ended by itself and with 0."""
    return outcome.ending == "exited" and outcome.exit_code == 0


def within(outcome: Outcome, limits: Limits) -> Outcome:
    """Return the same, ended at the limit on output where the server did not hold the program to it."""
    most = limits.output_kb << 10
    if len(outcome.stdout) <= most and len(outcome.stderr) <= most:
        return outcome
    ending = "output" if outcome.ending == "exited" else outcome.ending
    return replace(outcome, ending=ending, stdout=outcome.stdout[:most], stderr=outcome.stderr[:most])


def with_syntax_checked(outcome: Outcome, spoken: str) -> Outcome:
    """Return the same, told as not compiled where Python refused the source.

    An error in the source of a script itself is the one that Python reports without a traceback.
    """
    if spoken != "python" or outcome.exit_code != 1 or b"Traceback (most recent call last)" in outcome.stderr:
        return outcome
    last = outcome.stderr.rstrip().rpartition(b"\n")[2]
    return replace(outcome, compiled=not last.startswith((b"SyntaxError:", b"IndentationError:", b"TabError:")))


def flooded() -> Run:
    """Return what came of a program that wrote more than can be the answer of a server without a limit."""
    return Run(None, Outcome("output"))


def as_bytes(text: str | None) -> bytes:
    """Return text as the bytes it stands for; none of them for null."""
    return (text or "").encode("utf-8", "surrogatepass")
