"""Runs jobs in warm containers of a Docker or Podman engine: the same walls as the local sandbox."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from sandboxes.cores import worker_count
from sandboxes.docker.container import FOLDERS, Container, ContainerWorker, Plan
from sandboxes.docker.engine import Engine
from sandboxes.docker.image import IMAGE
from sandboxes.errors import InternalError, SandboxUnavailable
from sandboxes.inside.usual import STANDARD
from sandboxes.local import ENVIRONMENT
from sandboxes.pool import Workers
from sandboxes.types import Job, Outcome

_BY_THE_ENGINE = ("mounts", "processes", "network", "ipc", "hostname")
_ESSENTIAL = ("syscalls", "privileges", "rlimits", "descriptors", "environment")
_OPTIONAL = ("landlock", "cgroups")
_ENGINE_FILTER = "container: syscalls"
_LONGEST_LIFE_S = 3600.0
_WHERE_IS = """
import shutil, sys
name = sys.argv[1]
print(sys.executable if name in ("python", "python3") else shutil.which(name) or "", end="")
"""


class DockerBackend:
    """Runs jobs in containers: one worker in each, started when needed and replaced after any doubt."""

    name = "docker"
    isolation = "container"

    def __init__(
        self,
        workers: int | None = None,
        *,
        image: str = IMAGE,
        python: str = "python3",
        runtime: str | None = None,
        docker_host: str | None = None,
        client: Any = None,
        preload: Iterable[str] = (),
        memory_mb: int = 4096,
        disk_mb: int = 512,
        longest_life_s: float = _LONGEST_LIFE_S,
    ):
        """Reach the engine and start the first container. Others start with the jobs that need them.

        Args:
            workers: Jobs at once; None takes the usable cores of this machine.
            image: The image; any that has Python 3.9 or newer will do, and the compilers of the languages to judge.
            python: The interpreter in it, by name or path.
            runtime: The engine's runtime: "runsc" for gVisor; None takes its default.
            docker_host: The engine's address; None takes `DOCKER_HOST`, or the usual socket.
            client: A `docker.DockerClient` to use instead.
            preload: Modules that Python programs find imported already, besides the usual ones.
            memory_mb: The most memory in MiB that a job may ask for.
            disk_mb: The size in MiB of each scratch folder, whatever less a job asks for: the engine sets it for the
                life of a container. Files count as memory too, which each job has its own limit of.
            longest_life_s: Seconds after which a container is replaced.

        Raises:
            SandboxUnavailable: No engine, no image, or containers that would not be safe; the message says which.
        """
        self.workers = worker_count(workers)
        self._plan = Plan(image, python, runtime, ENVIRONMENT, memory_mb, disk_mb)
        self._asked_for = list(preload)
        self._longest_life_s = longest_life_s
        self._tools: dict[str, str | None] = {}
        self._tools_lock = threading.Lock()
        self._engine = Engine(docker_host, client)
        self._engine.require_image(image)
        self._limited = True
        self.layers: dict[str, str] = dict.fromkeys((*_BY_THE_ENGINE, *_ESSENTIAL, *_OPTIONAL, _ENGINE_FILTER), "on")
        try:
            self._engine.sweep()
            first = self._probe()
        except InternalError as error:
            raise SandboxUnavailable(f"the docker sandbox cannot start with the image {image}: {error}") from error
        self._workers = Workers(self._start, self.workers)
        self._workers.programs.add(first)

    def run(self, job: Job) -> Outcome:
        """See `Backend.run`."""
        self._check(job)
        return self._workers.run(job)

    def converse(self, job: Job, examiner: Job) -> tuple[Outcome, Outcome]:
        """See `Backend.converse`."""
        self._check(job)
        self._check(examiner)
        return self._workers.converse(job, examiner)

    def toolchain(self, command: str) -> str | None:
        """See `Backend.toolchain`."""
        with self._tools_lock:
            if command not in self._tools:
                outcome = self.run(Job("python", _WHERE_IS.encode(), arguments=(command,)))
                if outcome.exit_code != 0:
                    raise InternalError(f"cannot look for {command} in the container: {outcome}")
                self._tools[command] = outcome.stdout.decode() or None
            return self._tools[command]

    def probe(self) -> dict[str, str]:
        """Each layer with "on", or why it is missing."""
        return dict(self.layers)

    def close(self) -> None:
        """See `Backend.close`."""
        self._workers.close()
        self._engine.close()

    def _check(self, job: Job) -> None:
        """Raise `ValueError` for a job that no container of this backend has room for."""
        limits, plan = job.limits, self._plan
        for name, asked, most in (
            ("memory_mb", limits.memory_mb, plan.memory_mb),
            ("disk_mb", limits.disk_mb, plan.disk_mb),
        ):
            if asked > most:
                raise ValueError(f"limits: {name}={asked}, but this docker sandbox was opened with {name}={most}")

    def _start(self) -> ContainerWorker:
        container = Container(self._engine, self._plan)
        config = {
            "layers": ["network", *(name for name in (*_ESSENTIAL, *_OPTIONAL) if self.layers[name] == "on")],
            "jail": False,
            "container": True,
            "limited": self._limited,
            "user": container.user,
            "scratch": list(FOLDERS),
            "preload": [*STANDARD, *self._asked_for],
        }
        return ContainerWorker(container, config, self._longest_life_s)

    def _probe(self) -> ContainerWorker:
        """Find out which layers work, by starting a worker with as many as do."""
        while True:
            try:
                worker = self._start()
            except SandboxUnavailable as refusal:
                layer, _, why = str(refusal).partition(": ")
                if layer not in _OPTIONAL:
                    raise SandboxUnavailable(f"programs in a container could not be held: {refusal}") from None
                self.layers[layer] = why
                continue
            try:
                worker.fit(Job("python"))
            except InternalError as error:
                worker.close()
                if not self._limited:
                    raise
                self._limited = False
                self.layers["cgroup: memory"] = f"{error}; memory limits hold by other means"
                continue
            try:
                self._inspect(worker.about)
            except BaseException:
                worker.close()
                raise
            return worker

    def _inspect(self, about: dict[str, Any]) -> None:
        """Look from inside at what the engine was asked for; raise `SandboxUnavailable` for what makes it unsafe."""
        seen, missing = about["container"], about["missing"]
        if absent := [name for name in self._asked_for if name in missing]:
            raise SandboxUnavailable(f"preload: programs could not import {absent[0]}: {missing[absent[0]]}")
        if seen["interfaces"]:
            raise SandboxUnavailable(f"the engine gave a container the network {', '.join(seen['interfaces'])}")
        if not seen["read_only"]:
            raise SandboxUnavailable("the engine made a container's file system writable")
        writable = set(seen["open"]) - set(FOLDERS)
        if writable and self.layers["landlock"] != "on":
            raise SandboxUnavailable(
                f"programs could leave files in {', '.join(sorted(writable))} of a container for those that come after "
                f"them: the layer 'landlock' is missing ({self.layers['landlock']})"
            )
        if not seen["filtered"]:
            self.layers[_ENGINE_FILTER] = "the engine does not filter system calls; programs are filtered all the same"
        for controller in {"memory", "cpuacct"} - set(about["controllers"]):
            self.layers.setdefault(
                f"cgroup: {controller}", "not to be read in the container; limits hold by other means"
            )
