"""The `monitors` section of a recipe as typed settings.

monitors:
  hedging: off                      # every built-in monitor is on unless it is turned off
  failures: stop                    # an action alone is short for {action: stop}
  length: {times: 3}
  canaries: {file: canaries.jsonl, every: 20}
  keep: 128

`monitors: off` turns all of it off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_serializer, model_validator

from mars.audit.monitors import registry
from mars.audit.monitors.options import Options
from mars.audit.monitors.types import Action
from mars.errors import ConfigError, did_you_mean

_OFF = "off"


class MonitorSettings(BaseModel):
    """The whole `monitors` section. Its own monitors stand in it under their names, as `keep` does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    watching: dict[str, Options] = Field(default_factory=dict, description="the settings of each monitor that is on")
    keep: int = Field(
        default=128, ge=0, strict=True, description="completions a step that are kept with their rewards; 0: none"
    )

    @model_validator(mode="before")
    @classmethod
    def _read(cls, section: Any) -> Any:
        if section is False or section == _OFF:
            return {"watching": {}, "keep": 0}
        if section is None or section is True:
            section = {}
        if not isinstance(section, Mapping):
            return section  # pydantic says what belongs here
        given = dict.fromkeys(registry.BUILT_IN) | {k: v for k, v in section.items() if k != registry.KEEP}
        chosen = {name: _settings_of(name, value) for name, value in given.items()}
        watching = {name: options for name, options in chosen.items() if options is not None}
        return {"watching": watching} | ({"keep": section["keep"]} if "keep" in section else {})

    @model_serializer
    def _write(self) -> dict[str, Any]:
        """Return the section as a recipe would write it, with every default."""
        known = dict.fromkeys([*registry.BUILT_IN, *self.watching])
        on = {name: options.model_dump(mode="json") for name, options in self.watching.items()}
        return {name: on.get(name, False) for name in known} | {"keep": self.keep}


def _settings_of(name: Any, value: Any) -> Options | None:
    """Return the settings of a monitor from what stands under its name; `None` where it is off.

    Raises:
        ConfigError: With the path of the wrong key.
    """
    monitor = registry.get(name)
    if value is False or value == _OFF:
        return None
    if value is None or value is True:
        value = {}
    if isinstance(value, str):
        if value not in list(Action):
            raise ConfigError(f"no action {value!r}.{did_you_mean(value, [*Action, _OFF])}", (name,))
        value = {"action": value}
    if not isinstance(value, Mapping):
        raise ConfigError(f"a table of keys belongs here, or off, log, warn or stop (got {value!r:.80})", (name,))
    return monitor.settings_of(value)
