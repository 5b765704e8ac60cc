"""The errors that MARS raises for a user to read: each says where the fault is and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MarsError(Exception):
    """The root of every error that MARS raises on purpose."""


class ConfigError(MarsError):
    """A recipe, a setting or a command-line option is wrong. Raised before the first sample is scored."""


class RegistryError(MarsError):
    """A reward source is unknown, registered twice, or cannot be registered as written."""


class DataError(MarsError):
    """An input file or one of its rows cannot be used; the message names the file and the line."""


class TrainingError(MarsError):
    """Training would go wrong in silence (stale samples, a dropped tag, rewards that never arrive)."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known name, or the list of known names.

    Args:
        name: What the user wrote.
        known: What would have been right.

    Returns:
        A sentence that starts with a space, to be appended to an error message.
    """
    choices = sorted(known)
    near = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    if near:
        return f" Did you mean {near[0]!r}?"
    return f" Known: {', '.join(choices)}." if choices else ""
