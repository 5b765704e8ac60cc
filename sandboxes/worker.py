"""One worker as the trusted process sees it: a supervisor behind a stream, that runs one job after the other."""

from __future__ import annotations

import contextlib
import select
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Protocol

from sandboxes.errors import InternalError, SandboxUnavailable
from sandboxes.inside import wire
from sandboxes.types import Job, Limits, Outcome

_START_PATIENCE_S = 90.0
_SUPERVISOR_PATIENCE_S = 30.0
_LONGEST_WALL = 4  # the supervisor's own bound, in wall limits; see sandboxes.inside.supervisor
_LARGEST_MESSAGE_MB = 640  # above two streams, a reply and the files of the largest limits


class Stream(Protocol):
    """How bytes travel to a supervisor and back."""

    def fileno(self) -> int:
        """What to wait on before receiving."""
        ...

    def send(self, data: bytes, deadline: float) -> None:
        """Send everything before a point in monotonic time, or raise `InternalError`."""
        ...

    def receive(self) -> bytes:
        """What has arrived, if any of it is the supervisor's; raises `InternalError` at the end of the stream."""
        ...

    def pending(self) -> bool:
        """Whether `receive` has something to give without the descriptor being readable."""
        ...

    def close(self) -> None:
        """End the supervisor and all it runs, and wait until they are gone."""
        ...


class Worker:
    """Runs jobs on one supervisor. Not for two threads at once."""

    def __init__(self, stream: Stream, config: dict[str, Any]):
        """Start up.

        Args:
            stream: To a supervisor that has just started.
            config: What it shall set up; see `sandboxes.inside.launch`.

        Raises:
            SandboxUnavailable: It refused; the message starts with the layer that is missing.
            InternalError: It did not answer.
        """
        self._stream = stream
        self._reader = wire.Reader()
        self._received = 0
        self.runs = 0
        self.retired = ""
        try:
            self._send({"do": "start", **config}, deadline=time.monotonic() + _START_PATIENCE_S)
            self.about, _ = self._next(time.monotonic() + _START_PATIENCE_S)
            if self.about["is"] != "ready":
                raise SandboxUnavailable(self.about["why"])
        except BaseException:
            self.close()
            raise

    def run(self, job: Job) -> Outcome:
        """Run a job to its end.

        Raises:
            InternalError: The worker failed, and must be closed.
        """
        self.begin(job)
        deadline = _deadline(job.limits)
        while True:
            header, parts = self._next(deadline)
            if header["is"] == "done":
                return self._outcome(header, parts)

    def begin(self, job: Job, interactive: bool = False) -> None:
        """Start a job. With `interactive`, what it writes to its channel arrives at once (see `talk`)."""
        self.runs += 1
        self._received = 0
        header = {
            "do": "run",
            "mode": job.mode,
            "interactive": interactive,
            "limits": {**asdict(job.limits), "wall_s": job.limits.wall},
            "executable": job.executable,
            "fetch": list(job.fetch),
            "command": list(job.command),
            "arguments": list(job.arguments),
            "environment": dict(job.environment),
            "files": list(job.files),
        }
        self._send(header, job.stdin, job.message, job.source, *job.files.values(), deadline=_deadline(job.limits))

    def say(self, data: bytes) -> None:
        """Write to the channel of the job that runs."""
        self._send({"do": "say"}, data, deadline=time.monotonic() + _SUPERVISOR_PATIENCE_S)

    def hush(self) -> None:
        """Close the channel of the job that runs, after what was said so far."""
        self._send({"do": "hush"}, deadline=time.monotonic() + _SUPERVISOR_PATIENCE_S)

    def events(self) -> Iterator[bytes | Outcome]:
        """What has arrived from an interactive job: pieces of its channel, and in the end its outcome."""
        self._feed()
        while (message := self._parse()) is not None:
            header, parts = message
            if header["is"] == "said":
                yield parts[0]
            elif header["is"] == "done":
                yield self._outcome(header, parts)
            else:
                raise InternalError(header.get("why", "the supervisor failed"))

    def fileno(self) -> int:
        """What to wait on before `events`."""
        descriptor = self._stream.fileno()
        if descriptor < 0:
            raise InternalError("the worker is closed")
        return descriptor

    def pending(self) -> bool:
        """Whether `events` has something to give without waiting."""
        return self._stream.pending()

    def close(self) -> None:
        """End the supervisor and all it runs."""
        with contextlib.suppress(OSError):
            self._stream.close()

    def _outcome(self, header: dict[str, Any], parts: list[bytes]) -> Outcome:
        try:
            self.retired = header["retire"]
            stdout, stderr, reply, *files = parts
            facts = {key: header[key] for key in ("ending", "exit_code", "signal", "cpu_s", "wall_s", "peak_bytes")}
            fetched = dict(zip(header["fetched"], files, strict=True))
            compiled = header["compiled"]
        except (KeyError, ValueError) as error:
            raise InternalError(f"the supervisor does not follow the protocol: {error!r}") from error
        return Outcome(**facts, compiled=compiled, stdout=stdout, stderr=stderr, reply=reply, fetched=fetched)

    def _send(self, header: dict[str, Any], *parts: bytes, deadline: float) -> None:
        try:
            self._stream.send(wire.pack(header, *parts), deadline)
        except OSError as error:
            raise InternalError(f"the supervisor does not listen: {error}") from error

    def _next(self, deadline: float) -> tuple[dict[str, Any], list[bytes]]:
        while (message := self._parse()) is None:
            wait = deadline - time.monotonic()
            if wait <= 0 or not (self._stream.pending() or _readable(self.fileno(), wait)):
                raise InternalError("the supervisor does not answer")
            self._feed()
        if message[0]["is"] == "failed":
            raise InternalError(message[0]["why"])
        return message

    def _feed(self) -> None:
        try:
            data = self._stream.receive()
        except OSError as error:
            raise InternalError(f"the supervisor is gone: {error}") from error
        self._received += len(data)
        if self._received > _LARGEST_MESSAGE_MB << 20:
            raise InternalError("the supervisor sends too much")
        self._reader.feed(data)

    def _parse(self) -> tuple[dict[str, Any], list[bytes]] | None:
        try:
            return self._reader.next()
        except ValueError as error:
            raise InternalError(f"the supervisor does not follow the protocol: {error}") from error


def _readable(descriptor: int, seconds: float) -> bool:
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(seconds * 1000))


def _deadline(limits: Limits) -> float:
    return time.monotonic() + _LONGEST_WALL * limits.wall + _SUPERVISOR_PATIENCE_S
