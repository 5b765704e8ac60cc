"""A file system for containers out of this machine's own: an interpreter, the libraries it loads, a few commands."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from sandboxes.docker.container import FOLDERS
from sandboxes.errors import SandboxUnavailable

_COMMANDS = ("sh", "bash", "env", "sleep", "cat", "head", "ls", "mkdir", "mv", "rm", "seq", "sort", "tail", "tr", "wc")
# Never needed to run a program; they are the larger half of the library.
_LEFT_OUT = re.compile(r"test|tests|idlelib|ensurepip|turtledemo|tkinter|lib2to3|site-packages|dist-packages|config-.*")
_EMPTY_FOLDERS = ("/proc", "/sys", "/dev", "/run", "/etc", *FOLDERS[:2])
_FILES = {"/etc/passwd": "root:x:0:0::/:/bin/sh\n", "/etc/group": "root:x:0:\n"}
_ASK = """
import json, os, sys, sysconfig
places = {name: sysconfig.get_path(name, vars={"base": sys.base_prefix, "platbase": sys.base_exec_prefix})
          for name in ("stdlib", "platstdlib")}
print(json.dumps([os.path.realpath(sys.executable), *sorted(set(places.values()))]))
"""


def python_root(include: Iterable[str | Path] = (), python: str = sys.executable) -> list[Path]:
    """Everything that a container needs to run this machine's Python, by its place here.

    Args:
        include: More files and folders.
        python: The interpreter; of a virtual environment, the one that it was made from is taken.

    Raises:
        SandboxUnavailable: The interpreter does not run.
    """
    found = subprocess.run([python, "-I", "-c", _ASK], capture_output=True, text=True, check=False)
    if found.returncode:
        raise SandboxUnavailable(f"cannot run the interpreter {python}: {found.stderr.strip()[-300:]}")
    interpreter, *libraries = map(Path, json.loads(found.stdout))
    tree = _Tree()
    for command in _COMMANDS:
        if path := shutil.which(command):
            tree.add(Path(path))
    tree.add(interpreter)
    for folder in (*libraries, *map(Path, include)):
        for path in _walk(folder):
            tree.add(path)
    tree.add_libraries()
    return [interpreter, *sorted(tree.paths - {interpreter})]


def write_tar(file: IO[bytes], paths: list[Path]) -> None:
    """Write files of this machine into an archive, readable by all and owned by root.

    Args:
        file: Where to write.
        paths: The interpreter, which also becomes `python3` and `python`, and all others.
    """
    interpreter, *others = paths
    names = {_name(path) for path in paths}
    with tarfile.open(fileobj=file, mode="w") as tar:
        for folder in _EMPTY_FOLDERS:
            for parent in (*reversed(Path(folder).parents), Path(folder)):
                if _name(parent) not in names | {""}:
                    names.add(_name(parent))
                    tar.addfile(_entry(_name(parent), tarfile.DIRTYPE, 0o755))
        for path in (*others, interpreter):
            _add(tar, path)
        for path, text in _FILES.items():
            data = text.encode()
            entry = _entry(path.lstrip("/"), tarfile.REGTYPE, 0o644)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        for name in ("python3", "python"):
            entry = _entry(f"usr/local/bin/{name}", tarfile.SYMTYPE, 0o777)
            entry.linkname = str(interpreter)
            if entry.name not in names:
                tar.addfile(entry)


class _Tree:
    """Paths that belong together: with the folders above them, the links on the way, and the libraries they load."""

    def __init__(self):
        self.paths: set[Path] = set()
        self._binaries: set[Path] = set()

    def add(self, path: Path) -> None:
        """Add a path, and what its links lead to."""
        at, parts = Path("/"), list(path.parts[1:])
        while parts:
            part = parts.pop(0)
            if part == "..":
                at = at.parent
                continue
            step = at / part
            self.paths.add(step)
            if step.is_symlink():
                target = step.readlink()
                at = Path("/") if target.is_absolute() else at
                parts = [each for each in target.parts if each != "/"] + parts
            else:
                at = step
        if at.is_file() and at not in self._binaries and _is_binary(at):
            self._binaries.add(at)

    def add_libraries(self) -> None:
        """Add what the dynamic linker loads for the binaries so far."""
        if not self._binaries:
            return
        command = ["ldd", *map(str, sorted(self._binaries))]
        listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        for library in sorted(set(re.findall(r"(?:=> |^\t)(/\S+) \(0x", listed, re.MULTILINE))):
            self.add(Path(library))


def _walk(top: Path) -> Iterator[Path]:
    """A file, or a folder and all in it that is worth having."""
    yield top
    if top.is_symlink() or not top.is_dir():
        return
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if not _LEFT_OUT.fullmatch(name)]
        for name in (*folders, *files):
            yield Path(folder, name)


def _is_binary(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _name(path: Path) -> str:
    return str(path).lstrip("/")


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode
    return entry


def _add(tar: tarfile.TarFile, path: Path) -> None:
    status = path.lstat()
    executable = 0o111 if status.st_mode & 0o111 else 0
    if stat.S_ISDIR(status.st_mode):
        tar.addfile(_entry(_name(path), tarfile.DIRTYPE, 0o755))
    elif stat.S_ISLNK(status.st_mode):
        entry = _entry(_name(path), tarfile.SYMTYPE, 0o777)
        entry.linkname = str(path.readlink())
        tar.addfile(entry)
    elif stat.S_ISREG(status.st_mode):
        entry = _entry(_name(path), tarfile.REGTYPE, 0o644 | executable)
        with path.open("rb") as file:
            entry.size = os.fstat(file.fileno()).st_size
            tar.addfile(entry, file)
