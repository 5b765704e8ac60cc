"""The backends by name."""

from __future__ import annotations

from typing import Any

from sandboxes.sandbox import Sandbox

NAMES = ("local", "docker", "remote", "unsafe-subprocess")


def open_sandbox(backend: str = "local", **options: Any) -> Sandbox:
    """Open a sandbox.

    Args:
        backend: "local" (Linux's own walls), "docker" (containers), "remote" (a service), or "unsafe-subprocess" (no
            walls at all: for programs that you would run by hand).
        **options: What the backend takes; see `LocalBackend`, `DockerBackend`, `RemoteSandbox`.

    Raises:
        SandboxUnavailable: The backend cannot be had here; the message says what is missing.
        ValueError: There is no such backend.
    """
    if backend == "local":
        from sandboxes.local import LocalBackend

        return Sandbox(LocalBackend(**options))
    if backend == "docker":
        from sandboxes.docker import DockerBackend

        return Sandbox(DockerBackend(**options))
    if backend == "remote":
        from sandboxes.remote import RemoteSandbox

        return RemoteSandbox(**options)
    if backend == "unsafe-subprocess":
        from sandboxes.unsafe import UnsafeSubprocessBackend

        return Sandbox(UnsafeSubprocessBackend(**options))
    raise ValueError(f"no sandbox backend {backend!r}; there are {', '.join(NAMES)}")
