"""The folders that a program may write to, clean after every run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from . import kernel

WORK, TEMPORARY, SHARED = "work", "tmp", "shm"
_FILES_PER_MB = 64
_FEWEST_FILES = 1024


def _signature(folders: list[str]) -> list[tuple]:
    """Changes whenever anything in or of the folders has changed: no program can set a change time."""
    found = []
    for folder in folders:
        try:
            it, named = os.lstat(folder), os.listxattr(folder, follow_symlinks=False)
        except OSError:
            found.append(())  # a program that owns the folder above has removed this one
            continue
        times = (it.st_mtime_ns, it.st_ctime_ns)
        found.append((it.st_ino, it.st_mode, it.st_uid, it.st_nlink, it.st_size, *times, named))
    return found


class Tmpfs:
    """A file system in memory, mounted anew whenever a run has left a trace in it.

    Most programs never write a file; looking for traces is cheaper than mounting. A trace cannot be hidden: creating,
    removing, renaming or changing anything in a folder moves its change time.
    """

    def __init__(self, root: str, user: int, shown: dict[str, str]):
        """Args say where and what.

        Args:
            root: Where it is mounted.
            user: Whose the folders are.
            shown: Folders to show in it, read-only as they are: from where, to where.
        """
        self.root = root
        self._shown = shown
        self.folders = [os.path.join(root, name) for name in (WORK, TEMPORARY, SHARED)]
        self._user = user
        self._clean: list[tuple] = []
        self._options: tuple[int, bool] | None = None

    @property
    def work(self) -> str:
        """The working folder of a program."""
        return self.folders[0]

    @contextlib.contextmanager
    def reached(self) -> Iterator[None]:
        """Whatever a program has made of the folders, they can be read during the block."""
        yield

    def prepare(self, size_mb: int, executable: bool) -> None:
        """Make the folders, which are empty, be of this size, with or without leave to execute files in them."""
        if self._options != (size_mb, executable):
            self._mount(size_mb, executable)

    def clean(self) -> None:
        """Make the folders empty."""
        if self._options is not None and _signature([self.root, *self.folders]) != self._clean:
            self._mount(*self._options)

    def _mount(self, size_mb: int, executable: bool) -> None:
        if self._options is not None:
            self._options = None
            kernel.unmount(self.root)
        files = max(_FEWEST_FILES, size_mb * _FILES_PER_MB)
        flags = kernel.MS_NOSUID | kernel.MS_NODEV | (0 if executable else kernel.MS_NOEXEC)
        kernel.mount("scratch", self.root, "tmpfs", flags, f"size={size_mb}m,nr_inodes={files},mode=0755")
        for folder in self.folders:
            os.mkdir(folder, 0o755)
            os.chown(folder, self._user, self._user)
        for source, target in self._shown.items():
            os.makedirs(target if os.path.isdir(source) else os.path.dirname(target), exist_ok=True)
            if not os.path.isdir(source):
                os.close(os.open(target, os.O_CREAT, 0o644))
            kernel.mount(source, target, "", kernel.MS_BIND | kernel.MS_REC)
        self._clean = _signature([self.root, *self.folders])
        self._options = (size_mb, executable)


class Folders:
    """Ordinary folders, emptied after a run that wrote to them; for where nothing can be mounted.

    They belong to the program's user, and are emptied by a process of that user: whoever else may not.
    """

    def __init__(self, folders: list[str], user: int | None):
        self.folders = folders
        self._user = user
        self._clean: list[tuple] = []

    @property
    def work(self) -> str:
        """The working folder of a program."""
        return self.folders[0]

    @contextlib.contextmanager
    def reached(self) -> Iterator[None]:
        """Be the program's user during the block: root in a container may not read what others keep to themselves."""
        if self._user is None:
            yield
            return
        os.setegid(self._user)
        os.seteuid(self._user)
        try:
            yield
        finally:
            os.seteuid(0)
            os.setegid(0)

    def prepare(self, size_mb: int, executable: bool) -> None:
        """Make the folders empty. Their size and whether files in them execute are up to whoever mounted them."""
        self.clean()

    def clean(self) -> None:
        """Make the folders empty.

        Raises:
            OSError: Something stays in them.
        """
        if _signature(self.folders) == self._clean:
            return
        child = os.fork()
        if child == 0:
            try:
                if self._user is not None:
                    os.setresgid(self._user, self._user, self._user)
                    os.setresuid(self._user, self._user, self._user)
                for folder in self.folders:
                    empty(folder)
                os._exit(0)
            finally:
                os._exit(1)
        if os.waitpid(child, 0)[1] != 0:
            raise OSError(f"cannot empty the scratch folders {', '.join(self.folders)}")
        self._clean = _signature(self.folders)


def empty(folder: str) -> None:
    """Remove all that is in a folder: any depth, any permissions, following no link.

    Raises:
        OSError: Something stays.
    """
    if os.path.islink(folder) or not os.path.isdir(folder):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(folder)
        os.mkdir(folder)
    with contextlib.suppress(PermissionError):  # of a folder that is another user's, its permissions are too
        os.chmod(folder, 0o755)
    token = os.urandom(8).hex()
    turn = 0
    # Pulling each folder's content up to the top keeps paths short however deep a program has nested them.
    while True:
        with os.scandir(folder) as entries:
            found = list(entries)
        if not found:
            return
        for entry in found:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            os.chmod(entry.path, 0o700)
            for name in os.listdir(entry.path):
                turn += 1
                os.rename(os.path.join(entry.path, name), os.path.join(folder, f".{token}-{turn}"))
            os.rmdir(entry.path)
