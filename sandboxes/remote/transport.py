"""Requests to one server: bounded in number, size and time, and repeated where nothing is lost by it."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from sandboxes.errors import InternalError

Answer = TypeVar("Answer")
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_BACKOFF = 10.0
_CONNECT_SECONDS = 10.0
_SHOWN = 300


class Again(Exception):
    """An answer that says nothing of the program; the request is worth repeating."""


class TooLarge(InternalError):
    """The answer was larger than any that the limits allow."""


class Declined(InternalError):
    """The server is well and will not do this, however often it is asked.

    Attributes:
        status: The HTTP status.
        kind: Which refusal it is, where the server says so in a word.
        detail: What the server says.
    """

    def __init__(self, status: int, kind: str, detail: str):
        super().__init__(f"the server declined with {status}: {detail}")
        self.status = status
        self.kind = kind
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear with a server.

    Attributes:
        seconds: How long to go on asking. Each time the server may take as long as the program, and a third of this.
        backoff: Seconds before the first repetition; doubled each time, up to 10.
        failures: After how many requests given up in a row no more are sent.
        pause: For how many seconds; then one is sent to see.
    """

    seconds: float = 60.0
    backoff: float = 0.5
    failures: int = 5
    pause: float = 15.0


class Breaker:
    """Stops sending to a server that has failed several times in a row, so that a batch fails at once."""

    def __init__(self, patience: Patience):
        self._patience = patience
        self._failures = 0
        self._open_until = 0.0
        self._probing = False

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[None]:
        """Around one request: `Declined` and `TooLarge` are answers of a server that is well.

        Raises:
            InternalError: None is sent for now.
        """
        tripped = self._failures >= self._patience.failures
        if tripped and (self._probing or time.monotonic() < self._open_until):
            raise InternalError(f"the server failed {self._failures} times in a row; it gets a pause")
        self._probing = tripped
        try:
            yield
            self._failures = 0
        except (Declined, TooLarge):
            self._failures = 0
            raise
        except InternalError:
            self._failures += 1
            self._open_until = time.monotonic() + self._patience.pause
            raise
        finally:
            if tripped:
                self._probing = False


class Transport:
    """Sends requests to one server.

    Args:
        url: Where its routes begin.
        headers: Sent with each request.
        workers: How many requests may be under way.
        patience: How long to bear with it.
    """

    def __init__(self, url: str, headers: Mapping[str, str], workers: int, patience: Patience):
        self._url = url.rstrip("/")
        self._patience = patience
        self._slots = asyncio.Semaphore(workers)
        self._breaker = Breaker(patience)
        # From the environment comes neither a proxy, which the loopback must not pass, nor a password of ~/.netrc.
        self._client = httpx.AsyncClient(
            headers={**headers, "Accept-Encoding": "identity"},
            limits=httpx.Limits(max_connections=workers, max_keepalive_connections=workers),
            timeout=None,
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def send(
        self,
        method: str,
        path: str,
        content: Any,
        *,
        seconds: float,
        most_bytes: int,
        read: Callable[[Any], Answer],
    ) -> Answer:
        """Send a request until it is answered, and return what `read` makes of the answer's JSON.

        Args:
            method: The HTTP method.
            path: The route.
            content: What to send, as JSON; None sends nothing.
            seconds: How long the server may work on it.
            most_bytes: The largest answer.
            read: Raises `Again` when the answer is that the server failed, ValueError when it makes no sense.

        Raises:
            Declined: The server will not do it.
            TooLarge: The answer was too large.
            InternalError: No answer could be had in the time there was.
        """
        body = b"" if content is None else content if isinstance(content, bytes) else json.dumps(content).encode()
        async with self._slots, self._breaker.watch():
            return await self._persist(method, path, body, seconds, most_bytes, read)

    async def _persist(
        self, method: str, path: str, body: bytes, seconds: float, most_bytes: int, read: Callable[[Any], Answer]
    ) -> Answer:
        deadline = time.monotonic() + self._patience.seconds
        # One that hangs leaves time for another.
        most_seconds = seconds + self._patience.seconds / 3
        attempt = 0
        while True:
            wait = self._backoff(attempt)
            try:
                async with asyncio.timeout(most_seconds):
                    status, headers, answer = await self._exchange(method, path, body, most_bytes)
                if 200 <= status < 300:
                    return read(_json(answer))
                reason = f"HTTP {status}: {_detail(answer)[1]}"
                if status not in _RETRIED:
                    raise Declined(status, *_detail(answer))
                wait = max(wait, _retry_after(headers))
            except TimeoutError:
                reason = f"no answer within {most_seconds:.3g} s"
            except httpx.HTTPError as error:
                reason = f"{type(error).__name__}: {error}"
            except (Again, ValueError, RecursionError) as error:
                reason = f"{error}"
            attempt += 1
            if time.monotonic() + wait >= deadline:
                raise InternalError(f"{self._url}: gave up after {attempt} attempts; the last: {reason:.{_SHOWN}}")
            await asyncio.sleep(wait)

    def _backoff(self, attempt: int) -> float:
        # Drawn at random, so that those who failed together do not return together.
        return min(_LONGEST_BACKOFF, self._patience.backoff * 2**attempt) * random.uniform(0.5, 1)

    async def _exchange(self, method: str, path: str, body: bytes, most_bytes: int) -> tuple[int, httpx.Headers, bytes]:
        headers = {"Content-Type": "application/json"} if body else {}
        async with self._client.stream(method, f"{self._url}/{path}", content=body, headers=headers) as response:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise ValueError("the answer is compressed, which was not asked for")
            answer = bytearray()
            async for chunk in response.aiter_raw():
                answer += chunk
                if len(answer) > most_bytes:
                    raise TooLarge(f"{self._url}: the answer has more than {most_bytes} bytes")
            return response.status_code, response.headers, bytes(answer)


def _json(answer: bytes) -> Any:
    try:
        return json.loads(answer)
    except ValueError:
        raise ValueError(f"the answer is not JSON: {_text(answer)}") from None


def _detail(answer: bytes) -> tuple[str, str]:
    """The kind and the words of a refusal: `detail` of FastAPI's servers, `message` of Piston."""
    try:
        content = json.loads(answer)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        return "", _text(answer)
    words = content.get("detail", content.get("message", content))
    kind = content.get("kind", "")
    return kind if isinstance(kind, str) else "", str(words)[:_SHOWN]


def _text(answer: bytes) -> str:
    return answer[:_SHOWN].decode("utf-8", "replace")


def _retry_after(headers: httpx.Headers) -> float:
    """The seconds that a server asks to wait; the form with a date is not worth reading."""
    seconds = headers.get("retry-after", "")
    return float(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 8 else 0.0
