"""One warm container: how it is made, limited, spoken with and ended."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandboxes import inside
from sandboxes.docker import profile
from sandboxes.docker.engine import USER, Engine, engine_shall, labels
from sandboxes.docker.stream import AttachedStream
from sandboxes.inside import wire
from sandboxes.types import Job, Outcome
from sandboxes.worker import Worker

WORK = "/sandbox/box/work"
FOLDERS = (WORK, "/tmp", "/dev/shm")
_EXECUTABLE = FOLDERS[:2]  # Landlock forbids executing there to whom it is none of; of /dev it has one rule for all
# What it takes to put a program under a user of its own, and to end it there. Podman mounts scratch folders as root's,
# so that there they must be given away as well.
_CAPABILITIES = ["SETUID", "SETGID", "KILL"]
_MOST_PROCESSES = 4096
_ULIMITS = {"nofile": 4096, "nproc": _MOST_PROCESSES, "core": 0}
_FILES_PER_MB = 64
_STEP = 16 << 20
_START_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Plan:
    """What containers of a backend are like.

    Attributes:
        image: Its name.
        python: The interpreter in it.
        runtime: The engine's runtime, or None for its default.
        environment: What programs find in their environment besides PATH.
        memory_mb: Memory that a job may ask for at most.
        disk_mb: The size of each scratch folder.
    """

    image: str
    python: str
    runtime: str | None
    environment: dict[str, str]
    memory_mb: int
    disk_mb: int


class Container:
    """A container that has just been started, and reads what it shall do.

    Attributes:
        id: The engine's name for it.
        user: The user of its programs.
        stream: To the supervisor.
    """

    def __init__(self, engine: Engine, plan: Plan):
        """Make and start it.

        Raises:
            InternalError: The engine refuses.
        """
        self._engine = engine
        self.user = engine.new_user()
        self._memory = most_memory(plan)
        with engine_shall("make a container"):
            made = engine.api.create_container(plan.image, **_options(engine, plan, self.user, self._memory))
        self.id: str = made["Id"]
        try:
            with engine_shall("start a container"):
                wanted = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
                connection = engine.api.attach_socket(self.id, params=wanted)
                self.stream = AttachedStream(connection, lambda: engine.remove(self.id))
                engine.api.start(self.id)
                self.stream.send(_modules(plan), time.monotonic() + _START_PATIENCE_S)
        except BaseException:
            engine.remove(self.id)
            raise

    def limit_memory(self, size: int) -> None:
        """Let everything in it use this many bytes."""
        if size != self._memory:
            with engine_shall("change a container's memory limit"):
                self._engine.api.update_container(self.id, mem_limit=size, memswap_limit=size)
            self._memory = size


class ContainerWorker(Worker):
    """A worker in a container. The engine sets the memory limit of each run, where it can."""

    def __init__(self, container: Container, config: dict[str, Any], longest_life_s: float):
        """Start up; see `Worker`."""
        self._container = container
        self._limited = config["limited"]
        self._end_of_life = time.monotonic() + longest_life_s
        super().__init__(container.stream, config)
        self._limited = self._limited and "memory" in self.about["controllers"]

    def begin(self, job: Job, interactive: bool = False) -> None:
        """See `Worker.begin`."""
        self.fit(job)
        super().begin(job, interactive)

    def fit(self, job: Job) -> None:
        """Give the container the memory that a job may use, on top of what lives there anyway."""
        if self._limited:
            there = self.about["container"]["memory"]
            self._container.limit_memory(there + room(job) + (job.limits.memory_mb << 20))

    def _outcome(self, header: dict[str, Any], parts: list[bytes]) -> Outcome:
        outcome = super()._outcome(header, parts)
        if time.monotonic() > self._end_of_life:
            self.retired = self.retired or "it is old"
        return outcome


def most_memory(plan: Plan) -> int:
    """Bytes for the largest job and what the supervisor holds besides."""
    return (plan.memory_mb << 20) + (256 << 20)


def room(job: Job) -> int:
    """Bytes that the supervisor may take for a job: what goes in and comes out lies there several times over.

    In steps, since whenever it differs from the job before the engine must change a limit.
    """
    given = len(job.stdin) + len(job.message) + len(job.source) + sum(map(len, job.files.values()))
    taken = 8 * (job.limits.output_kb << 10) + len(job.fetch) * 3 * (job.limits.file_mb << 20)
    return -(-(4 * given + taken) // _STEP) * _STEP


def _options(engine: Engine, plan: Plan, user: int, memory: int) -> dict[str, Any]:
    from docker.types import LogConfig, Ulimit

    security = ["no-new-privileges"]
    if not engine.is_podman:
        # Podman takes the path of a file on its machine instead, and its own default is a strict one.
        security.append(f"seccomp={profile.build(engine.architecture)}")
    host = engine.api.create_host_config(
        network_mode="none",
        read_only=True,
        ipc_mode="none",
        cap_drop=["ALL"],
        cap_add=_CAPABILITIES + ["CHOWN"] * engine.is_podman,
        security_opt=security,
        pids_limit=_MOST_PROCESSES,
        mem_limit=memory,
        memswap_limit=memory,
        ulimits=[Ulimit(name=name, soft=most, hard=most) for name, most in _ULIMITS.items()],
        tmpfs={folder: _mount_options(engine, folder, plan.disk_mb, user) for folder in FOLDERS},
        log_config=LogConfig(type="none"),
        auto_remove=True,
        init=False,
        runtime=plan.runtime,
    )
    return {
        "entrypoint": [plan.python, "-s", "-c", _SOURCES["boot"]],
        "command": [],
        "user": "0:0",
        "hostname": "sandbox",
        "working_dir": "/",
        # What an interpreter reads before the supervisor can set it.
        "environment": {name: value for name, value in plan.environment.items() if name.startswith("PYTHON")},
        "labels": {**labels(), USER: str(user)},
        "healthcheck": {"test": ["NONE"]},
        "stdin_open": True,
        "host_config": host,
    }


def _mount_options(engine: Engine, folder: str, size_mb: int, user: int) -> str:
    executable = "exec" if folder in _EXECUTABLE else "noexec"
    options = f"{executable},nosuid,nodev,size={size_mb}m"
    if engine.is_podman:
        # It sets neither an owner nor a number of files.
        return options
    return f"{options},nr_inodes={max(1024, size_mb * _FILES_PER_MB)},mode=0755,uid={user},gid={user}"


def _modules(plan: Plan) -> bytes:
    """What `sandboxes.inside.boot` reads: the environment, and the supervisor's source."""
    sources = {f"sandboxes.inside.{name}": source for name, source in _SOURCES.items() if name != "boot"}
    return wire.frame(json.dumps({"environment": plan.environment, "sources": sources}).encode())


# Read once, so that containers go on to fit this process when the package is upgraded under it.
_SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in Path(next(iter(inside.__path__))).glob("*.py")}
