"""What the registries share: packages that add to them by entry point, settings checked, who registered a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mars.errors import ConfigError, did_you_mean

Settings = TypeVar("Settings", bound=BaseModel)


def load_packages(group: str, broken: dict[str, str]) -> None:
    """Load every package's entry points of a group.

    Args:
        group: The group.
        broken: Where those that fail are put, by `name = value`, with the reason. One broken package must not take what
            the others add with it; whoever asks for what is not there is told.
    """
    from importlib.metadata import entry_points  # costs a sixth of `import mars`

    for entry in entry_points(group=group):
        try:
            entry.load()
        except (Exception, SystemExit) as error:
            broken[f"{entry.name} = {entry.value}"] = f"{type(error).__name__}: {error}"


def told_of(broken: Mapping[str, str]) -> str:
    """Return a line for each package that did not load, to be appended to an error message."""
    return "".join(f"\nThe plug-in {plugin} did not load: {why}" for plugin, why in broken.items())


def checked_settings(
    model: type[Settings], given: Mapping[str, Any], whose: str, path: tuple[str | int, ...]
) -> Settings:
    """Return settings that are right.

    Args:
        model: The pydantic model of the settings.
        given: The values.
        whose: What has the settings, as a message calls it.
        path: The keys that lead to the settings.

    Raises:
        ConfigError: When an option is unknown, missing or of the wrong type; the message and the path name it.
    """
    for option in given:
        if option not in model.model_fields:
            known = did_you_mean(str(option), model.model_fields)
            raise ConfigError(f"{whose} has no setting {option!r}.{known or ' It has none.'}", (*path, option))
    try:
        return model(**given)
    except ValidationError as error:
        raise ConfigError(f"{whose}: {explain(error)}", (*path, *error.errors()[0]["loc"])) from error


def explain(error: ValidationError) -> str:
    """Return a pydantic error as one readable line: `limit: Input should be greater than 0 (got -1)`."""
    parts = []
    for item in error.errors():
        place = ".".join(str(part) for part in item["loc"])
        said = item["msg"].removeprefix("Value error, ")
        got = "" if item["type"] == "missing" else f" (got {item['input']!r:.80})"
        parts.append(f"{place}: {said}{got}" if place else f"{said}{got}")
    return "; ".join(parts)


def place_of(made: Callable[..., Any]) -> str:
    """Return where something was defined: a module that is imported again registers its own things again."""
    return f"{made.__module__}.{getattr(made, '__qualname__', made)}"
