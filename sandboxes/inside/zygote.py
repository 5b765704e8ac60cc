"""The fork server: a warm interpreter in a jail that forks a child for each run and clears up after it.

It sees descriptors and limits, never a program's source, input or output: a forked child inherits its memory, and must
find nothing there of the runs before it.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # without the enums of `signal`, which cost pages
import json
import os
import resource
import select
import socket
import stat
import struct
from collections.abc import Sequence

from . import confine, program
from .request import Report, read_request
from .scratch import Folders, Tmpfs

KILL = b"kill"
_LARGEST_REQUEST = 1 << 16
_SPACE_FOR_DESCRIPTORS = socket.CMSG_SPACE(8 * 4)
_SIGKILL = int(_signal.SIGKILL)


class Zygote:
    """Serves runs over a socket until the other side closes it.

    Whatever Python object it touches costs a copied page, here and in the child; hence the plain code.
    """

    def __init__(self, control: socket.socket, layers: confine.Layers, scratch: Tmpfs | Folders, sweep_all: bool):
        """Args say what it works with.

        Args:
            control: A sequenced-packet socket to the supervisor.
            layers: What children put on.
            scratch: The folders that programs write to.
            sweep_all: Whether every process in sight but the supervisor is a program's, so that all can be killed at
                once. Only true in a process namespace or a container of one's own.
        """
        self._control = control
        self._layers = layers
        self._scratch = scratch
        self._sweep_all = sweep_all
        self._wake, wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake, False)
        # The handler does nothing; with one in place a child's end writes to the pipe.
        _signal.signal(_signal.SIGCHLD, _nothing)
        _signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._poller = select.poll()
        self._poller.register(control, select.POLLIN)
        self._poller.register(self._wake, select.POLLIN)

    def serve(self) -> None:
        """Run requests one after the other."""
        while True:
            data, ancillary, _, _ = self._control.recvmsg(_LARGEST_REQUEST, _SPACE_FOR_DESCRIPTORS)
            if not data:
                return
            if data == KILL:
                continue  # came after the end of the run it was meant for
            packed = ancillary[0][2]
            self._run(data, struct.unpack(f"={len(packed) // 4}i", packed))

    def _run(self, data: bytes, descriptors: Sequence[int]) -> None:
        request = read_request(data)
        given_mb = request.size >> 20 if request.plain else (request.size >> 20) + 1
        self._scratch.prepare(request.disk_mb + given_mb, bool(request.executable))
        before = 0.0 if self._layers.cpu_counted else _children_cpu_s()
        stage, stage_end = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                program.become(request, descriptors, stage_end, self._layers, self._scratch.work)
            finally:
                os._exit(1)  # nothing that a program raises may go on in the zygote's own frames
        os.close(stage_end)
        for descriptor in descriptors:
            os.close(descriptor)
        status, peak_kb = self._wait(child)
        survivors = self._sweep()
        cpu = 0.0 if self._layers.cpu_counted else _children_cpu_s() - before
        told = os.read(stage, 4096)
        os.close(stage)
        names, files = self._fetch(request.fetch) if request.fetch else (b"", [])
        report = Report(status, cpu, peak_kb << 10, survivors, told, names).pack()
        # Before the next run is measured: what a run leaves in memory is its own.
        self._scratch.clean()
        if files:
            socket.send_fds(self._control, [report], files)
            for descriptor in files:
                os.close(descriptor)
        else:
            self._control.send(report)

    def _fetch(self, wanted: bytes) -> tuple[bytes, list[int]]:
        names, files = [], []
        with self._scratch.reached():
            for name in json.loads(wanted):
                found = _open_beneath(self._scratch.work, name)
                if found is not None:
                    names.append(name)
                    files.append(found)
        return json.dumps(names).encode(), files

    def _wait(self, child: int) -> tuple[int, int]:
        """Wait for the program's first process, or for the word to kill it."""
        while True:
            for descriptor, _ in self._poller.poll():
                if descriptor == self._wake:
                    os.read(self._wake, 4096)
                elif self._control.recv(_LARGEST_REQUEST):
                    self._kill(child)
                else:
                    os._exit(0)
            pid, status, usage = os.wait4(child, os.WNOHANG)
            if pid:
                return status, usage.ru_maxrss

    def _kill(self, child: int) -> None:
        try:
            os.kill(-1 if self._sweep_all else child, _SIGKILL)
        except ProcessLookupError:
            return

    def _sweep(self) -> int:
        """End and reap whatever the program left running. The kernel lets no process fork past the signal."""
        left = 0
        while True:
            if self._sweep_all:
                self._kill(-1)
            else:
                for pid in _children():
                    self._kill(pid)
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                return left
            left += 1


def _nothing(number: int, frame: object) -> None:
    return None


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _children() -> list[int]:
    """Processes whose parent this is, adopted orphans among them."""
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return [int(pid) for pid in file.read().split()]


def _open_beneath(folder: str, name: str) -> int | None:
    """Open a regular file beneath a folder, following no link on the way and waiting for no pipe."""
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return None
    try:
        at = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        found = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY, dir_fd=at)
    except (OSError, ValueError):
        return None
    finally:
        os.close(at)
    if stat.S_ISREG(os.fstat(found).st_mode):
        return found
    os.close(found)
    return None
