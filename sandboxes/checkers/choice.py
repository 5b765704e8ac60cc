"""From what a recipe says to a checker."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, fields
from typing import Any

from sandboxes.checkers.base import Checker
from sandboxes.checkers.compat import EvalPlus, LiveCodeBench
from sandboxes.checkers.numbers import Float
from sandboxes.checkers.special import Special
from sandboxes.checkers.text import Exact, Lines, Tokens, Unordered

_KINDS: dict[str, type[Any]] = {
    kind.name: kind for kind in (Exact, Tokens, Lines, Float, Unordered, LiveCodeBench, EvalPlus, Special)
}


def checker(spec: str | Mapping[str, Any] | Checker | None = None) -> Checker:
    """Return the checker that is meant.

    Args:
        spec: A checker; a name, with options after a colon (`"float:rtol=1e-6,atol=1e-9"`); a mapping with the name
            under `kind` and the options beside it; or None for the default, `lines`. `special` needs objects, a program
            and a sandbox, so it takes a mapping or `Special` itself.

    Raises:
        ValueError: When there is no such checker or option, or a value does not fit; the message lists the choices.
    """
    if spec is None:
        return Lines()
    if isinstance(spec, str):
        name, _, text = spec.partition(":")
        return _make(name.strip(), dict(_option(spec, part) for part in text.split(",") if part.strip()))
    if isinstance(spec, Mapping):
        options = dict(spec)
        if not isinstance(name := options.pop("kind", None), str):
            raise ValueError(f"a checker's mapping says which under 'kind'.{_nearest('', _KINDS)}")
        return _make(name, options)
    if hasattr(spec, "compare_output") and hasattr(spec, "compare_values"):
        return spec
    raise ValueError(f"a checker is a name, a mapping or a Checker, not {spec!r:.80}.{_nearest('', _KINDS)}")


def _option(spec: str, part: str) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    if not equals:
        raise ValueError(f"checker {spec!r}: write options as name=value, separated by commas, not {part.strip()!r}")
    return name.strip(), value.strip()


def _make(name: str, options: dict[str, Any]) -> Checker:
    if name not in _KINDS:
        raise ValueError(f"no checker {name!r}.{_nearest(name, _KINDS)}")
    known = {field.name: field for field in fields(_KINDS[name])}
    for option in options:
        if option not in known:
            raise ValueError(f"checker {name!r} has no option {option!r}.{_nearest(option, known) or ' It has none.'}")
    values = {option: _converted(name, known[option], value) for option, value in options.items()}
    try:
        return _KINDS[name](**values)
    except TypeError as error:
        raise ValueError(f"checker {name!r} needs more: {error}") from error


_FROM_TEXT: dict[str, Callable[[str], Any]] = {"float": float, "bool": {"true": True, "false": False}.__getitem__}
_FITS: dict[str, tuple[type, ...]] = {"float": (float, int), "bool": (bool,)}


def _converted(name: str, field: Field[Any], value: Any) -> Any:
    """Return an option's value as its field's type; text is read, for a command line and YAML write 1e-6 as text."""
    kind = str(field.type)
    if kind not in _FITS:
        return value
    try:
        converted = _FROM_TEXT[kind](value.strip().lower()) if isinstance(value, str) else value
    except (ValueError, KeyError):
        converted = None
    if not isinstance(converted, _FITS[kind]) or (kind == "float" and isinstance(converted, bool)):
        what = "a number" if kind == "float" else "true or false"
        raise ValueError(f"checker {name!r}: {field.name} must be {what}, not {value!r:.80}")
    return converted


def _nearest(name: str, known: Iterable[str]) -> str:
    choices = list(known)
    near = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    return f"{meant} Known: {', '.join(choices)}." if choices else ""
