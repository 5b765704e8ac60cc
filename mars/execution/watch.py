"""Watching calls that run in this process: what overruns cannot be killed, only answered for and left behind."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import weakref
from collections import Counter
from collections.abc import Callable

from mars.execution.batch import CLOSED, Batch
from mars.registry import BoundSource
from mars.types import Score, Status

MOST_ABANDONED = 64
"""Threads left behind by one source after which it is refused: each keeps its memory for good."""
GRACE = 1.0
"""Seconds that an event loop gets to do by itself what it was told to."""


class BackgroundLoop:
    """An event loop on a daemon thread; it ends when it is closed, or when nobody refers to it any more."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_run, args=(self.loop,), daemon=True, name=name)
        self._thread.start()
        self._finalizer = weakref.finalize(self, _end, self.loop)

    def close(self) -> None:
        """Cancel what is running and end the thread; a loop that is blocked is left behind."""
        self._finalizer()
        self._thread.join(GRACE)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


def _end(loop: asyncio.AbstractEventLoop) -> None:
    async def cancel_all() -> None:
        tasks = asyncio.all_tasks(loop) - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        loop.stop()

    with contextlib.suppress(RuntimeError):  # closed already
        loop.call_soon_threadsafe(lambda: loop.create_task(cancel_all()))


class Watch:
    """Looks after calls at their deadlines, from a loop on which nothing but its own code runs."""

    def __init__(self) -> None:
        self._loop = BackgroundLoop("mars-watch")
        self._left_behind: Counter[str] = Counter()
        self._batches: weakref.WeakSet[Batch] = weakref.WeakSet()

    def batch(self, bound: BoundSource, count: int) -> Batch:
        """Return a batch for calls of a source; it is answered already when the source has hung too often."""
        batch = Batch(count)
        if self._left_behind[bound.source.name] >= MOST_ABANDONED:
            reason = f"refused: it hung {MOST_ABANDONED} times; register it with isolated=True, so it can be killed"
            batch.give_up(Score.failed(Status.ERROR, reason))
        self._batches.add(batch)
        return batch

    def after(self, seconds: float, look: Callable[[], None]) -> None:
        """Call a function after some seconds."""
        with contextlib.suppress(RuntimeError):  # closed already
            self._loop.loop.call_soon_threadsafe(self._loop.loop.call_later, seconds, look)

    def leave_behind(self, bound: BoundSource) -> None:
        """Count a thread that a source keeps for good."""
        self._left_behind[bound.source.name] += 1

    def close(self) -> None:
        """Answer all that is still open, and end."""
        for batch in list(self._batches):
            batch.give_up(CLOSED)
        self._loop.close()
