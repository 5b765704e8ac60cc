"""The default backend: Linux's own walls, no daemon, no compiled code, as root and as a plain user."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from sandboxes.cores import worker_count
from sandboxes.errors import InternalError, SandboxUnavailable
from sandboxes.inside import cgroup
from sandboxes.inside.usual import STANDARD
from sandboxes.languages import LANGUAGES
from sandboxes.pool import Workers
from sandboxes.stream import SocketStream
from sandboxes.toolchains import host_tool, tool_roots
from sandboxes.types import Job, Outcome
from sandboxes.worker import Worker

ESSENTIAL = (
    "users",
    "mounts",
    "processes",
    "network",
    "syscalls",
    "privileges",
    "rlimits",
    "descriptors",
    "environment",
)
"""Layers without which this is no sandbox; where one is missing the backend refuses to start."""
OPTIONAL = ("ipc", "hostname", "proc", "landlock", "cgroups")
"""Layers that stand behind another one, or measure better."""
LAYERS = (*ESSENTIAL, *OPTIONAL)

ENVIRONMENT = {
    "HOME": "/sandbox/box/work",
    "LANG": "C.UTF-8",
    "TMPDIR": "/tmp",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
"""What a program finds in its environment besides PATH."""
_PATH = "/usr/local/bin:/usr/bin:/bin"
_numbers = itertools.count()


class LocalBackend:
    """Runs jobs in workers behind namespaces, a system call filter, Landlock, control groups and limits."""

    name = "local"
    isolation = "namespaces"

    def __init__(
        self,
        workers: int | None = None,
        *,
        python: str = sys.executable,
        preload: Iterable[str] = (),
        binds: Iterable[str | Path] = (),
        without: Iterable[str] = (),
    ):
        """Probe the layers and get ready. Workers start with the first jobs.

        Args:
            workers: Jobs at once; None takes the usable cores.
            python: The interpreter that runs Python programs.
            preload: Modules that Python programs find imported already, besides the usual ones: numpy, say.
            binds: More folders of this machine that programs may read.
            without: Layers to leave out, to show what each stops. Anything but tests wants none.

        Raises:
            SandboxUnavailable: A layer that it takes to be safe is missing.
        """
        self.workers = worker_count(workers)
        self._python = python
        self._asked_for = list(preload)
        asked = [str(Path(path).resolve()) for path in binds]
        if absent := [path for path in asked if not Path(path).exists()]:
            raise ValueError(f"binds: there is no {', '.join(absent)}")
        self._binds = sorted({*_python_roots(python), *_toolchain_roots(), *asked})
        self._without = frozenset(without)
        self._made: list[Path] = []
        if unknown := self._without - set(LAYERS):
            raise ValueError(f"no layer is called {', '.join(sorted(unknown))}; there are {', '.join(LAYERS)}")
        cgroup.sweep()
        self.layers, self._enabled, first = self._probe()
        self._controllers = first.about["controllers"]
        self._workers = Workers(self._start, self.workers)
        self._workers.programs.add(first)

    def run(self, job: Job) -> Outcome:
        """See `Backend.run`."""
        return self._workers.run(job)

    def converse(self, job: Job, examiner: Job) -> tuple[Outcome, Outcome]:
        """See `Backend.converse`."""
        return self._workers.converse(job, examiner)

    def toolchain(self, command: str) -> str | None:
        """See `Backend.toolchain`."""
        return self._python if command in ("python", "python3") else host_tool(command)

    def probe(self) -> dict[str, str]:
        """Each layer with "on", "off", or why it is missing."""
        return dict(self.layers)

    def close(self) -> None:
        """See `Backend.close`."""
        self._workers.close()
        for folder in self._made:
            shutil.rmtree(folder, ignore_errors=True)

    def _start(self) -> Worker:
        worker = self._launch(self._enabled)
        if worker.about["controllers"] != self._controllers:
            worker.close()
            raise InternalError("a worker got other control groups than the first, and would measure otherwise")
        return worker

    def _launch(self, layers: list[str]) -> Worker:
        variables = environment(self._python)
        if "environment" not in layers:
            variables = {**os.environ, **variables}
        group = f"{cgroup.PREFIX}{cgroup.owner_tag(os.getpid())}-{next(_numbers)}"
        config = {
            "layers": layers,
            "jail": True,
            "container": False,
            "user": None,
            "binds": self._binds,
            "scratch": [] if "mounts" in layers else self._folders(),
            "preload": [*STANDARD, *self._asked_for],
            "group": group,
        }
        return Worker(SocketStream(self._python, variables, partial(cgroup.discard, group)), config)

    def _folders(self) -> list[str]:
        """Scratch folders for programs that cannot have a file system of their own."""
        made = Path(tempfile.mkdtemp(prefix="mars-sandbox-"))
        self._made.append(made)
        folders = [made / name for name in ("work", "tmp", "shm")]
        for folder in (made, *folders):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o777)
        return [str(folder) for folder in folders]

    def _probe(self) -> tuple[dict[str, str], list[str], Worker]:
        """Find out which layers work, by starting a worker with as many as do.

        Returns:
            The state of each layer, the layers to ask for, and the worker.
        """
        states = {name: "off" if name in self._without else "on" for name in LAYERS}
        while True:
            enabled = [name for name, state in states.items() if state == "on"]
            try:
                worker = self._launch(enabled)
            except SandboxUnavailable as refusal:
                layer, _, why = str(refusal).partition(": ")
                if layer not in OPTIONAL:
                    why = why or str(refusal)
                    raise SandboxUnavailable(explain(layer, why), layer, why) from None
                states[layer] = why
                continue
            missing = worker.about["missing"]
            for name in self._asked_for:
                if name in missing:
                    worker.close()
                    raise SandboxUnavailable(f"preload: programs could not import {name}: {missing[name]}")
            # What could not be had inside stays asked for: what comes instead of it is safe, leaving it out is not.
            states.update({layer: missing[layer] for layer in OPTIONAL if layer in missing})
            controllers = worker.about["controllers"]
            for controller, layer in (("memory", "memory"), ("pids", "processes"), ("cpuacct", "CPU")):
                if states["cgroups"] == "on" and controller not in controllers:
                    states[f"cgroup: {layer}"] = "no such control group may be made here; limits hold by other means"
            return states, enabled, worker


def _python_roots(python: str) -> list[str]:
    """The folders that an interpreter needs: its own, its virtual environment's, and their standard library."""
    code = "import sys, sysconfig; print(sys.prefix, sys.base_prefix, sysconfig.get_path('stdlib'), sep='\\n')"
    try:
        found = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SandboxUnavailable(f"cannot run the interpreter {python}: {error}") from error
    return [
        path for path in found.stdout.split("\n") if path and not path.startswith(("/usr/", "/lib/")) and path != "/usr"
    ]


