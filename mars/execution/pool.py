"""A persistent pool of killable worker processes with a deadline and a memory limit for every item.

Each worker has a keeper: a thread that starts it, feeds it, waits with a deadline, and kills and replaces it when an
item overruns. A deadline counts from the moment the worker takes the item up, never from the moment it was queued.
Nothing here uses signals, so the pool works from any thread, under asyncio and beside a program with alarms of its own.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import Future
from multiprocessing.connection import Connection

from mars.errors import MarsError
from mars.execution.call import Call, timeout
from mars.execution.worker import IN_WORKER, decode
from mars.registry import BoundSource
from mars.types import Score, Status

START_SECONDS = 60.0
"""How long a worker may take to start and to import a source; not part of any item's deadline."""
CHUNK = 32
"""Most items sent at once: enough to hide the pipe's cost, few enough that little waits behind a slow one."""
LIFETIME = 5000
"""Items after which a worker is replaced, so that what the libraries inside it leak stays bounded."""

# A fresh interpreter with the parent's import path; unlike multiprocessing's spawn it runs no main script again.
_BOOT = """
import sys
descriptor, parent, *sys.path[:] = sys.argv[1:]
from mars.execution.worker import main
main(int(descriptor), int(parent))
"""


class WorkerPool:
    """Runs sources in worker processes.

    Args:
        workers: How many processes; by default one a core that this process may use.
    """

    def __init__(self, workers: int | None = None) -> None:
        if os.environ.get(IN_WORKER):
            raise MarsError(
                "a worker process tried to start workers of its own: a script that scores with isolated sources "
                "must do its work under `if __name__ == '__main__':`"
            )
        self.workers = workers or len(os.sched_getaffinity(0))
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._keepers = [_Keeper(self._jobs) for _ in range(self.workers)]
        self._finalizer = weakref.finalize(self, _dismiss, self._jobs, self.workers)
        for keeper in self._keepers:
            keeper.start()

    def submit(self, bound: BoundSource, calls: Sequence[Call]) -> Future[list[Score]]:
        """Score calls; the future always ends with one score a call, in order.

        Args:
            bound: The source; it must be importable by another process.
            calls: The arguments of each call.
        """
        batch = _Batch(len(calls))
        pickled = pickle.dumps(bound)
        whole = bound.source.signature.batch and not bound.source.independent
        size = len(calls) if whole else min(CHUNK, -(-len(calls) // (4 * self.workers)) or 1)
        for start in range(0, len(calls), max(size, 1)):
            self._jobs.put(_Job(bound, pickled, calls[start : start + size], start, batch))
        return batch.future

    def close(self) -> None:
        """End the workers. Items already submitted are finished first."""
        self._finalizer()
        for keeper in self._keepers:
            keeper.join()


def _dismiss(jobs: queue.SimpleQueue[_Job | None], workers: int) -> None:
    for _ in range(workers):
        jobs.put(None)


class _Batch:
    """Collects the scores of one submission from several keepers."""

    def __init__(self, count: int) -> None:
        self.future: Future[list[Score]] = Future()
        self._scores: list[Score | None] = [None] * count
        self._missing = count
        self._lock = threading.Lock()
        if not count:
            self.future.set_result([])

    def put(self, start: int, scores: list[Score]) -> None:
        """Store scores for the items from `start` on."""
        with self._lock:
            self._scores[start : start + len(scores)] = scores
            self._missing -= len(scores)
            done = not self._missing
        if done:
            self.future.set_result([score for score in self._scores if score is not None])


class _Job:
    """A run of items for one worker; shrinks from the front as they are answered."""

    def __init__(
        self,
        bound: BoundSource,
        pickled: bytes,
        calls: Sequence[Call],
        start: int,
        batch: _Batch,
        retry: bool = True,
    ) -> None:
        self.bound = bound
        self.pickled = pickled
        self.calls = calls
        self.batch = batch
        self.retry = retry
        self._start = start

    def answer(self, scores: list[Score]) -> None:
        """Hand over the scores of the first items and drop these."""
        self.batch.put(self._start, scores)
        self._start += len(scores)
        self.calls = self.calls[len(scores) :]
        self.retry = True

    def fail(self, reason: str) -> None:
        """Answer every item left with an error."""
        self.answer([Score.failed(Status.ERROR, reason)] * len(self.calls))


class _WorkerDiedError(Exception):
    """The worker process ended or said something that no worker says."""


class _Keeper(threading.Thread):
    """Owns one worker process at a time."""

    def __init__(self, jobs: queue.SimpleQueue[_Job | None]) -> None:
        super().__init__(daemon=True, name="mars-keeper")
        self._jobs = jobs
        self._worker: _Worker | None = None

    def run(self) -> None:
        """Take jobs until dismissed."""
        while (job := self._jobs.get()) is not None:
            try:
                while job.calls:
                    self._work(job)
            except Exception as error:
                # The promise is one score an item whatever happens, and this thread must outlive any fault.
                self._discard()
                job.fail(f"the worker pool failed: {type(error).__name__}: {error}")
        self._discard()

    def _work(self, job: _Job) -> None:
        """Run a job's items until they are done or the worker has to be replaced."""
        if self._worker is None:
            self._worker = _Worker()
        worker = self._worker
        try:
            if trouble := worker.load(job.bound, job.pickled):
                job.fail(f"a worker process cannot import {job.bound.source.origin}: {trouble}")
                return
            self._feed(worker, job)
        except _WorkerDiedError as death:
            self._discard()
            # An item may die of what an earlier one left behind: it gets one more try, alone on a fresh worker.
            if worker.served and job.retry:
                job.retry = False
            else:
                job.answer([Score.failed(Status.ERROR, str(death))] * self._blamed(job))
        if self._worker and self._worker.served >= LIFETIME:
            self._discard()

    def _feed(self, worker: _Worker, job: _Job) -> None:
        deadline = job.bound.source.deadline or START_SECONDS
        try:
            worker.send(job.pickled, job.calls)
        except _WorkerDiedError:
            raise
        except Exception as error:
            job.fail(f"the sample cannot be sent to a worker process: {type(error).__name__}: {error}")
            return
        while job.calls:
            scores = worker.receive(deadline)
            if scores is None:
                self._discard()
                job.answer([timeout(deadline)] * self._blamed(job))
                return
            if scores[0].reason.startswith("out of memory"):
                raise _WorkerDiedError(scores[0].reason)
            job.answer(scores)
            worker.served += len(scores)

    @staticmethod
    def _blamed(job: _Job) -> int:
        """How many items go down with the current call: the first, or all that a batch function takes at once."""
        return len(job.calls) if job.bound.source.signature.batch else 1

    def _discard(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker = None


class _Worker:
    """One worker process and the pipe to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, str(theirs.fileno()), str(os.getpid()), *sys.path],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            # A session of its own: Ctrl-C in the terminal is the trainer's to handle, and a kill takes grandchildren
            # too.
            start_new_session=True,
            env=os.environ | {IN_WORKER: "1", "OMP_NUM_THREADS": "1"},
        )
        theirs.close()
        self._connection = Connection(ours.detach())
        self._loaded: dict[bytes, int] = {}
        self.served = 0

    def load(self, bound: BoundSource, pickled: bytes) -> str | None:
        """Have the worker import a source, once. Returns what went wrong, if anything did."""
        if pickled in self._loaded:
            return None
        key = len(self._loaded)
        self._tell(("load", key, pickled))
        reply = self._hear(START_SECONDS)
        if reply is None:
            raise _WorkerDiedError(f"importing {bound.source.origin} took more than {START_SECONDS:g} s")
        if reply != b"null":
            return reply.decode()
        self._loaded[pickled] = key
        return None

    def send(self, pickled: bytes, calls: Sequence[Call]) -> None:
        """Send items to be scored by a source that was loaded."""
        self._tell(("run", self._loaded[pickled], list(calls)))

    def receive(self, seconds: float) -> list[Score] | None:
        """Return the next scores, or `None` when they did not come in time."""
        reply = self._hear(seconds)
        try:
            return None if reply is None else decode(reply)
        except ValueError as error:
            raise _WorkerDiedError(f"the worker process sent no score: {error}") from error

    def _tell(self, message: object) -> None:
        payload = pickle.dumps(message)
        try:
            self._connection.send_bytes(payload)
        except OSError as error:
            raise _WorkerDiedError(self._obituary()) from error

    def _hear(self, seconds: float) -> bytes | None:
        try:
            return self._connection.recv_bytes() if self._connection.poll(seconds) else None
        except (EOFError, OSError) as error:
            raise _WorkerDiedError(self._obituary()) from error

    def _obituary(self) -> str:
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return "the worker process closed its pipe"
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
        return f"the worker process {how}"

    def kill(self) -> None:
        """End the process and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._connection.close()
