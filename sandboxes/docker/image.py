"""The image that containers are made from: built from a Dockerfile, or from this machine's own Python."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sandboxes.docker.engine import Engine
from sandboxes.docker.rootfs import python_root, write_tar
from sandboxes.errors import SandboxUnavailable
from sandboxes.languages import GO_CACHE, LANGUAGES

IMAGE = "mars-sandbox:latest"
_BASE = "python:3.11-slim"


def build_image(
    name: str = IMAGE,
    *,
    from_host: bool = False,
    include: Iterable[str | Path] = (),
    docker_host: str | None = None,
    client: Any = None,
) -> str:
    """Make the image for the docker sandbox.

    Args:
        name: What to call it.
        from_host: Take this machine's Python, its libraries and a few commands instead of what a registry offers. It
            takes no network, and leaves compilers out unless `include` names their files.
        include: With `from_host`, more files and folders of this machine, put at the same place.
        docker_host: The engine's address; None takes `DOCKER_HOST`, or the usual socket.
        client: A `docker.DockerClient` to use instead.

    Returns:
        The image's identity.

    Raises:
        SandboxUnavailable: No engine answers, or it cannot build; the message says why.
    """
    engine = Engine(docker_host, client)
    try:
        if from_host:
            _import(engine.api, name, python_root(include))
        else:
            _build(engine.api, name, dockerfile())
        return engine.api.inspect_image(name)["Id"]
    except SandboxUnavailable:
        raise
    except Exception as error:
        raise SandboxUnavailable(f"the container engine cannot make the image {name}: {error}") from error


def dockerfile() -> str:
    """What `build_image` builds: Python and the compilers of all languages."""
    packages = {package for each in LANGUAGES if each.name != "python" for package in each.packages.split()}
    return (
        f"FROM {_BASE}\n"
        "RUN apt-get update \\\n"
        f"    && apt-get install -y --no-install-recommends {' '.join(sorted(packages))} \\\n"
        "    && rm -rf /var/lib/apt/lists/*\n"
        # What Go would compile anew for each program, as it brings its library in source only.
        f"RUN GOCACHE={GO_CACHE} CGO_ENABLED=0 go build std && chmod -R a+rX {GO_CACHE}\n"
    )


def _build(api: Any, name: str, text: str) -> None:
    said = ""
    for event in api.build(fileobj=io.BytesIO(text.encode()), tag=name, rm=True, forcerm=True, decode=True):
        said = event.get("stream", "").strip() or said
        if "error" in event:
            raise SandboxUnavailable(
                f"the container engine cannot build the image {name}: {event['error'].strip()} (after: {said}). "
                "Without a registry, make it from this machine's Python: mars sandbox build-image --from-host"
            )


def _import(api: Any, name: str, paths: list[Path]) -> None:
    repository, _, tag = name.rpartition(":")
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        write_tar(file, paths)
        file.flush()
        answer = api.import_image(src=file.name, repository=repository or tag, tag=tag if repository else "latest")
    if '"error"' in answer:
        raise SandboxUnavailable(f"the container engine cannot import the image {name}: {answer.strip()[-300:]}")
