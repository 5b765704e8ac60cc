"""A persistent pool of killable worker processes with a deadline and a memory limit for every item.

Each worker has a keeper: a thread that starts it, feeds it, waits with a deadline, and kills and replaces it when an
item overruns. A deadline counts from the moment the worker takes the item up, never from the moment it was queued.
Nothing here uses signals, so the pool works from any thread, under asyncio and beside a program with alarms of its own.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import pickle
import queue
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from multiprocessing.connection import Connection

from mars.errors import MarsError
from mars.execution.batch import CLOSED, Batch
from mars.execution.call import Call, failure, share, timeout
from mars.execution.worker import IN_WORKER, OUT_OF_MEMORY, decode
from mars.registry import BoundSource
from mars.types import Score, Status

START_SECONDS = 60.0
"""How long a worker may take to start and to import a source; not part of any item's deadline."""
STALL_SECONDS = 10.0
"""How long a message may stick in the pipe half way: what is left behind in a worker may have frozen it."""
CHUNK = 32
"""Most items sent at once: enough to hide the pipe's cost, few enough that little waits behind a slow one."""
LIFETIME = 5000
"""Items after which a worker is replaced, so that what the libraries inside it leak stays bounded."""

# A fresh interpreter with the parent's import path; unlike multiprocessing's spawn it runs no main script again.
_BOOT = """
import sys
descriptor, parent, *sys.path[:] = sys.argv[1:]
sys.argv[1:] = []
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
        self._stop = _Stop()
        self._keepers = [_Keeper(self._jobs, self._stop) for _ in range(self.workers)]
        self._finalizer = weakref.finalize(self, _dismiss, self._jobs, self.workers)
        for keeper in self._keepers:
            keeper.start()

    def submit(self, bound: BoundSource, calls: Sequence[Call]) -> Batch:
        """Score calls. The pool must not be closed meanwhile; the engine sees to that.

        Args:
            bound: The source; it must be importable by another process.
            calls: The arguments of each call.
        """
        batch = Batch(len(calls))
        try:
            pickled = pickle.dumps(bound)
        except Exception as error:
            reason = f"{bound.alias} cannot be sent to a worker process: {failure(error, 0.0).reason}"
            batch.give_up(Score.failed(Status.ERROR, reason))
            return batch
        whole = bound.source.signature.batch and not bound.source.independent
        size = len(calls) if whole else min(CHUNK, -(-len(calls) // (4 * self.workers)) or 1)
        for start in range(0, len(calls), max(size, 1)):
            self._jobs.put(_Job(bound, pickled, calls[start : start + size], start, batch))
        return batch

    def close(self) -> None:
        """End the workers, now; what is not scored yet is answered with an error."""
        self._stop.set()
        self._finalizer()
        for keeper in self._keepers:
            keeper.join()


def _dismiss(jobs: queue.SimpleQueue[_Job | None], workers: int) -> None:
    for _ in range(workers):
        jobs.put(None)


class _Stop:
    """A flag that the keepers see even while they wait for a worker."""

    def __init__(self) -> None:
        self.is_set = False
        self._ours, self._theirs = socket.socketpair()

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when the flag is set."""
        return self._theirs.fileno()

    def set(self) -> None:
        """Set the flag."""
        self.is_set = True
        self._ours.send(b"x")


