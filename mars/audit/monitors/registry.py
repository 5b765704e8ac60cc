"""The registry of monitors: `@monitor(name)` makes a class one that recipes can name below `monitors:`.

    class ShoutingOptions(Options):
        above: float = Field(default=0.2, description="share of completions in capitals that is alarming")

    @monitor("shouting", settings=ShoutingOptions, advice="Lower-case the answers before they are judged.")
    class Shouting(Forgetful):
        def __init__(self, options: ShoutingOptions, scene: Scene) -> None:
            self._options = options

        def read(self, step: Step) -> list[Reading]:
            loud = fmean(one.sample.completion.isupper() for one in step.seen)
            return [Reading("", loud, self._options.above, loud > self._options.above, f"{loud:.0%} shout")]

Built-in ones live one a file in this folder and watch every run; others come from any module that was imported
(`reward: {imports: ...}`) or a package's entry point of the group `mars.monitors`, and watch where a recipe names them.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from mars.audit.monitors.options import Options
from mars.audit.monitors.types import Monitor, Scene
from mars.declaring import checked_name
from mars.errors import ConfigError, RegistryError, did_you_mean
from mars.plugins import checked_settings, load_packages, place_of, told_of

GROUP = "mars.monitors"
BUILT_IN = ("hedging", "length", "dominance", "saturation", "failures", "gap", "empty_thinking", "canaries")
KEEP = "keep"
"""A key of the section that is no monitor."""
Made = TypeVar("Made", bound=Callable[..., Any])


@dataclass(frozen=True)
class RegisteredMonitor:
    """A monitor and what was declared of it.

    Attributes:
        name: The name that recipes use.
        make: Makes it, with its settings and the scene.
        settings: The pydantic model of its settings.
        advice: What its alarms may mean and what can be done, in a line or two.
    """

    name: str
    make: Callable[[Any, Scene], Monitor]
    settings: type[Options]
    advice: str

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return (inspect.getdoc(self.make) or "").partition("\n")[0]

    def settings_of(self, given: Mapping[str, Any]) -> Options:
        """Check settings.

        Raises:
            ConfigError: With the path of the wrong key below the recipe's `monitors`.
        """
        return checked_settings(self.settings, given, f"the monitor {self.name!r}", (self.name,))


_registered: dict[str, RegisteredMonitor] = {}
_broken_packages: dict[str, str] = {}


def monitor(name: str, *, settings: type[Options] = Options, advice: str) -> Callable[[Made], Made]:
    """Register a class as a monitor. It is made with its settings and a `Scene`; see `types.Monitor`.

    Args:
        name: The name that recipes use.
        settings: The pydantic model of its settings.
        advice: What its alarms may mean and what can be done, in a line or two.

    Raises:
        RegistryError: When the name is taken or is none, or the settings have no `action`.
    """

    def register(made: Made) -> Made:
        known = _registered.get(checked_name(name))
        if name == KEEP:
            raise RegistryError(f"a monitor cannot be called {name!r}: recipes have another key of that name")
        if known is not None and place_of(known.make) != place_of(made):
            raise RegistryError(f"the monitor {name!r} is registered already, by {place_of(known.make)}")
        if not issubclass(settings, Options):
            raise RegistryError(f"the monitor {name!r}: its settings must inherit from mars.audit.monitors.Options")
        _registered[name] = RegisteredMonitor(name, made, settings, advice)
        return made

    return register


def get(name: str) -> RegisteredMonitor:
    """Return a registered monitor.

    Raises:
        ConfigError: When there is none of that name.
    """
    if name not in _registered:
        if name in BUILT_IN:
            importlib.import_module(f"mars.audit.monitors.{name}")
        else:
            load_packages(GROUP, _broken_packages)
    if name not in _registered:
        known = did_you_mean(str(name), [*names(), KEEP])
        where = f"One of your own needs its module in reward.imports{told_of(_broken_packages)}"
        raise ConfigError(f"no monitor {name!r}.{known} {where}", (name,))
    return _registered[name]


def names() -> list[str]:
    """Return the names of all monitors: the built-in ones, then the others by name."""
    load_packages(GROUP, _broken_packages)
    return [*BUILT_IN, *sorted(set(_registered) - set(BUILT_IN))]


class Forgetful:
    """The rest of a monitor that remembers nothing."""

    def state_dict(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up nothing."""
