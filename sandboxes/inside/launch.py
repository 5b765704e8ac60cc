"""Starts a worker: control groups, jail, zygote, and the supervisor that this process becomes."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from typing import Any, NoReturn

from . import calling as _calling  # noqa: F401 - every child needs these, and the jail may not show them
from . import cgroup, confine, container, jail, kernel, zygote
from . import examining as _examining  # noqa: F401
from . import same_process as _same_process  # noqa: F401
from .meter import Meter
from .scratch import Folders, Tmpfs
from .streams import Hung, Link
from .supervisor import Supervisor

# What is not in this list does not exist; what is in it must work when it is asked for.
LAYERS = (
    "users",
    *jail.NAMESPACES,
    "proc",
    "syscalls",
    "landlock",
    "privileges",
    "rlimits",
    "cgroups",
    "descriptors",
    "environment",
)
_START_PATIENCE_S = 60.0
_SYNC = b"."


class Refused(Exception):
    """A layer cannot be had here. The message starts with its name."""


def main(read: int, write: int, watched: int | None) -> None:
    """Serve the trusted process on a pair of descriptors until it hangs up.

    Args:
        read: Where its messages arrive.
        write: Where answers go.
        watched: A descriptor of it that becomes readable when it ends, or None.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    link = Link(read, write)
    try:
        while (message := link.next()) is None:
            link.wait()
            link.pull()
    except Hung:
        return
    config = message[0]
    group = _group(config)
    process = -1
    try:
        try:
            process, control, told = _start(config, group)
        except (Refused, OSError) as error:
            link.send({"is": "refused", "why": str(error)})
            return
        gc.freeze()
        ended = container.end_of(process) if config["container"] else os.pidfd_open(process)
        link.send({"is": "ready", "controllers": group.controllers if group else [], **told, **_around(config, group)})
        Supervisor(link, control, ended, Meter(process, group), watched).serve()
    finally:
        _end(process)
        if group is not None:
            group.remove()


def _group(config: dict[str, Any]) -> cgroup.Counters | None:
    if "cgroups" not in config["layers"]:
        return None
    return container.OwnGroup(config["limited"]) if config["container"] else cgroup.Group(config["group"])


def _around(config: dict[str, Any], group: cgroup.Counters | None) -> dict[str, Any]:
    """What there is to tell of the container that this is, if any."""
    return {"container": container.facts(group)} if config["container"] else {}


def _end(process: int) -> None:
    """End the zygote, and by that everything in its process namespace."""
    if process > 0:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process, 0)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue


def _start(config: dict[str, Any], group: cgroup.Counters | None) -> tuple[int, socket.socket, dict[str, Any]]:
    """Start the zygote and wait until it is ready to serve.

    Returns:
        Its process number, the socket to it, and what it told of itself.

    Raises:
        Refused: A layer is missing.
    """
    if not config["container"]:
        kernel.adopt_orphans()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    middle = os.fork()
    if middle == 0:
        ours.close()
        _become_zygote(config, group, theirs)
    theirs.close()
    process = middle
    while True:
        told = _hear(ours)
        if told.get("is") == "refused":
            raise Refused(told["why"])
        if told["is"] == "unmapped":
            _layer("users", jail.write_maps, middle)
        elif told["is"] == "forked":
            # Once its parent has gone the zygote is this process's child, and may ask to die with it.
            process = told["pid"]
            os.waitpid(middle, 0)
        elif told["is"] == "ready":
            if group is not None:
                group.confirm(told["joined"])
            return process, ours, {key: told[key] for key in ("missing", "python")}
        ours.send(_SYNC)


def _hear(control: socket.socket) -> dict[str, Any]:
    if not select.select([control], [], [], _START_PATIENCE_S)[0]:
        raise Refused(f"the zygote is not ready after {_START_PATIENCE_S:.0f} s")
    data = control.recv(1 << 16)
    if not data:
        raise Refused("the zygote ended while starting")
    return json.loads(data)


def _become_zygote(config: dict[str, Any], group: cgroup.Counters | None, control: socket.socket) -> NoReturn:
    control = _only(control)

    def tell(**what: Any) -> None:
        control.send(json.dumps(what).encode())

    try:
        if group is not None:
            group.join()
        joined = group.controllers if group is not None else []
        enabled = frozenset(config["layers"])
        if config["jail"]:
            _enter_jail(config, enabled, control)
        server, missing = _settle(config, enabled, control, joined)
        tell(**{"is": "ready", "joined": joined, "missing": missing, "python": sys.version.split()[0]})
    except BaseException as error:
        with contextlib.suppress(OSError):
            tell(**{"is": "refused", "why": f"{error}"})
        os._exit(1)
    try:
        server.serve()
    finally:
        os._exit(1)  # without a word: from now on the supervisor takes every word for a report