class _Job:
    """A run of items for one worker; shrinks from the front as they are answered."""

    def __init__(
        self,
        bound: BoundSource,
        pickled: bytes,
        calls: Sequence[Call],
        start: int,
        batch: Batch,
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


class _StoppedError(Exception):
    """The pool is being closed."""


class _Keeper(threading.Thread):
    """Owns one worker process at a time."""

    def __init__(self, jobs: queue.SimpleQueue[_Job | None], stop: _Stop) -> None:
        super().__init__(daemon=True, name="mars-keeper")
        self._jobs = jobs
        self._stop_flag = stop
        self._worker: _Worker | None = None

    def run(self) -> None:
        """Take jobs until dismissed."""
        while (job := self._jobs.get()) is not None:
            try:
                while job.calls and not job.batch.future.done():
                    self._work(job)
            except _StoppedError:
                self._discard()
                job.answer([CLOSED] * len(job.calls))
            except Exception as error:
                # The promise is one score an item whatever happens, and this thread must outlive any fault.
                self._discard()
                job.fail(f"the worker pool failed: {type(error).__name__}: {error}")
        self._discard()

    def _work(self, job: _Job) -> None:
        """Run a job's items until they are done or the worker has to be replaced."""
        if self._stop_flag.is_set:
            raise _StoppedError
        worker, used = self._worker, self._worker is not None
        if worker is None:
            worker = self._worker = _Worker(self._stop_flag)
        try:
            if trouble := worker.load(job.bound, job.pickled):
                job.fail(f"a worker process cannot import {job.bound.source.origin}: {trouble}")
                return
            self._feed(worker, job)
        except _WorkerDiedError as death:
            self._discard()
            # An item may die of what an earlier one left behind: it gets one more try, alone on a fresh worker.
            if (used or worker.served) and job.retry:
                job.retry = False
            elif not worker.knows(job.pickled):
                # It would take a worker for every job of the batch to learn the same again.
                reason = f"a worker process cannot import {job.bound.source.origin}: {death}"
                job.batch.give_up(Score.failed(Status.ERROR, reason))
            else:
                job.answer(share(Score.failed(Status.ERROR, str(death)), self._blamed(job)))
        if self._worker and self._worker.served >= LIFETIME:
            self._discard()

    def _feed(self, worker: _Worker, job: _Job) -> None:
        deadline = job.bound.source.deadline or START_SECONDS
        blamed = self._blamed(job)
        try:
            calls = pickle.dumps(job.calls)
            count = len(job.calls)
        except Exception:
            # One that cannot be sent must not keep the others: they go one by one.
            try:
                calls, count = pickle.dumps(job.calls[:blamed]), blamed
            except Exception as error:
                reason = f"the sample cannot be sent to a worker process: {failure(error, 0.0).reason}"
                job.answer(share(Score.failed(Status.ERROR, reason), blamed))
                return
        worker.send(job.pickled, count, calls)
        for _ in range(0, count, blamed):
            scores = worker.receive(deadline, blamed)
            if scores is None:
                self._discard()
                job.answer(share(timeout(deadline), blamed))
                return
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

    def __init__(self, stop: _Stop) -> None:
        ours, theirs = socket.socketpair()
        patience = struct.pack("ll", int(STALL_SECONDS), 0)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)
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
        self._stop = stop.fileno()
        self._ready = select.poll()
        self._ready.register(self._connection.fileno(), select.POLLIN)
        self._ready.register(self._stop, select.POLLIN)
        self._loaded: dict[bytes, tuple[int, str | None]] = {}
        self._memory_mb = 0
        self.served = 0

    def knows(self, pickled: bytes) -> bool:
        """Whether the worker tried to import a source, with whatever outcome."""
        return pickled in self._loaded

    def load(self, bound: BoundSource, pickled: bytes) -> str | None:
        """Have the worker import a source, once. Returns what went wrong, if anything did."""
        self._memory_mb = bound.source.memory_mb
        if pickled not in self._loaded:
            key = len(self._loaded)
            # What this process can import by now may be more than when the worker started.
            self._tell(("load", key, pickled, [str(entry) for entry in sys.path]))
            reply = self._hear(START_SECONDS)
            if reply is None:
                raise _WorkerDiedError(f"it took more than {START_SECONDS:g} s")
            self._loaded[pickled] = key, json.loads(reply)
        return self._loaded[pickled][1]

    def send(self, pickled: bytes, count: int, calls: bytes) -> None:
        """Send pickled items to be scored by a source that was loaded."""
        self._tell(("run", self._loaded[pickled][0], count, calls))

    def receive(self, seconds: float, count: int) -> list[Score] | None:
        """Return the next `count` scores, or `None` when they did not come in time."""
        reply = self._hear(seconds)
        try:
            return None if reply is None else decode(reply, count)
        except ValueError as error:
            raise _WorkerDiedError(f"the worker process sent no score: {error}") from error

    def _tell(self, message: object) -> None:
        try:
            self._connection.send_bytes(pickle.dumps(message))
        except OSError as error:
            raise _WorkerDiedError(self._obituary()) from error

    def _hear(self, seconds: float) -> bytes | None:
        ready = self._ready.poll(math.ceil(seconds * 1000))
        if any(descriptor == self._stop for descriptor, _ in ready):
            raise _StoppedError
        try:
            return self._connection.recv_bytes() if ready else None
        except (EOFError, OSError) as error:
            raise _WorkerDiedError(self._obituary()) from error

    def _obituary(self) -> str:
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return "the worker process closed its pipe"
        if code == OUT_OF_MEMORY:
            return f"out of memory: needs more than {self._memory_mb} MiB"
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
        return f"the worker process {how}"

    def kill(self) -> None:
        """End the process and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._connection.close()
