"""Sources that run in this process, watched: a call that overruns its deadline is answered for and left behind.

A thread cannot be killed. What hangs in Python or in I/O is abandoned, which keeps training going; what holds the
interpreter's lock freezes every thread and needs `isolated=True`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from time import monotonic

from mars.execution.call import Call, run_batch, run_each, timeout
from mars.execution.loop import BackgroundLoop
from mars.registry import BoundSource
from mars.types import Score, Status

MOST_ABANDONED = 64
"""Threads left behind by one source after which it is refused: each keeps its memory for good."""


class WatchedThreads:
    """Runs sources in daemon threads and gives up on calls that overrun.

    Args:
        loop: Wakes the watch at each deadline.
    """

    def __init__(self, loop: BackgroundLoop) -> None:
        self._loop = loop
        self._abandoned: dict[str, int] = {}

    def submit(self, bound: BoundSource, calls: Sequence[Call]) -> Future[list[Score]]:
        """Score calls; the future always ends with one score a call, in order."""
        if self._abandoned.get(bound.source.name, 0) >= MOST_ABANDONED:
            refused: Future[list[Score]] = Future()
            reason = f"refused: it hung {MOST_ABANDONED} times; register it with isolated=True, so it can be killed"
            refused.set_result([Score.failed(Status.ERROR, reason)] * len(calls))
            return refused
        run = _WatchedRun(bound, calls)
        run.start()
        self._loop.loop.call_soon_threadsafe(self._watch, run)
        return run.future

    def _watch(self, run: _WatchedRun) -> None:
        if run.future.done():
            return
        remaining = run.remaining()
        if remaining <= 0:
            self._abandoned[run.bound.source.name] = self._abandoned.get(run.bound.source.name, 0) + 1
            run.abandon()
            remaining = run.deadline
        self._loop.loop.call_later(remaining, self._watch, run)


class _WatchedRun:
    """One submission; `_turn` names the thread whose answers still count."""

    def __init__(self, bound: BoundSource, calls: Sequence[Call]) -> None:
        self.bound = bound
        self.future: Future[list[Score]] = Future()
        self.deadline = bound.source.deadline or float("inf")
        self._calls = calls
        self._scores: list[Score] = []
        self._turn = 0
        self._began = monotonic()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start a thread on the calls that have no score yet."""
        self._began = monotonic()
        threading.Thread(target=self._work, args=(self._turn,), daemon=True, name="mars-source").start()

    def remaining(self) -> float:
        """Seconds until the call in hand is overdue."""
        return self.deadline - (monotonic() - self._began)

    def abandon(self) -> None:
        """Answer for the overdue call and go on with the next in a new thread."""
        overdue = len(self._calls) if self.bound.source.signature.batch else 1
        with self._lock:
            if len(self._scores) == len(self._calls):
                return
            self._turn += 1
        self._put([timeout(self.deadline)] * overdue, self._turn)
        if not self.future.done():
            self.start()

    def _work(self, turn: int) -> None:
        if self.bound.source.signature.batch:
            self._put(run_batch(self.bound, self._calls), turn)
            return
        for call in self._calls[len(self._scores) :]:
            if not self._put([run_each(self.bound, call)], turn):
                return

    def _put(self, scores: list[Score], turn: int) -> bool:
        with self._lock:
            if turn != self._turn:
                return False
            self._scores.extend(scores)
            self._began = monotonic()
            done = len(self._scores) == len(self._calls)
        if done:
            self.future.set_result(self._scores)
        return True
