"""Watches one run after the other from outside of the jail: moves bytes, measures, and decides when to kill.

It is trusted, and treats all that a program writes as bytes. It speaks with the zygote by passing descriptors, and with
the trusted process by messages (see `wire`), so that it serves behind a socket and inside a container alike.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import time
from typing import Any

from . import wire
from .meter import Meter
from .request import Report, make_request, read_report
from .streams import Hung, Link, Pipe
from .turns import Turns
from .zygote import KILL

# Against sealing, shrinking, growing and writing; Python 3.9 has no names for them.
_ADD_SEALS, _ALL_SEALS = 1033, 0xF
_KILL_PATIENCE_S = 10.0
_LONGEST_WALL = 4  # times the limit, however long the machine keeps a program waiting for a core
_MOST_SAID = 128 << 20  # bytes of a conversation, each way
_MOST_FETCHED = 128 << 20  # bytes of all files together; the same one may be there under many names
_FRAMING = 1 << 16  # what a record may take besides the value, or an exception instead of it


class Gone(Exception):
    """The zygote ended, or does not answer. The worker must be replaced."""


class Supervisor:
    """Serves runs until the trusted process hangs up."""

    def __init__(self, link: Link, control: socket.socket, zygote: int, meter: Meter, watched: int | None):
        """Args say whom it stands between.

        Args:
            link: To the trusted process.
            control: To the zygote.
            zygote: A descriptor of the zygote that is readable when it has ended.
            meter: Measures and limits the zygote's programs.
            watched: A descriptor of the trusted process that is readable when it has ended, or None.
        """
        self._link = link
        self._control = control
        self._zygote = zygote
        self._meter = meter
        self._watched = watched

    def serve(self) -> None:
        """Run what is asked for; returns when the trusted process is gone or the zygote cannot be used again."""
        poller = select.poll()
        for descriptor in (self._link.read, self._zygote, *([] if self._watched is None else [self._watched])):
            poller.register(descriptor, select.POLLIN)
        try:
            while True:
                message = self._link.next()
                if message is None:
                    ready = dict(poller.poll())
                    if self._zygote in ready or (self._watched is not None and self._watched in ready):
                        return
                    self._link.pull()
                elif message[0]["do"] == "run":
                    self._run(*message)
        except Hung:
            return
        except Gone as error:
            with contextlib.suppress(Hung):
                self._link.send({"is": "failed", "why": str(error)})

    def _run(self, header: dict[str, Any], parts: list[bytes]) -> None:
        Run(self._link, self._control, self._zygote, self._meter, self._watched, header).go(parts)


class Run:
    """One run, from the request to the answer."""

    def __init__(
        self,
        link: Link,
        control: socket.socket,
        zygote: int,
        meter: Meter,
        watched: int | None,
        header: dict[str, Any],
    ):
        self._link, self._control, self._zygote, self._meter, self._watched = link, control, zygote, meter, watched
        self._header = header
        self._limits = header["limits"]
        self._interactive = bool(header.get("interactive"))
        self._channel: socket.socket | None = None
        self._to_channel = bytearray()
        self._last_word = not self._interactive
        self._turns = Turns(asks=header["mode"] == "examine")
        self._ending: str | None = None
        self._killed_at: float | None = None
        self._report: Report | None = None
        self._dead = False
        self._fetched: list[int] = []
        self._pipes: dict[int, Pipe] = {}
        self._poller = select.poll()

    def go(self, parts: list[bytes]) -> None:
        """Start, watch, and answer."""
        self._meter.start(self._limits)
        start = time.monotonic()
        out, err, reply = self._launch(parts)
        self._listen()  # what was said may have arrived together with the job
        try:
            self._watch(start)
            self._drain()
            if reply is not None and self._interactive:
                self._tell(reply)
        finally:
            for pipe in self._pipes.values():
                pipe.close() if pipe is not reply else None
            if self._channel is not None:
                self._channel.close()
        wall = time.monotonic() - start
        report = self._report
        assert report is not None
        facts = self._conclude(report, wall)
        names = json.loads(report.fetched) if report.fetched else []
        files = _contents(names, self._fetched, self._limits["file_mb"] << 20)
        header = {"is": "done", **facts, "fetched": list(files), "retire": "the zygote ended" if self._dead else ""}
        said = (bytes(out.data), bytes(err.data), bytes(reply.data) if reply else b"")
        self._link.send(header, *said, *files.values())

    def _launch(self, parts: list[bytes]) -> tuple[Pipe, Pipe, Pipe | None]:
        stdin, message, *contents = parts
        header = self._header
        job = {key: header[key] for key in ("command", "arguments", "environment", "files")}
        plain = not any(job.values())
        content = contents[0] if plain else wire.pack(job, *contents)
        given = [_readable(stdin), _readable(content)]
        ends = []
        for _ in range(2):
            read, write = os.pipe()
            # A program that opens /dev/stdout opens the pipe anew, as its own user; gVisor may not let it.
            with contextlib.suppress(PermissionError):
                os.fchmod(write, 0o666)
            self._add(read, self._limits["output_kb"] << 10)
            ends.append(write)
        given[1:1] = ends
        reply = None
        if header["mode"] not in ("python", "exec"):
            self._channel, theirs = socket.socketpair()
            self._channel.setblocking(False)
            most = _MOST_SAID if self._interactive else (self._limits["output_kb"] << 10) + _FRAMING
            reply = self._add(self._channel.fileno(), most)
            given.append(theirs.detach())
            self._to_channel += message
            self._push()
        request = make_request(header, plain, len(content))
        try:
            socket.send_fds(self._control, [request.pack()], given)
        except OSError as error:
            raise Gone(f"the zygote does not listen: {error}") from error
        finally:
            for descriptor in given:
                os.close(descriptor)
        out, err = list(self._pipes.values())[:2]
        for descriptor in (self._control.fileno(), self._zygote, self._link.read):
            self._poller.register(descriptor, select.POLLIN)
        if self._watched is not None:
            self._poller.register(self._watched, select.POLLIN)
        return out, err, reply

    def _add(self, descriptor: int, limit: int) -> Pipe:
        os.set_blocking(descriptor, False)
        pipe = self._pipes[descriptor] = Pipe(descriptor, limit)
        self._poller.register(descriptor, select.POLLIN)
        return pipe

    def _watch(self, start: float) -> None:
        """Until the zygote reports the end: read, pass on, and kill at a limit."""
        deadline = start + self._limits["wall_s"]
        last = start + _LONGEST_WALL * self._limits["wall_s"]
        check = start + self._meter.patience()
        while self._report is None:
            now = time.monotonic()
            if self._killed_at is not None:
                if now > self._killed_at + _KILL_PATIENCE_S:
                    raise Gone("the zygote does not end a program")
                wait = self._killed_at + _KILL_PATIENCE_S - now
            else:
                if now >= check:
                    broken = self._meter.exceeded()
                    if broken:
                        self._kill(broken)
                    check = now + self._meter.patience()
                if now >= deadline and self._killed_at is None:
                    deadline = min(start + self._limits["wall_s"] + self._meter.waited_s(), last)
                    deadline += self._turns.waited_s()
                    if now >= deadline:
                        self._kill("wall")
                wait = min(check, deadline) - now
            for descriptor, _ in self._poller.poll(max(0.0, wait) * 1000 + 0.5):
                self._on(descriptor)

    def _on(self, descriptor: int) -> None:
        if descriptor in self._pipes:
            self._on_pipe(descriptor)
        elif descriptor == self._control.fileno():
            self._on_report()
        elif descriptor == self._link.read:
            self._on_link()
        elif descriptor == self._zygote:
            self._on_report(blocking=False)
            if self._report is None:
                self._on_death()
        else:
            raise Hung

    def _on_pipe(self, descriptor: int) -> None:
        pipe = self._pipes[descriptor]
        is_channel = self._channel is not None and descriptor == self._channel.fileno()
        if is_channel and self._to_channel:
            self._push()
        pipe.read()
        if is_channel and self._interactive:
            self._tell(pipe)
        if (pipe.overflow or (is_channel and self._interactive and self._turns.ahead)) and self._killed_at is None:
            self._kill("output")
        if not pipe.open:
            self._poller.unregister(descriptor)

    def _tell(self, channel: Pipe) -> None:
        if channel.data:
            said = channel.take()
            self._turns.say(said)
            self._link.send({"is": "said"}, said)
            self._listen()  # to what arrived while that was sent

    def _push(self) -> None:
        """Write to the channel what it takes; the rest follows when there is room."""
        channel = self._channel
        if channel is None:
            return
        try:
            while self._to_channel:
                sent = channel.send(self._to_channel)
                del self._to_channel[:sent]
            if self._last_word:
                channel.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            # The program has closed its end; what it wrote so far still counts.
            self._to_channel.clear()
        interest = select.POLLIN | (select.POLLOUT if self._to_channel else 0)
        if self._pipes[channel.fileno()].open:
            self._poller.modify(channel.fileno(), interest)

    def _on_link(self) -> None:
        self._link.pull()
        self._listen()

    def _listen(self) -> None:
        """Do what the trusted process has said so far."""
        while (message := self._link.next()) is not None:
            header, parts = message
            if header["do"] == "say":
                self._to_channel += parts[0]
                self._turns.hear(parts[0])
            elif header["do"] == "hush":
                self._last_word = True
                self._turns.end()
            self._push()

    def _on_report(self, blocking: bool = True) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(
                self._control, 1 << 16, 64, 0 if blocking else socket.MSG_DONTWAIT
            )
        except (BlockingIOError, ConnectionResetError):
            return
        if data:
            self._report = read_report(data)
            self._fetched = list(descriptors)

    def _on_death(self) -> None:
        """The zygote ended. That is the program's doing only when memory ran out."""
        if not self._meter.out_of_memory():
            raise Gone("the zygote ended during a run")
        self._ending = "memory"
        self._report = Report(int(signal.SIGKILL), 0.0, 0, 0, b"scr", b"")
        self._dead = True

    def _kill(self, why: str) -> None:
        self._ending = why
        self._killed_at = time.monotonic()
        with contextlib.suppress(OSError):
            self._control.send(KILL)

    def _drain(self) -> None:
        """Take what is left in the pipes. Nobody writes any more, so this ends without waiting."""
        for pipe in self._pipes.values():
            while pipe.open:
                before = pipe.open
                if not pipe.read() and before:
                    break

    def _conclude(self, report: Report, wall: float) -> dict[str, Any]:
        """The facts of the run."""
        stage = report.stage.decode("utf-8", "replace")
        if "!" in stage and not stage.startswith("sc"):
            raise Gone(f"a program could not be started: {stage.lstrip('sr!')}")
        if not {"c", "r"} & set(stage) and self._ending is None and not self._meter.out_of_memory():
            raise Gone("a program ended before it was begun")
        status = report.status
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        cpu = self._meter.cpu_s(report.cpu_s)
        overflow = any(pipe.overflow for pipe in self._pipes.values())
        ending = self._ending
        if overflow:
            ending = "output"
        elif self._meter.out_of_memory():
            ending = "memory"
        elif ending is None and (cpu > self._limits["cpu_s"] or number == signal.SIGXCPU):
            ending = "cpu"
        elif ending is None and number in (signal.SIGSYS, signal.SIGXFSZ):
            ending = "policy" if number == signal.SIGSYS else "output"
        return {
            "ending": ending or "exited",
            "exit_code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "signal": number,
            "cpu_s": cpu,
            "wall_s": wall,
            "peak_bytes": self._meter.peak_bytes(report.peak_bytes),
            "compiled": "r" in stage,
        }


def _readable(data: bytes) -> int:
    """A descriptor that these bytes can be read from, and that nobody can change."""
    memory = os.memfd_create("input", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        wire.write_all(memory, data)
        fcntl.fcntl(memory, _ADD_SEALS, _ALL_SEALS)
        return os.open(f"/proc/self/fd/{memory}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(memory)


def _contents(names: list[str], descriptors: list[int], limit: int) -> dict[str, bytes]:
    """What the files hold; but those above the limit, and those for which there is no more room, are left out."""
    found, room = {}, _MOST_FETCHED
    for at, descriptor in enumerate(descriptors):
        with open(descriptor, "rb") as file:
            size = os.fstat(descriptor).st_size
            if size <= min(limit, room):
                found[names[at]] = file.read(size)
                room -= size
    return found
