"""The engine: takes a source and samples, picks how to run it, computes identical inputs once, and keeps the order."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from mars.execution.call import Call, run_batch, run_each
from mars.execution.loop import BackgroundLoop
from mars.execution.pool import WorkerPool
from mars.execution.threads import WatchedThreads
from mars.registry import BoundSource
from mars.signature import MissingInputError, identity
from mars.types import Sample, Score, Status


class Engine:
    """Runs reward sources. Starts worker processes and threads when a source first needs them.

    Usable from any thread and under asyncio. After a fork the child starts workers of its own; a pickled engine arrives
    without any.

    Args:
        workers: Worker processes for isolated sources; by default one a core.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._pool: WorkerPool | None = None
        self._loop: BackgroundLoop | None = None
        self._threads: WatchedThreads | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_workers": self._workers}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._workers = state["_workers"]
        self._reset()

    def submit(self, bound: BoundSource, samples: Sequence[Sample]) -> Pending:
        """Start scoring samples with one source.

        Args:
            bound: The source with its settings.
            samples: What to score.

        Returns:
            A handle to the scores: one a sample, in order, whatever fails.
        """
        extract = bound.source.signature.extractor()
        fixed: dict[int, Score] = {}
        calls: list[Call] = []
        places: list[int] = []
        seen: dict[Any, int] = {}
        once = bound.source.independent
        for index, sample in enumerate(samples):
            try:
                call = extract(sample)
            except MissingInputError as missing:
                fixed[index] = Score.failed(Status.ERROR, str(missing))
                continue
            place = seen.setdefault(identity(call), len(calls)) if once else len(calls)
            if place == len(calls):
                calls.append(call)
            places.append(place)
        return Pending(self._dispatch(bound, calls), places, fixed, len(samples))

    def _dispatch(self, bound: BoundSource, calls: list[Call]) -> Future[list[Score]] | _Inline:
        source = bound.source
        if not calls or (source.deadline is None and not source.signature.asynchronous):
            return _Inline(bound, calls)
        self._prepare(source.isolated)
        if source.isolated:
            assert self._pool is not None
            return self._pool.submit(bound, calls)
        assert self._loop is not None and self._threads is not None
        runner = self._loop if source.signature.asynchronous else self._threads
        return runner.submit(bound, calls)

    def _prepare(self, isolated: bool) -> None:
        """Start what a source needs, once."""
        if self._pid != os.getpid():
            self._reset()
        with self._lock:
            if isolated and self._pool is None:
                self._pool = WorkerPool(self._workers)
            if not isolated and self._loop is None:
                self._loop = BackgroundLoop()
                self._threads = WatchedThreads(self._loop)

    def close(self) -> None:
        """End the worker processes and the event loop. The engine starts new ones if it is used again."""
        if self._pid == os.getpid():
            if self._pool is not None:
                self._pool.close()
            if self._loop is not None:
                self._loop.close()
        self._reset()


@dataclass(frozen=True)
class _Inline:
    """Work of a source that is trusted to be quick: done by whoever asks for the result."""

    bound: BoundSource
    calls: list[Call]

    def result(self) -> list[Score]:
        if not self.calls:
            return []
        if self.bound.source.signature.batch:
            return run_batch(self.bound, self.calls)
        return [run_each(self.bound, call) for call in self.calls]


@dataclass(frozen=True)
class Pending:
    """Scores on their way.

    Attributes:
        work: Where the distinct calls' scores come from.
        places: For each sample that could be called for, which call is its own.
        fixed: Scores known before any call, by the sample's index.
        count: How many samples there are.
    """

    work: Future[list[Score]] | _Inline
    places: list[int]
    fixed: dict[int, Score]
    count: int

    @property
    def inline(self) -> bool:
        """Whether the work is done by whoever asks for the result."""
        return isinstance(self.work, _Inline)

    def result(self) -> list[Score]:
        """Wait for the scores."""
        return self._spread(self.work.result())

    async def wait(self) -> list[Score]:
        """Wait for the scores without blocking the event loop."""
        if isinstance(self.work, _Inline):
            return self._spread(await asyncio.to_thread(self.work.result))
        return self._spread(await asyncio.wrap_future(self.work))

    def _spread(self, scores: list[Score]) -> list[Score]:
        places = iter(self.places)
        return [self.fixed[i] if i in self.fixed else scores[next(places)] for i in range(self.count)]
