"""Who gets in: the token, the size of what a request sends, and a place in a queue that has an end."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import math
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request

_BODY_SECONDS = 120
_LONGEST_RETRY = 60
_HANG_UP = frozenset({401, 403, 408, 413})
_OPEN_ROUTES = frozenset({"/healthz", "/v1/ping"})


class Refusal(Exception):
    """A request that is not served; `detail` tells the client why, and `kind` its program."""

    def __init__(self, status: int, kind: str, detail: str, headers: dict[str, str] | None = None):
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        # Who may not send, or sends too much, is not listened to any longer.
        self.headers = (headers or {}) | ({"Connection": "close"} if status in _HANG_UP else {})


class ClientGone(Exception):
    """The client hung up while it waited; nobody reads an answer."""


def is_loopback(host: str) -> bool:
    """Whether a host, by its name or address, is this machine and no other can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_access(request: Request, token: str | None) -> None:
    """Let a request pass that has the token; without one, any that no web page can have sent from a browser.

    Raises:
        Refusal: It may not pass.
    """
    if request.scope["path"] in _OPEN_ROUTES:
        return
    if token is None:
        # A page that a browser shows can send requests to the loopback, itself or by a name it resolves to it.
        if "origin" in request.headers or not is_loopback(_host_name(request.headers.get("host", ""))):
            raise Refusal(403, "forbidden", "without a token only programs on this machine are served, no web pages")
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
        detail = "the token is missing or wrong; send the header `Authorization: Bearer TOKEN`"
        raise Refusal(401, "unauthorized", detail, {"WWW-Authenticate": "Bearer"})


def _host_name(header: str) -> str:
    """The name in a Host header, without a port."""
    match = re.fullmatch(r"\[([0-9a-fA-F:.]+)\](:\d*)?|([^:]*)(:\d*)?", header)
    return (match[1] or match[3]) if match else ""


class Bodies:
    """Reads requests' bodies while they arrive and holds no more than it was told to.

    Attributes:
        most_bytes: The most that one body may hold.
        most_held: The most that the bodies of all requests under way may hold.
    """

    def __init__(self, most_bytes: int, most_held: int):
        self.most_bytes = most_bytes
        self.most_held = most_held
        self._held = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """Give the body, which counts as held until the end of the block.

        Raises:
            Refusal: It is too large or too slow, or too many are held.
        """
        self._check(_declared_length(request), 0)
        body = bytearray()
        try:
            await self._fill(body, request)
            yield bytes(body)
        finally:
            self._held -= len(body)

    async def _fill(self, body: bytearray, request: Request) -> None:
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                async for chunk in request.stream():
                    self._check(len(body) + len(chunk), len(chunk))
                    self._held += len(chunk)
                    body += chunk
        except TimeoutError:
            raise Refusal(408, "too_slow", f"the request did not arrive within {_BODY_SECONDS} s") from None

    def _check(self, size: int, more: int) -> None:
        if size > self.most_bytes:
            raise Refusal(413, "too_large", f"the request has more than {self.most_bytes} bytes")
        if self._held + more > self.most_held:
            raise Refusal(429, "busy", "the requests under way hold all the memory there is", {"Retry-After": "1"})


def _declared_length(request: Request) -> int:
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 16 else 0


class Gate:
    """Admits as many requests as there are workers, and lets a bounded number wait.

    Attributes:
        workers: How many are served at once.
        queue: How many may wait.
        running: How many are being served.
        waiting: How many wait.
    """

    def __init__(self, workers: int, queue: int):
        self.workers = workers
        self.queue = queue
        self.running = 0
        self.waiting = 0
        self._slots = asyncio.Semaphore(workers)
        self._mean_seconds = 1.0

    def check(self) -> None:
        """Fail early when nobody more may wait.

        Raises:
            Refusal: The queue is full.
        """
        if self._slots.locked() and self.waiting >= self.queue:
            detail = f"{self.running} requests are being served and {self.waiting} wait; come back later"
            raise Refusal(429, "busy", detail, {"Retry-After": str(self.retry_after())})

    def retry_after(self) -> int:
        """Seconds after which the queue, as it stands, has been served."""
        seconds = self._mean_seconds * (self.waiting + 1) / self.workers
        return max(1, min(_LONGEST_RETRY, math.ceil(seconds)))

    @asynccontextmanager
    async def place(self, request: Request) -> AsyncIterator[None]:
        """Wait for a worker and hold its place for the block.

        Raises:
            Refusal: The queue is full.
            ClientGone: The client hung up meanwhile.
        """
        self.check()
        self.waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self.waiting -= 1
        self.running += 1
        started = time.monotonic()
        try:
            if await request.is_disconnected():
                raise ClientGone
            yield
            self._mean_seconds += 0.1 * (time.monotonic() - started - self._mean_seconds)
        finally:
            self.running -= 1
            self._slots.release()
