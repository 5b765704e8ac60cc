"""The server at the other end, as a backend: what it is called, and the requests under way."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar
from urllib.parse import urlsplit

from sandboxes.errors import SandboxUnavailable, ToolchainMissing
from sandboxes.remote.dialects import Dialect
from sandboxes.remote.engine import Engine
from sandboxes.remote.transport import Declined, Patience, Transport
from sandboxes.types import Job, Outcome

Answer = TypeVar("Answer")
# What a server of ours will not do for any program, and how others say that they are not the server meant.
_REFUSALS = frozenset({"above_ceiling", "unavailable", "forbidden"})
_MISDIRECTED = frozenset({401, 404, 405, 501})


class RemoteHost:
    """A server that runs programs. It takes no jobs: how to run a language is its own affair."""

    name = "remote"
    isolation = "remote"

    def __init__(self, url: str, dialect: Dialect, workers: int, headers: Mapping[str, str], patience: Patience):
        """Nothing is sent before the first request.

        Args:
            url: The server's address.
            dialect: What it speaks.
            workers: How many requests may be under way.
            headers: Sent with each.
            patience: How long to bear with it.
        """
        self.url = url
        self.dialect = dialect
        self.workers = workers
        self._headers = headers
        self._patience = patience
        self._connect()

    def _connect(self) -> None:
        self._pid = os.getpid()
        self._engine = Engine()
        self._transport = Transport(self.dialect.routes(self.url), self._headers, self.workers, self._patience)

    def start(self, ask: Callable[[Transport], Coroutine[Any, Any, Answer]]) -> Future[Answer]:
        """Start what asks something of the server; the result has its answer.

        Raises:
            InternalError: In the result: there is no answer that says anything of the program.
            ToolchainMissing: In the result: the server does not have the language.
            SandboxUnavailable: In the result: it will not do this, whatever the program.
        """
        if self._pid != os.getpid():
            # A fork takes no threads along, and must not share connections.
            self._connect()
        return self._engine.submit(self._asked(ask))

    async def _asked(self, ask: Callable[[Transport], Coroutine[Any, Any, Answer]]) -> Answer:
        try:
            return await ask(self._transport)
        except Declined as error:
            if error.kind == "toolchain_missing":
                raise ToolchainMissing(error.detail) from None
            if error.kind in _REFUSALS:
                raise SandboxUnavailable(f"{self.url}: {error.detail}") from None
            if error.kind != "unknown_tests" and (error.status in _MISDIRECTED or error.status < 400):
                raise SandboxUnavailable(self._unsuitable(error)) from None
            raise

    def _unsuitable(self, error: Declined) -> str:
        if error.status == 401:
            return f"{self.url} wants another token: {error.detail}"
        return f"{self.url} answers {error.status}; is it a server of the dialect {self.dialect.name!r}? {error.detail}"

    def run(self, job: Job) -> Outcome:
        """Refuse.

        Raises:
            SandboxUnavailable: Always.
        """
        raise SandboxUnavailable("a remote server runs programs, not jobs; use RemoteSandbox.judge or run")

    def converse(self, job: Job, examiner: Job) -> tuple[Outcome, Outcome]:
        """Refuse.

        Raises:
            SandboxUnavailable: Always.
        """
        raise SandboxUnavailable("a remote server has no channel between programs")

    def toolchain(self, command: str) -> str | None:
        """Tell of no tool: they are the server's."""
        return None

    def close(self) -> None:
        """End what is under way and close the connections."""
        if self._pid == os.getpid():
            self._engine.close(self._transport.close)


def check_url(url: str) -> str:
    """Return an address that requests can be sent to.

    Raises:
        ValueError: It is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"a server's address looks like http://127.0.0.1:8080, not {url!r:.200}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a server's address holds no password; give a token as `token`")
    return url.rstrip("/")