def _only(control: socket.socket) -> socket.socket:
    """Let go of everything of the supervisor's but this socket; its link to the trusted process above all."""
    kept = os.dup2(control.detach(), 3, inheritable=False)
    nothing = os.open("/dev/null", os.O_RDWR)
    for target in range(3):
        os.dup2(nothing, target)
    kernel.close_from(kept + 1)
    return socket.socket(fileno=kept)


def _layer(name: str, step: Any, *arguments: Any) -> Any:
    """Take a step of a layer; its failure is told under the layer's name."""
    try:
        return step(*arguments)
    except OSError as error:
        raise Refused(f"{name}: {error}") from error


def _enter_jail(config: dict[str, Any], enabled: frozenset[str], control: socket.socket) -> None:
    """Move into the namespaces. Returns in the process that is the first of its process namespace."""
    flags = kernel.CLONE_NEWCGROUP if "cgroups" in enabled and "users" in enabled else 0
    for name, flag in jail.NAMESPACES.items():
        flags |= flag if name in enabled else 0
    root = jail.rules_users()
    if root and "mounts" in enabled:
        _layer("mounts", kernel.unshare, kernel.CLONE_NEWNS)
        _layer("mounts", jail.build_root, config["binds"])
    if "users" in enabled:
        _layer("users", kernel.unshare, kernel.CLONE_NEWUSER | flags)
        control.send(json.dumps({"is": "unmapped"}).encode())
        if control.recv(16) != _SYNC:
            os._exit(1)
        if root:
            os.setgroups([])
            os.setresgid(0, 0, 0)
            os.setresuid(0, 0, 0)
    else:
        _layer("processes", kernel.unshare, flags)
    if not root and "mounts" in enabled:
        _layer("mounts", jail.build_root, config["binds"])
    if "processes" in enabled:
        child = os.fork()
        if child:
            control.send(json.dumps({"is": "forked", "pid": child}).encode())
            os._exit(0)
        if control.recv(16) != _SYNC:
            os._exit(1)
    kernel.die_with_parent()


def _settle(
    config: dict[str, Any], enabled: frozenset[str], control: socket.socket, joined: list[str]
) -> tuple[zygote.Zygote, dict[str, str]]:
    """Make the jail ready, warm the interpreter, and prepare what children put on."""
    missing: dict[str, str] = {}
    user = config["user"]
    proc = None
    if config["jail"] and "mounts" in enabled:
        # Only in a process namespace of one's own may a new one be mounted.
        if "proc" in enabled and "processes" in enabled:
            proc = jail.mount_proc()
            if proc is None:
                missing["proc"] = "this machine hides parts of /proc, so no new one may be mounted"
        user = jail.PROGRAM_USER if os.geteuid() == 0 else None
        kept = jail.kept_aside(config["binds"])
        shown = {source: jail.in_scratch(path) for source, path in kept.items()}
        scratch: Tmpfs | Folders = Tmpfs(jail.BOX, jail.PROGRAM_USER, shown)
        _layer("mounts", jail.seal_root)
    else:
        try:
            kernel.adopt_orphans()
        except OSError:
            # gVisor may not know of it. In a container orphans then go to the supervisor, which reaps them.
            if not config["container"]:
                raise
        if config["container"]:
            container.take_over(config["scratch"], user)
        scratch = Folders(config["scratch"], user)
    if "hostname" in enabled and config["jail"]:
        _layer("hostname", kernel.set_host_name, "sandbox")
    if "privileges" in enabled:
        kernel.drop_bounding_set()
    scratch.prepare(64, False)
    _warm_up(config["preload"], missing)
    layers = confine.prepare(
        enabled, user, proc, joined, [jail.HOME] if isinstance(scratch, Tmpfs) else scratch.folders
    )
    kernel.set_dumpable(False)
    _hide()
    gc.collect()
    gc.freeze()
    sweep_all = config["container"] or (config["jail"] and "processes" in enabled)
    return zygote.Zygote(control, layers, scratch, sweep_all), missing


def _warm_up(modules: list[str], missing: dict[str, str]) -> None:
    """Import what programs use most, so that their imports cost nothing."""
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError as error:
            missing[name] = str(error)


def _hide() -> None:
    """Programs find no trace of this package among their modules, as in a new interpreter."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "sandboxes"]:
        del sys.modules[name]
