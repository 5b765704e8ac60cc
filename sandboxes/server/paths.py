"""What clients send along with a program: names of files beneath the working folder, their contents, arguments."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from sandboxes.paths import MOST_FILES, check_arguments, confine

__all__ = ["MOST_FILES", "check_arguments", "confine", "decode_base64", "decode_files"]


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
