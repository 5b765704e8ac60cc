"""A thread with an event loop, so that the same requests serve callers with and without one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from sandboxes.errors import InternalError

Result = TypeVar("Result")


class Engine:
    """Runs coroutines on a thread of its own, which starts with the first and ends with `close`."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="remote-sandbox", daemon=True)
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, coroutine: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Start a coroutine, from any thread; after `close` the result is an `InternalError`."""
        with self._lock:
            if self._closed:
                coroutine.close()
                refused: Future[Result] = Future()
                refused.set_exception(InternalError("the sandbox is closed"))
                return refused
            if self._thread.ident is None:
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def close(self, farewell: Callable[[], Awaitable[None]]) -> None:
        """Cancel what runs, then run `farewell` and end the thread. Further calls do nothing."""
        with self._lock:
            started, closed = self._thread.ident is not None, self._closed
            self._closed = True
        if closed:
            return
        if started:
            asyncio.run_coroutine_threadsafe(_end(farewell), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()


async def _end(farewell: Callable[[], Awaitable[None]]) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await farewell()
