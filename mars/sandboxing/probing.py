"""Whether a sandbox can be had here, and which of its layers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from mars.errors import MarsError
from mars.sandboxing.settings import SandboxSettings, open_from
from sandboxes import InternalError, Limits, Program, Sandbox, SandboxUnavailable

NOT_REACHED = "not reached"
"""The state of a layer that builds on one that is missing."""
_HELD = {"namespaces": "behind namespaces", "container": "in containers", "remote": "on a server"}


@dataclass(frozen=True)
class Probe:
    """What a look at a sandbox found.

    Attributes:
        backend: Which one.
        safe: Whether programs that nobody trusts may run in it.
        words: Why, or what to do.
        isolation: What holds a program; empty where there is no sandbox.
        layers: "on", "off", or why it is missing, by layer, where the backend has layers.
    """

    backend: str
    safe: bool
    words: str
    isolation: str = ""
    layers: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return asdict(self)


def probe(settings: SandboxSettings) -> Probe:
    """Open a sandbox, look at its layers and run a program in it.

    Raises:
        ConfigError: The settings are wrong, which says nothing of the sandbox.
    """
    try:
        with open_from(settings) as sandbox:
            return _look(settings, sandbox)
    except MarsError as error:
        if not isinstance(error.__cause__, SandboxUnavailable):
            raise
        layers = _layers_in_reach() if settings.backend == "local" else {}
        return Probe(settings.backend, False, str(error), layers=layers)


def _look(settings: SandboxSettings, sandbox: Sandbox) -> Probe:
    backend = sandbox.backend
    layers = dict(backend.probe()) if hasattr(backend, "probe") else {}  # type: ignore[attr-defined]
    safe, words = backend.isolation != "none", f"{backend.workers} programs at once {_HELD.get(backend.isolation, '')}"
    if not safe:
        words = "this backend has no walls; for programs that nobody trusts use local, docker or remote"
    try:
        run = sandbox.run(Program("print('hello')"), limits=settings.limits.over(Limits()))
        if run.outcome is None or run.outcome.stdout != b"hello\n":
            safe, words = False, f"a program that prints hello did not: {run.outcome or run.compile}"
    except (InternalError, SandboxUnavailable) as error:
        safe, words = False, f"a program could not be run: {error}"
    return Probe(backend.name, safe, words, backend.isolation, layers)


def _layers_in_reach() -> dict[str, str]:
    """The state of every layer where one is missing that it takes, found by probing again without it."""
    from sandboxes.local import LAYERS, LocalBackend

    missing: dict[str, str] = {}
    while True:
        try:
            backend = LocalBackend(1, without=missing)
        except SandboxUnavailable as error:
            if not error.layer or error.layer in missing:
                return {name: missing.get(name, NOT_REACHED) for name in LAYERS}
            missing[error.layer] = error.why
        else:
            with Sandbox(backend):
                return backend.probe() | missing
