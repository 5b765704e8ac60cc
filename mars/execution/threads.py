"""Sources that run in this process, watched: a call that overruns its deadline is answered for and left behind.

A thread cannot be killed. What hangs in Python or in I/O is abandoned, which keeps training going; what holds the
interpreter's lock freezes every thread and needs `isolated=True`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from time import monotonic

from mars.execution.batch import Batch
from mars.execution.call import Call, failure, run_batch, run_each, share, timeout
from mars.execution.watch import Watch
from mars.registry import BoundSource
from mars.types import Score


class WatchedThreads:
    """Runs sources in daemon threads and gives up on calls that overrun.

    Args:
        watch: Looks after each call at its deadline.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def submit(self, bound: BoundSource, calls: Sequence[Call]) -> Batch:
        """Score calls."""
        run = _WatchedRun(bound, calls, self._watch.batch(bound, len(calls)))
        if not run.batch.future.done():
            run.start()
            self._watch.after(run.deadline, partial(self._look, run))
        return run.batch

    def _look(self, run: _WatchedRun) -> None:
        if run.batch.future.done():
            return
        if run.abandon():
            self._watch.leave_behind(run.bound)
        self._watch.after(max(0.0, run.remaining()), partial(self._look, run))


class _WatchedRun:
    """One submission; `_turn` names the thread whose answers still count."""

    def __init__(self, bound: BoundSource, calls: Sequence[Call], batch: Batch) -> None:
        self.bound = bound
        self.batch = batch
        self.deadline = bound.source.deadline or float("inf")
        self._calls = calls
        self._answered = 0
        self._turn = 0
        self._began = monotonic()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start a thread on the calls that have no score yet."""
        work = partial(self._work, self._turn, self._answered)
        try:
            threading.Thread(target=work, daemon=True, name="mars-source").start()
        except RuntimeError as error:
            # The system has no thread left to give.
            self.batch.give_up(failure(error, 0.0))

    def remaining(self) -> float:
        """Seconds until the call in hand is overdue."""
        return self.deadline - (monotonic() - self._began)

    def abandon(self) -> bool:
        """If the call in hand is overdue, answer for it and go on with the next in a new thread."""
        with self._lock:
            # The thread may have answered, and begun on the next call, while this one was about to look.
            if self.remaining() > 0:
                return False
            self._turn += 1
        self._answer(self._turn, share(timeout(self.deadline), self._at_once()))
        if not self.batch.future.done():
            self.start()
        return True

    def _at_once(self) -> int:
        return len(self._calls) if self.bound.source.signature.batch else 1

    def _work(self, turn: int, start: int) -> None:
        whole = self.bound.source.signature.batch
        for place in range(start, len(self._calls), self._at_once()):
            try:
                scores = run_batch(self.bound, self._calls) if whole else [run_each(self.bound, self._calls[place])]
            except KeyboardInterrupt as error:
                # Off the main thread it is no user's.
                scores = share(failure(error, 0.0), self._at_once())
            if not self._answer(turn, scores):
                return

    def _answer(self, turn: int, scores: list[Score]) -> bool:
        """Hand over the next scores; returns whether there is more to do for this thread."""
        with self._lock:
            if turn != self._turn:
                return False
            place = self._answered
            self._answered += len(scores)
            self._began = monotonic()
        self.batch.put(place, scores)
        return not self.batch.future.done()
