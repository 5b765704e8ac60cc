"""Runs a server on a port until it is told to stop."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from pathlib import Path

import uvicorn

from sandboxes import Sandbox
from sandboxes.server.app import create_app
from sandboxes.server.gate import is_loopback
from sandboxes.server.settings import CEILING, DEFAULTS
from sandboxes.types import Limits

DEFAULT_PORT = 8080
TOKEN_VARIABLE = "MARS_SANDBOX_TOKEN"
_SHUTDOWN_SECONDS = 30


def serve(
    sandbox: Sandbox,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    *,
    token: str | None = None,
    no_token: bool = False,
    token_file: Path | None = None,
    queue: int = 512,
    limits: Limits = DEFAULTS,
    ceiling: Limits = CEILING,
) -> None:
    """Serve until interrupted; then finish what runs and close the sandbox.

    Args:
        sandbox: Where the programs run.
        host: The address to listen on.
        port: The port; 0 takes a free one, which is printed.
        token: What clients must show. By default that is `$MARS_SANDBOX_TOKEN`, or else a new one, which is printed
            to standard error.
        no_token: Ask for none: for clients of SandboxFusion, which cannot show one. Only on the loopback.
        token_file: Where to write a new token, readable by this user alone, instead of printing it.
        queue: How many requests may wait.
        limits: What applies where a request names no limit.
        ceiling: The most that a request may ask for.

    Raises:
        ValueError: Other machines could reach a server without a token, or the token is no token.
        OSError: The address cannot be listened on.
    """
    wanted = choose_token(host, token, no_token)
    app = create_app(sandbox, token=wanted, queue=queue, limits=limits, ceiling=ceiling, on_shutdown=sandbox.close)
    listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    _announce(host, listener.getsockname()[1], wanted, known=wanted in (token, _from_environment()), file=token_file)
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=_SHUTDOWN_SECONDS)
    uvicorn.Server(config).run(sockets=[listener])


def choose_token(host: str, token: str | None, no_token: bool) -> str | None:
    """Return the token to ask for: the one given, the environment's, or a new one; None for no token.

    Raises:
        ValueError: Other machines could reach a server without a token, or the token is no token.
    """
    if no_token:
        if token is not None:
            raise ValueError("there is a token, and the server is to ask for none; choose one of both")
        if not is_loopback(host):
            raise ValueError(
                f"whoever reaches {host} could run programs without a token; leave out no_token, or listen on 127.0.0.1"
            )
        return None
    token = token if token is not None else _from_environment()
    if token is None:
        return secrets.token_urlsafe(32)
    if not token.isascii() or not token.isprintable() or token != token.strip() or not token:
        raise ValueError("a token is a text of printable ASCII characters without spaces around it")
    return token


def _from_environment() -> str | None:
    return os.environ.get(TOKEN_VARIABLE)


def _announce(host: str, port: int, token: str | None, *, known: bool, file: Path | None) -> None:
    """Say where the server listens, and its token where nobody knows it yet."""
    address = f"[{host}]" if ":" in host else host
    print(f"Serving a sandbox on http://{address}:{port}", file=sys.stderr, flush=True)
    if token is None:
        print("No token: every program on this machine may use it.", file=sys.stderr, flush=True)
    elif file is not None:
        write_token(file, token)
        print(f"The token is in {file}.", file=sys.stderr, flush=True)
    elif not known:
        print(f"Token: {token}", file=sys.stderr, flush=True)


def write_token(file: Path, token: str) -> None:
    """Write a token to a file that only this user can read."""
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(token + "\n")
