"""The harness's side: the things that programs must not reach, and the watch over the machine while they run."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import logging
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.hostile import machine
from sandboxes.backend import Backend
from sandboxes.inside import cgroup
from sandboxes.types import Job, Outcome

FOLDER = Path("/tmp/mars_hostile")
SECRET = "MARS_HOSTILE_SECRET"
CLAIM = b"PWNED:"
POLL_SECONDS = 0.05
SENTINEL = """
import os, signal, sys, time
harness = int(sys.argv[1])
while os.getppid() == harness:
    with open(f"/proc/{harness}/stat") as stat:
        state = stat.read().rpartition(")")[2].split()[0]
    if state in "tT":
        print("stopped", flush=True)
        os.kill(harness, signal.SIGCONT)
    time.sleep(0.05)
"""
"""An unrelated process. It notices when the harness is stopped, and lets it go on."""


@dataclass
class Watch:
    """What was seen of the harness while programs ran.

    Attributes:
        rss_growth: Bytes by which the harness's peak memory grew; None where the kernel does not tell.
        inotify_refused: How often the harness could not make an inotify instance.
        records: The log records of the time.
        stopped: Whether the harness was stopped by a signal.
        sentinel_died: Whether the unrelated process died.
        oom_kills: Processes of the harness's own cgroup that the kernel killed for lack of memory.
        claims: Lines of any output, up to its end, in which a program says that it got through.
        leaks: In which outputs the secret was.
    """

    rss_growth: int | None = None
    inotify_refused: int = 0
    records: list[logging.LogRecord] = field(default_factory=list)
    stopped: bool = False
    sentinel_died: bool = False
    oom_kills: int = 0
    claims: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)


class Host:
    """Sets up what the manifest asks for, and takes it down again.

    Attributes:
        secret: The random string of the secret file and of the environment.
        scratch: The folder that temporary files of the harness, and so of the sandbox, go to.
    """

    def __init__(self, literals: list[str]):
        # Programs look for this very word in the memory of whoever holds the tests.
        self._held = {"MARS_EXPECTED": [f"MARS_EXPECTED {literal}" for literal in literals]}
        self._cleanup = contextlib.ExitStack()
        self._handler = _Keep()
        self._watch = Watch()
        self._others = frozenset(machine.descendants(os.getpid()))

    def __enter__(self) -> Host:
        try:
            self._set_up()
        except BaseException:
            self._cleanup.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def _set_up(self) -> None:
        if SECRET not in os.environ:
            os.environ[SECRET] = secrets.token_hex(16)
            self._cleanup.callback(os.environ.pop, SECRET)
        self.secret = os.environ[SECRET]
        FOLDER.mkdir(exist_ok=True)
        self._lock()
        self.secret_file = FOLDER / "secret.txt"
        self.secret_file.write_text(self.secret)
        self.secret_file.chmod(0o644)
        canary = self._cleanup.enter_context(socket.socket(socket.AF_UNIX))
        path = FOLDER / "canary.sock"
        path.unlink(missing_ok=True)
        canary.bind(str(path))
        canary.listen()
        self._own_scratch()
        self._log()
        self.sentinel = self._cleanup.enter_context(_sentinel())

    def _lock(self) -> None:
        """Wait for other runs of this tool, which use the same paths."""
        descriptor = os.open(FOLDER, os.O_RDONLY)
        self._cleanup.callback(os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another run of this tool, which has locked {FOLDER}", file=sys.stderr)
            fcntl.flock(descriptor, fcntl.LOCK_EX)

    def _own_scratch(self) -> None:
        folder = self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="hostile-", ignore_cleanup_errors=True))
        self.scratch = Path(folder)
        # A plain user's sandbox must be able to pass through.
        self.scratch.chmod(0o711)
        before, before_here = os.environ.get("TMPDIR"), tempfile.tempdir
        os.environ["TMPDIR"] = tempfile.tempdir = folder

        def restore() -> None:
            tempfile.tempdir = before_here
            if before is None:
                del os.environ["TMPDIR"]
            else:
                os.environ["TMPDIR"] = before

        self._cleanup.callback(restore)

    def _log(self) -> None:
        root = logging.getLogger()
        level = root.level
        root.addHandler(self._handler)
        root.setLevel(logging.DEBUG)
        self._cleanup.callback(root.setLevel, level)
        self._cleanup.callback(root.removeHandler, self._handler)

    @contextlib.contextmanager
    def watch(self) -> Iterator[Watch]:
        """Watch the harness during the block; the findings are complete after it."""
        self._watch = watch = Watch()
        self._handler.records = watch.records
        gc.collect()
        before, kills = machine.start_of_peak(), machine.oom_kills()
        done = threading.Event()
        poller = threading.Thread(target=_poll_inotify, args=(watch, done), daemon=True)
        poller.start()
        try:
            yield watch
        finally:
            done.set()
            poller.join()
            after = machine.status("VmHWM")
            watch.rss_growth = after - before if before is not None and after is not None else None
            watch.oom_kills = machine.oom_kills() - kills
            watch.sentinel_died = self.sentinel.poll() is not None
            watch.stopped = self._was_stopped()

    def _was_stopped(self) -> bool:
        assert self.sentinel.stdout is not None
        try:
            return bool(os.read(self.sentinel.stdout.fileno(), 65536))
        except BlockingIOError:
            return False

    def hear(self, outcome: Outcome) -> None:
        """Look through all that a run put out, of which results show only the start."""
        for name, data in (("stdout", outcome.stdout), ("stderr", outcome.stderr), ("reply", outcome.reply)):
            if self.secret.encode() in data:
                self._watch.leaks.append(name)
            if CLAIM in data and name != "reply":
                line = next(line for line in data.split(b"\n") if CLAIM in line)
                self._watch.claims.append(line[:200].decode("utf-8", "replace"))

    def leftovers(self) -> list[str]:
        """List what lies in the scratch folder, at any depth, and the control groups that this process made."""
        own = f"{cgroup.PREFIX}{cgroup.owner_tag(os.getpid())}"
        groups = (path for path in machine.beneath("/sys/fs/cgroup") if Path(path).name.startswith(own))
        return [*machine.beneath(str(self.scratch)), *groups]

    def processes(self) -> dict[int, str]:
        """Return the harness's descendants, by pid, except the sentinel and those that were there before it."""
        known = self._others | {self.sentinel.pid}
        return {pid: name for pid, name in machine.descendants(os.getpid()).items() if pid not in known}


