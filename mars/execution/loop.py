"""One event loop on a daemon thread: async sources keep their clients open across batches, whoever calls."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from typing import Any

from mars.execution.call import Call, run_batch_async, run_each_async
from mars.registry import BoundSource
from mars.types import Score

CONCURRENCY = 64
"""Most calls of one submission awaited at once; a deadline starts when the call does."""


class BackgroundLoop:
    """Runs coroutines for callers that may or may not have an event loop of their own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True, name="mars-loop")
        self._thread.start()

    def submit(self, bound: BoundSource, calls: Sequence[Call]) -> Future[list[Score]]:
        """Score calls with an async source; one score a call, in order."""
        if bound.source.signature.batch:
            return self.start(run_batch_async(bound, calls))
        return self.start(_each(bound, calls))

    def start(self, work: Coroutine[Any, Any, list[Score]]) -> Future[list[Score]]:
        """Run a coroutine on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def close(self) -> None:
        """Cancel what is running and end the thread."""
        asyncio.run_coroutine_threadsafe(_cancel_all(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


async def _cancel_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _each(bound: BoundSource, calls: Sequence[Call]) -> list[Score]:
    gate = asyncio.Semaphore(CONCURRENCY)

    async def one(call: Call) -> Score:
        async with gate:
            return await run_each_async(bound, call)

    return list(await asyncio.gather(*(one(call) for call in calls)))
