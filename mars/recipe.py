"""Recipe files: YAML whose every mistake is reported with the file, the line and the key.

A recipe has one section a concern (`reward`, `columns`, `model`, `data`, `train` ...). This file reads it; each package
checks its own sections with its own pydantic models.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from mars.errors import ConfigError, did_you_mean

Model = TypeVar("Model", bound=BaseModel)
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Recipe:
    """A recipe's data and where each key of it was written.

    Attributes:
        name: What errors call it: the file's path, or ``recipe`` when made in Python.
        data: The sections.
        lines: The line of each key, by its path; keys that `--set` wrote have the line 0.
    """

    name: str
    data: dict[str, Any]
    lines: Mapping[KeyPath, int] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | Path, overrides: Iterable[str] = ()) -> Recipe:
        """Read a recipe file.

        Args:
            path: The YAML file.
            overrides: `section.key=value` assignments, whose values are YAML too.

        Raises:
            ConfigError: When the file is missing, is no YAML mapping, or repeats a key.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"cannot read the recipe {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path} is not UTF-8 text: {error}") from error
        return cls.parse(text, str(path), overrides)

    @classmethod
    def parse(cls, text: str, name: str = "recipe", overrides: Iterable[str] = ()) -> Recipe:
        """Read a recipe from text; see `load`."""
        loader = yaml.SafeLoader(text)
        lines: dict[KeyPath, int] = {}
        try:
            node = loader.get_single_node()
            if node is not None:
                _note_lines(node, (), lines, name)
            data = loader.construct_document(node) if node is not None else {}  # type: ignore[no-untyped-call]
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = f"{name}:{mark.line + 1}" if mark else name
            raise ConfigError(f"{place}: not YAML: {error.problem or error.context}") from error
        finally:
            loader.dispose()
        if not isinstance(data, dict):
            raise ConfigError(f"{name}: a recipe is a mapping of sections, got {type(data).__name__}")
        recipe = cls(name, data, lines)
        for override in overrides:
            recipe._set(override)
        return recipe

    def _set(self, override: str) -> None:
        path, equals, value = override.partition("=")
        keys = path.strip().split(".")
        if not equals or not all(keys):
            raise ConfigError(f"--set {override}: write it as section.key=value")
        try:
            parsed = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {override}: the value is not YAML: {error}") from error
        table = self.data
        for depth, key in enumerate(keys[:-1]):
            inner = table.setdefault(key, {})
            if inner is None or not isinstance(inner, dict):
                # `math: 1.0` is short for `math: {weight: 1.0}` in places; an override below it cannot know that.
                raise ConfigError(f"--set {override}: {'.'.join(keys[: depth + 1])} is {inner!r}, not a table of keys")
            table = inner
        table[keys[-1]] = parsed
        assert isinstance(self.lines, dict)
        self.lines[tuple(keys)] = 0

    def section(self, key: str, model: type[Model]) -> Model:
        """Check one section and return it as a typed object.

        Args:
            key: The section's name; when it is absent the model's defaults are used.
            model: The pydantic model of the section.

        Raises:
            ConfigError: With the file, line and key of every mistake in the section.
        """
        value = self.data.get(key)
        try:
            return model.model_validate({} if value is None else value)
        except ValidationError as error:
            mistakes = [self._describe((key, *item["loc"]), item, model) for item in error.errors()]
            raise ConfigError("\n".join(dict.fromkeys(mistakes))) from error

    def only(self, sections: Iterable[str]) -> None:
        """Refuse sections that nobody reads.

        Raises:
            ConfigError: Names the section, its line and the nearest known one.
        """
        known = list(sections)
        for key in self.data:
            if key not in known:
                raise ConfigError(f"{self.place((key,))}: no section {key!r}.{did_you_mean(str(key), known)}")

    def place(self, path: KeyPath) -> str:
        """Return `file:line` of a key, or of the nearest key around it."""
        for end in range(len(path), 0, -1):
            line = self.lines.get(path[:end])
            if line is not None:
                return f"{self.name}:{line}" if line else f"--set {'.'.join(map(str, path[:end]))}"
        return self.name

    def _describe(self, path: KeyPath, item: Any, model: type[BaseModel]) -> str:
        # Pydantic adds the names of union members to the path; what was not written in the file is not shown.
        shown = tuple(p for i, p in enumerate(path) if self._written(path[: i + 1]) or i == len(path) - 1)
        shown = (
            shown if self._written(shown) or item["type"] in ("missing", "extra_forbidden") else shown[:-1] or path[:1]
        )
        where = ".".join(map(str, shown))
        if item["type"] == "extra_forbidden":
            known = did_you_mean(str(path[-1]), _keys_at(model, path[1:-1]))
            return f"{self.place(shown)}: {where}: no such key.{known}"
        if item["type"] == "missing":
            return f"{self.place(shown)}: {where}: this key is required"
        message = item["msg"].removeprefix("Value error, ")
        got = "" if isinstance(item["input"], dict | list) else f" (got {item['input']!r:.80})"
        return f"{self.place(shown)}: {where}: {message}{got}"

    def _written(self, path: KeyPath) -> bool:
        value: Any = self.data
        for key in path:
            items = dict(enumerate(value)) if isinstance(value, list) else value
            if not isinstance(items, dict) or key not in items:
                return False
            value = items[key]
        return True


def fingerprint(data: Any) -> str:
    """Return twelve hex digits that name a piece of plain data, whatever the order of its keys."""
    text = json.dumps(data, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _note_lines(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], name: str) -> None:
    if isinstance(node, yaml.MappingNode):
        here: set[Any] = set()
        for key_node, value_node in node.value:
            key = key_node.value
            line = key_node.start_mark.line + 1
            if key in here and key != "<<":
                raise ConfigError(f"{name}:{line}: the key {key!r} is written twice")
            here.add(key)
            lines[(*path, key)] = line
            _note_lines(value_node, (*path, key), lines, name)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*path, index)] = item.start_mark.line + 1
            _note_lines(item, (*path, index), lines, name)


def _keys_at(model: type[BaseModel], path: KeyPath) -> list[str]:
    """Return the keys that a model knows at a path, to guess what a wrong key was meant to be."""
    current: Any = model
    for key in path:
        field_info = getattr(current, "model_fields", {}).get(key)
        annotation = field_info.annotation if field_info else current
        current = _model_in(annotation)
        if current is None:
            return []
    return list(getattr(current, "model_fields", {}))


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if found := _model_in(argument):
            return found
    return None
