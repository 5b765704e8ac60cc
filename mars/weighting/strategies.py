"""The registry of weighting strategies: `@strategy(name)` makes a class one that recipes can name.

    @strategy("favour_the_first")
    class FavourTheFirst(Stateless):
        def __init__(self, task: Task, settings: NoSettings) -> None:
            self.first = task.shaping[0]

        def merits(self, batch: Batch) -> dict[str, float]:
            return {name: 2.0 if name == self.first else 1.0 for name in batch.task.shaping}

Built-in ones live one a file in this folder; others come from any module that was imported (`reward: {imports: ...}`),
and from packages, which name such a module in their `pyproject.toml`:

    [project.entry-points."mars.weighting"]
    favour_the_first = "my_package.favouring"
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mars.declaring import checked_name
from mars.errors import ConfigError, RegistryError, did_you_mean
from mars.plugins import checked_settings, explain, load_packages, place_of, told_of
from mars.weighting.bounds import Bounds
from mars.weighting.protocol import Strategy
from mars.weighting.task import Task

GROUP = "mars.weighting"
AUTO = "auto"
"""What a recipe says to be given what suits the task; no strategy may be called that."""
BUILT_IN = (
    "static",
    "gated",
    "gdpo",
    "variance",
    "signal",
    "progress",
    "reliability",
    "constraint",
    "schedule",
)
Aggregation = Literal["sum_then_normalize", "normalize_then_sum"]
Made = TypeVar("Made", bound=Callable[..., Any])


class NoSettings(BaseModel):
    """The settings of a strategy that has none."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class RegisteredStrategy:
    """A strategy and what was declared of it.

    Attributes:
        name: The name that recipes use.
        make: Makes it for a task, with its settings.
        settings: The pydantic model of its settings.
        bounds: The bounds that suit it, where the recipe sets no others.
        aggregation: How a trainer is to make advantages of several sources, as TRL calls it.
        adapts: Whether it ever moves a weight. Then a trainer that scales each prompt by its own deviation, which would
            undo the weights where only one source speaks, lets a prompt teach by the share of the weight that speaks.
    """

    name: str
    make: Callable[[Task, Any], Strategy]
    settings: type[BaseModel]
    bounds: Bounds
    aggregation: Aggregation
    adapts: bool

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return (inspect.getdoc(self.make) or "").partition("\n")[0]

    def settings_of(self, given: Mapping[str, Any]) -> BaseModel:
        """Check settings.

        Raises:
            ConfigError: With the path of the wrong key below the recipe's `weighting`.
        """
        return checked_settings(self.settings, given, f"the strategy {self.name!r}", ("settings",))

    def bounds_of(self, given: Mapping[str, Any]) -> Bounds:
        """Return its bounds with those that a recipe gives.

        Raises:
            ConfigError: With the path of the wrong key below the recipe's `weighting`.
        """
        for bound in given:
            if bound not in Bounds.model_fields:
                raise ConfigError(
                    f"no bound {bound!r}.{did_you_mean(str(bound), Bounds.model_fields)}", ("bounds", bound)
                )
        try:
            return Bounds(**(self.bounds.model_dump() | dict(given)))
        except ValidationError as error:
            raise ConfigError(explain(error), ("bounds", *error.errors()[0]["loc"])) from error


_registered: dict[str, RegisteredStrategy] = {}
_broken_packages: dict[str, str] = {}


def strategy(
    name: str,
    *,
    settings: type[BaseModel] = NoSettings,
    bounds: Bounds | None = None,
    aggregation: Aggregation = "sum_then_normalize",
    adapts: bool = True,
) -> Callable[[Made], Made]:
    """Register a class as a weighting strategy. It is made with a `Task` and its settings; see `protocol.Strategy`.

    Args:
        name: The name that recipes use.
        settings: The pydantic model of its settings.
        bounds: The bounds that suit it; `Bounds()` when not given.
        aggregation: How a trainer is to make advantages of several sources, as TRL calls it.
        adapts: Whether it ever moves a weight.

    Raises:
        RegistryError: When the name is taken by another one, or is none.
    """

    def register(made: Made) -> Made:
        known = _registered.get(checked_name(name))
        if known is not None and place_of(known.make) != place_of(made):
            raise RegistryError(f"the weighting strategy {name!r} is registered already, by {place_of(known.make)}")
        if name == AUTO or (name in BUILT_IN and made.__module__ != _module(name)):
            raise RegistryError(f"{name!r} is the name of a built-in weighting strategy; choose another")
        _registered[name] = RegisteredStrategy(name, made, settings, bounds or Bounds(), aggregation, adapts)
        return made

    return register


def _module(name: str) -> str:
    return f"mars.weighting.{name}"


def get(name: str) -> RegisteredStrategy:
    """Return a registered strategy.

    Raises:
        ConfigError: When there is none of that name.
    """
    if name not in _registered:
        if name in BUILT_IN:
            importlib.import_module(_module(name))
        else:
            load_packages(GROUP, _broken_packages)
    if name not in _registered:
        raise ConfigError(
            f"no weighting strategy {name!r}.{did_you_mean(name, names())}{told_of(_broken_packages)}", ("strategy",)
        )
    return _registered[name]


def names() -> list[str]:
    """Return the names of all strategies: the built-in ones, then the others by name."""
    load_packages(GROUP, _broken_packages)
    return [*BUILT_IN, *sorted(set(_registered) - set(BUILT_IN))]


def broken_packages() -> dict[str, str]:
    """Return the plug-ins that failed to load, with the reason."""
    return dict(_broken_packages)
