"""What clients send along with a program: names of files beneath the working folder, their contents, arguments."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

MOST_FILES = 128
_MOST_ARGUMENTS = 1000
_MOST_ARGUMENT_BYTES = 1 << 17
_LONGEST_NAME = 1024
_LONGEST_PART = 255


def confine(names: Iterable[str]) -> None:
    """Check that each name stays beneath the folder it is put in, and that none is the folder of another.

    Raises:
        ValueError: The message says which name is wrong.
    """
    names = list(names)
    if len(names) > MOST_FILES:
        raise ValueError(f"{len(names)} files; at most {MOST_FILES} are allowed")
    for name in names:
        if fault := _fault(name):
            raise ValueError(f"the file name {name!r:.200} {fault}")
    folders = {str(folder): name for name in names for folder in PurePosixPath(name).parents}
    for name in names:
        if (path := str(PurePosixPath(name))) in folders:
            raise ValueError(f"the file name {name!r:.200} is also the folder of {folders[path]!r:.200}")


def _fault(name: str) -> str:
    try:
        parts = [part.encode() for part in name.split("/")]
    except UnicodeEncodeError:
        return "is no valid text"
    if "\0" in name:
        return "holds a NUL"
    if name.startswith("/"):
        return "is absolute"
    if b".." in parts:
        return "leaves the working folder"
    if not any(part not in (b"", b".") for part in parts) or parts[-1] in (b"", b"."):
        return "names no file"
    if len(name.encode()) > _LONGEST_NAME or max(map(len, parts)) > _LONGEST_PART:
        return "is too long"
    return ""


def check_arguments(arguments: Iterable[str]) -> tuple[str, ...]:
    """Return a command line's arguments, when a process can be given them.

    Raises:
        ValueError: They are too many or too long, or one holds what no argument can.
    """
    checked = tuple(arguments)
    if len(checked) > _MOST_ARGUMENTS or sum(map(len, checked)) > _MOST_ARGUMENT_BYTES:
        raise ValueError(
            f"more than {_MOST_ARGUMENTS} arguments, or more than {_MOST_ARGUMENT_BYTES} characters of them"
        )
    for argument in checked:
        if "\0" in argument or any("\ud800" <= character <= "\udfff" for character in argument):
            raise ValueError(f"the argument {argument!r:.200} is no valid text")
    return checked


def decode_files(files: Mapping[str, str | None], most_bytes: int) -> dict[str, bytes]:
    """Return the contents of files that came as base64, under confined names; those that came as None are left out.

    Args:
        files: Base64 by name.
        most_bytes: What they may come to together.

    Raises:
        ValueError: A name or a content is wrong, or they are too large.
    """
    confine(files)
    contents = {name: decode_base64(text, name) for name, text in files.items() if text is not None}
    if (size := sum(map(len, contents.values()))) > most_bytes:
        raise ValueError(f"the files come to {size} bytes; at most {most_bytes} are allowed")
    return contents


def decode_base64(text: str, name: str) -> bytes:
    """Return what a base64 text says; it may be broken into lines.

    Raises:
        ValueError: It is no base64; the message names `name`.
    """
    try:
        return base64.b64decode("".join(text.split()).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError(f"the content of {name!r:.200} is not base64") from None