class Listener:
    """A backend that lets the host hear every outcome."""

    def __init__(self, backend: Backend, host: Host):
        self._backend = backend
        self._host = host
        self.name = backend.name
        self.isolation = backend.isolation
        self.workers = backend.workers

    def __getattr__(self, name: str) -> Any:
        """Whatever else the backend has."""
        return getattr(self._backend, name)

    def run(self, job: Job) -> Outcome:
        """Run a job and listen."""
        outcome = self._backend.run(job)
        self._host.hear(outcome)
        return outcome

    def converse(self, job: Job, examiner: Job) -> tuple[Outcome, Outcome]:
        """Run both jobs and listen to the program."""
        outcome, other = self._backend.converse(job, examiner)
        self._host.hear(outcome)
        return outcome, other

    def toolchain(self, command: str) -> str | None:
        """See `Backend.toolchain`."""
        return self._backend.toolchain(command)

    def close(self) -> None:
        """See `Backend.close`."""
        self._backend.close()


class _Keep(logging.Handler):
    """Keeps the records of the current watch."""

    def __init__(self):
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.format(record)  # fills `exc_text`
        self.records.append(record)


@contextlib.contextmanager
def _sentinel() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-I", "-S", "-c", SENTINEL, str(os.getpid())]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _poll_inotify(watch: Watch, done: threading.Event) -> None:
    libc = ctypes.CDLL(None)
    while True:
        over = done.wait(POLL_SECONDS)
        descriptor = libc.inotify_init1(os.O_CLOEXEC)
        if descriptor < 0:
            watch.inotify_refused += 1
        else:
            os.close(descriptor)
        if over:
            return
