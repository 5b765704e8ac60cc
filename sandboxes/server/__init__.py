"""A sandbox behind HTTP: SandboxFusion's routes for the clients there are, and `/v1` where tests stay on the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandboxes.server.app import create_app
    from sandboxes.server.serving import serve

__all__ = ["create_app", "serve"]


def __getattr__(name: str) -> Any:
    # The web framework is imported when a server is made, so that clients can do without it.
    if name == "create_app":
        from sandboxes.server.app import create_app

        return create_app
    if name == "serve":
        from sandboxes.server.serving import serve

        return serve
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
