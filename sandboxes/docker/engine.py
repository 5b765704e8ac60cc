"""The container engine: reaching it, what kind it is, and clearing up what an earlier process left on it."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sandboxes.errors import InternalError, SandboxUnavailable
from sandboxes.inside.cgroup import owner_tag

OWNER, PLACE, USER = "mars-sandbox", "mars-sandbox.place", "mars-sandbox.user"
"""Labels of a container: the process that it serves, where process numbers mean what they do there, and the user of its
programs."""
_ABANDONED_S = 600  # a container of somebody else that has not been started for so long never will be
_REMOVAL_PATIENCE_S = 20.0
_START_ENGINE = (
    "Start one (sudo systemctl start docker), or say where one is: DOCKER_HOST=unix:///path/to/docker.sock; Podman "
    "listens at unix://$XDG_RUNTIME_DIR/podman/podman.sock after: systemctl --user start podman.socket"
)


class Engine:
    """An engine that answers.

    Attributes:
        api: The docker package's low-level client.
        architecture: Of its machine.
        is_podman: Whether it is Podman, which speaks the same language with fewer words.
    """

    def __init__(self, host: str | None = None, client: Any = None):
        """Reach it.

        Args:
            host: Its address; None takes `DOCKER_HOST`, or the usual socket.
            client: A `docker.DockerClient` to use instead.

        Raises:
            SandboxUnavailable: The docker package is missing, or no engine answers.
        """
        self._ours: Any = None if client else _connect(host)
        self.api = (client or self._ours).api
        try:
            info, version = self.api.info(), self.api.version()
        except Exception as error:
            raise SandboxUnavailable(f"the container engine does not say what it is: {error}") from error
        self.architecture: str = info.get("Architecture", "")
        self.is_podman = any("podman" in part.get("Name", "").lower() for part in version.get("Components") or ())
        options = " ".join(info.get("SecurityOptions") or ())
        # Behind a mapping of users only so many exist; elsewhere those above are surely nobody's.
        self._users = (20_000, 40_000) if "rootless" in options or "userns" in options else (0x50000000, 0x1000_0000)

    def close(self) -> None:
        """Let go of the connections, unless they are somebody else's."""
        if self._ours is not None:
            self._ours.close()

    def new_user(self) -> int:
        """A user for a container's programs that, as good as surely, nobody else has."""
        first, count = self._users
        return first + secrets.randbelow(count)

    def require_image(self, name: str) -> None:
        """Raise `SandboxUnavailable` unless the engine has this image."""
        try:
            self.api.inspect_image(name)
        except Exception as error:
            if _status(error) != 404:
                raise SandboxUnavailable(f"the container engine cannot look for the image {name}: {error}") from error
            raise SandboxUnavailable(
                f"the container engine has no image {name}. Make it: mars sandbox build-image (it takes a registry; "
                "with --from-host it takes only this machine's Python), or name one that has Python 3.9 or newer"
            ) from None

    def remove(self, container: str) -> None:
        """End and remove a container; returns when it is gone."""
        deadline = time.monotonic() + _REMOVAL_PATIENCE_S
        while True:
            try:
                self.api.remove_container(container, v=True, force=True)
            except Exception as error:
                status = _status(error)
                if status == 404:
                    return
                # While it ends or is being removed already, Docker answers 409 and Podman 500.
                if status is None or time.monotonic() > deadline:
                    raise InternalError(f"the container engine cannot remove a container: {error}") from error
            time.sleep(0.01)

    def sweep(self) -> None:
        """Remove the containers of processes that are gone."""
        with engine_shall("list its containers"):
            found = self.api.containers(all=True, filters={"label": OWNER})
        for container in found:
            if _is_abandoned(container, time.time()):
                with contextlib.suppress(InternalError):
                    self.remove(container["Id"])


@contextlib.contextmanager
def engine_shall(do: str) -> Iterator[None]:
    """Whatever goes wrong in the block is an `InternalError` that says what the engine could not do."""
    try:
        yield
    except InternalError:
        raise
    except Exception as error:
        raise InternalError(f"the container engine cannot {do}: {error}") from error


def labels() -> dict[str, str]:
    """The labels of this process's containers."""
    return {OWNER: owner_tag(os.getpid()), PLACE: place()}


def place() -> str:
    """Where process numbers are this process's own: the boot of the machine, and the process namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return "unknown"


def _is_abandoned(container: Mapping[str, Any], now: float) -> bool:
    owner, home = container["Labels"].get(OWNER, ""), container["Labels"].get(PLACE)
    if home == place():
        pid = owner.partition("-")[0]
        return not pid.isdigit() or owner_tag(int(pid)) != owner
    # Whether the owner lives cannot be told from here; but one that lives starts its containers at once.
    return container["State"] != "running" and now - container["Created"] > _ABANDONED_S


def _connect(host: str | None) -> Any:
    try:
        import docker
    except ImportError as error:
        raise SandboxUnavailable(
            "the docker sandbox needs the package docker: pip install 'mars-rewards[docker]'"
        ) from error
    try:
        client = docker.DockerClient(base_url=host) if host else docker.from_env()
        client.ping()
    except Exception as error:
        where = host or os.environ.get("DOCKER_HOST") or "the usual socket"
        raise SandboxUnavailable(f"no container engine answers at {where} ({error}). {_START_ENGINE}") from error
    return client


def _status(error: Exception) -> int | None:
    """The HTTP status of an engine's refusal."""
    return getattr(getattr(error, "response", None), "status_code", None)