def _toolchain_roots() -> list[str]:
    """What the compilers and interpreters of other languages read outside of the system's folders."""
    tools = {tool for each in LANGUAGES for tool in each.tools} - {"python3"}
    paths = filter(None, map(host_tool, sorted(tools)))
    return [str(root) for path in paths for root in tool_roots(path)]


def environment(python: str) -> dict[str, str]:
    """What a program finds in its environment: nothing of this process's."""
    return {**ENVIRONMENT, "PATH": f"{Path(python).parent}:{_PATH}"}


def explain(layer: str, why: str) -> str:
    """What is missing for the local sandbox, and how to enable it."""
    advice = _ADVICE.get(layer, "The docker and remote backends need nothing of this machine's kernel settings.")
    return f"the local sandbox cannot be safe here: the layer {layer!r} is missing ({why}). {advice}"


_NAMESPACES = (
    "Allow user namespaces (sysctl user.max_user_namespaces=15000; on Ubuntu also "
    "kernel.apparmor_restrict_unprivileged_userns=0 or an AppArmor profile; in Docker a seccomp profile that lets "
    "unshare and mount through), or use the docker or remote backend."
)
_ADVICE = {
    "users": _NAMESPACES,
    "mounts": _NAMESPACES,
    "processes": _NAMESPACES,
    "network": _NAMESPACES,
    "syscalls": "It takes a Linux kernel with seccomp filters on x86-64 or AArch64.",
}
