"""Names of files beneath the working folder, and arguments of a command line: which of them a program can be given."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

MOST_FILES = 128
"""How many files go along with a program."""
_MOST_ENTRIES = 900  # files and their folders; the smallest scratch folders hold little more
_MOST_ARGUMENTS = 1000
_MOST_ARGUMENT_BYTES = 1 << 17  # of Linux, for a single argument with the NUL at its end
_LONGEST_NAME = 200


def confine(names: Iterable[str], most: int = MOST_FILES) -> None:
    """Check that each name stays beneath the folder it is put in, and that none is the folder of another.

    Args:
        names: Paths, relative to that folder.
        most: How many there may be.

    Raises:
        ValueError: The message says which name is wrong.
    """
    names = list(names)
    if len(names) > most:
        raise ValueError(f"{len(names)} files; at most {most} are allowed")
    for name in names:
        if fault := _fault(name):
            raise ValueError(f"a program's file cannot be called {name!r:.200}: it {fault}")
    folders = {str(folder): name for name in names for folder in PurePosixPath(name).parents}
    for name in names:
        path = str(PurePosixPath(name))
        if other := folders.get(path):
            raise ValueError(
                f"a program's file cannot be called {name!r:.200}: it is also the folder of {other!r:.200}"
            )
        if path != name:
            raise ValueError(f"a program's file cannot be called {name!r:.200}, which is {path!r:.200}")
    if len(names) + len(folders) > _MOST_ENTRIES:
        raise ValueError(f"{len(names)} files in {len(folders)} folders; at most {_MOST_ENTRIES} of both are allowed")


def _fault(name: str) -> str:
    if not isinstance(name, str):
        return "is no text"
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        return "is no valid text"
    parts = name.split("/")
    if "\0" in name:
        return "holds a NUL"
    if name.startswith("/"):
        return "is absolute"
    if ".." in parts:
        return "leaves the working folder"
    if parts[-1] in ("", "."):
        return "names no file"
    return "is too long" if len(encoded) > _LONGEST_NAME else ""


def check_arguments(arguments: Iterable[str]) -> tuple[str, ...]:
    """Return a command line's arguments, when a process can be given them.

    Raises:
        ValueError: They are too many or too long, or one holds what no argument can.
    """
    if isinstance(arguments, str | bytes):
        raise ValueError(f"the arguments must be a tuple of texts, not {arguments!r:.200}")
    checked = tuple(arguments)
    for argument in checked:
        if not isinstance(argument, str) or "\0" in argument or any("\ud800" <= each <= "\udfff" for each in argument):
            raise ValueError(f"the argument {argument!r:.200} is no valid text")
    size = sum(len(argument.encode()) + 1 for argument in checked)
    if len(checked) > _MOST_ARGUMENTS or size > _MOST_ARGUMENT_BYTES:
        raise ValueError(f"more than {_MOST_ARGUMENTS} arguments, or more than {_MOST_ARGUMENT_BYTES} bytes of them")
    return checked
