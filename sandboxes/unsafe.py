"""No sandbox: programs run as this user, on this machine's files. For programs that you would run by hand."""

from __future__ import annotations

import itertools
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from sandboxes.cores import worker_count
from sandboxes.inside.usual import STANDARD
from sandboxes.local import environment
from sandboxes.pool import Workers
from sandboxes.stream import SocketStream
from sandboxes.toolchains import host_tool
from sandboxes.types import Job, Outcome
from sandboxes.worker import Worker

_LAYERS = ["rlimits", "descriptors", "environment"]


class UnsafeSubprocessBackend:
    """Runs jobs under resource limits alone. A program can read, change and kill whatever its user can."""

    name = "unsafe-subprocess"
    isolation = "none"

    def __init__(self, workers: int | None = None, *, python: str = sys.executable, preload: Iterable[str] = ()):
        """Get ready. Workers start with the first jobs.

        Args:
            workers: Jobs at once; None takes the usable cores.
            python: The interpreter that runs Python programs.
            preload: Modules that Python programs find imported already, besides the usual ones.
        """
        self.workers = worker_count(workers)
        self._python = python
        self._preload = [*STANDARD, *preload]
        self._folder = Path(tempfile.mkdtemp(prefix="mars-unsafe-"))
        self._numbers = itertools.count()
        self._workers = Workers(self._start, self.workers)

    def run(self, job: Job) -> Outcome:
        """See `Backend.run`."""
        return self._workers.run(job)

    def converse(self, job: Job, examiner: Job) -> tuple[Outcome, Outcome]:
        """See `Backend.converse`."""
        return self._workers.converse(job, examiner)

    def toolchain(self, command: str) -> str | None:
        """See `Backend.toolchain`."""
        return self._python if command in ("python", "python3") else host_tool(command)

    def close(self) -> None:
        """See `Backend.close`."""
        self._workers.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> Worker:
        folder = self._folder / str(next(self._numbers))
        scratch = [folder / name for name in ("work", "tmp", "shm")]
        for path in scratch:
            path.mkdir(parents=True)
        config = {
            "layers": _LAYERS,
            "jail": False,
            "container": False,
            "user": None,
            "binds": [],
            "scratch": [str(path) for path in scratch],
            "preload": self._preload,
            "group": "",
        }
        variables = {**environment(self._python), "HOME": str(scratch[0]), "TMPDIR": str(scratch[1])}
        return Worker(SocketStream(self._python, variables), config)
