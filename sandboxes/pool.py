"""As many workers as there are cores to run them, started when needed and replaced after any doubt."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterator

from sandboxes.conversing import converse
from sandboxes.errors import InternalError, SandboxUnavailable
from sandboxes.types import Job, Outcome
from sandboxes.worker import Worker

_MOST_RUNS = 20_000


class Pool:
    """Lends workers, one to a caller at a time, to any thread."""

    def __init__(self, start: Callable[[], Worker], size: int):
        """Args say how it grows.

        Args:
            start: Starts a worker.
            size: How many at once.
        """
        self._start = start
        self._size = size
        self._closed = False
        self._forget()
        _pools.add(self)

    def _forget(self) -> None:
        """Begin without workers; in a forked process, those there are belong to its parent."""
        self._places = threading.BoundedSemaphore(self._size)
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()

    def add(self, worker: Worker) -> None:
        """Take in a worker that was started elsewhere."""
        with self._lock:
            self._idle.append(worker)

    @contextlib.contextmanager
    def lend(self) -> Iterator[Worker]:
        """Borrow a worker; wait until one is free. One that was left in doubt is ended, not given back."""
        with self._places:
            worker = self._take()
            try:
                yield worker
            except BaseException:
                self._drop(worker)
                raise
            if worker.retired or worker.runs >= _MOST_RUNS:
                self._drop(worker)
            else:
                self._give_back(worker)

    def _take(self) -> Worker:
        with self._lock:
            if self._closed:
                raise InternalError("the sandbox is closed")
            worker = self._idle.pop() if self._idle else None
        worker = worker or self._start_one()
        with self._lock:
            if not self._closed:
                self._busy.add(worker)
                return worker
        worker.close()
        raise InternalError("the sandbox is closed")

    def _start_one(self) -> Worker:
        """Start a worker. Others have started before: what keeps this one from it will pass."""
        try:
            return self._start()
        except (SandboxUnavailable, OSError) as error:
            raise InternalError(f"no worker can be started: {error}") from error

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
            if not self._closed:
                self._idle.append(worker)
                return
        worker.close()

    def _drop(self, worker: Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
        worker.close()

    def close(self) -> None:
        """End all workers, those that run too."""
        with self._lock:
            self._closed = True
            workers = [*self._idle, *self._busy]
            self._idle.clear()
        for worker in workers:
            worker.close()


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


def _forget_all() -> None:
    for pool in list(_pools):
        pool._forget()


os.register_at_fork(after_in_child=_forget_all)


class Workers:
    """The part of a backend that runs jobs: programs in one pool, and those that examine them in another.

    An examiner waits for its program; with a pool of their own, as many conversations as jobs can go on at once without
    waiting for each other.
    """

    def __init__(self, start: Callable[[], Worker], size: int):
        """Args say how it grows.

        Args:
            start: Starts a worker.
            size: How many jobs at once.
        """
        self.programs = Pool(start, size)
        self._examiners = Pool(start, size)

    def run(self, job: Job) -> Outcome:
        """See `Backend.run`."""
        with self.programs.lend() as worker:
            return worker.run(job)

    def converse(self, job: Job, examiner: Job) -> tuple[Outcome, Outcome]:
        """See `Backend.converse`."""
        with self.programs.lend() as first, self._examiners.lend() as second:
            return converse(first, job, second, examiner)

    def close(self) -> None:
        """End all workers."""
        self.programs.close()
        self._examiners.close()
