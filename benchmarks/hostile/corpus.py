"""Reads a corpus: from the manifest's words to programs, tests, limits and checkers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sandboxes.checkers import Check, Checker, checker
from sandboxes.types import AssertCase, CallCase, Limits, Program, StdioCase, TestCase

LIMITS = {
    "time_s": "cpu_s",
    "wall_s": "wall_s",
    "memory_mb": "memory_mb",
    "output_kb": "output_kb",
    "processes": "processes",
    "file_mb": "file_mb",
    "disk_mb": "disk_mb",
    "open_files": "open_files",
    "stack_mb": "stack_mb",
}
"""The manifest's names of limits, and ours."""
OF_TASKS = {"type", "tests", "generated", "checker", "fn_name", "entry_point", "test", "accept_tuple_as_list"}
"""What a task may say besides its limits and remarks."""
REMARKS = {"equivalent_call_tests", "why", "note", "comment"}
PLAIN = "b01_plain"
"""The honest program that is run before and after others."""
EVERY_SECOND = re.compile(
    r"stdin = ' '\.join\(str\(i\*(\d+)%(\d+)\) for i in range\((\d+)\)\); expected = every second token, one a line"
)


class UnsupportedError(ValueError):
    """The manifest asks for something that this tool does not know."""


@dataclass(frozen=True)
class Task:
    """What a program is asked to do, ready to be judged."""

    tests: tuple[TestCase, ...]
    checker: Checker | None = None


@dataclass(frozen=True)
class Entry:
    """A program of the corpus and what must hold of it.

    Attributes:
        id: Its name in the manifest.
        category: What it attacks; "benign" for honest controls.
        program: What is run.
        task: What it is judged on.
        limits: The limits of its task, overridden by its own.
        fetch: Files of its working folder that the harness asks for.
        verdict_in: The verdicts it may get.
        never: The verdicts it must not get.
        checks: The manifest's names of what must hold besides.
        max_wall_s: Seconds within which each test must be over.
    """

    id: str
    category: str
    program: Program
    task: Task
    limits: Limits
    fetch: tuple[str, ...] = ()
    verdict_in: frozenset[str] = frozenset({"AC"})
    never: frozenset[str] = frozenset({"IE"})
    checks: tuple[str, ...] = ()
    max_wall_s: float = 12.0

    @property
    def benign(self) -> bool:
        """Whether it is an honest program, which must be accepted."""
        return is_benign(self.id, self.category)


@dataclass(frozen=True)
class Corpus:
    """The programs of a folder.

    Attributes:
        entries: Those that can be run.
        unsupported: For the others, by id, what this tool does not know.
        categories: The category of each program, by id.
        plain: The honest program that is run around the others.
    """

    entries: tuple[Entry, ...]
    unsupported: Mapping[str, str]
    categories: Mapping[str, str]
    plain: Entry

    def only(self, keep: Callable[[str, str], bool]) -> Corpus:
        """Return the part of the corpus that a function of id and category keeps."""
        entries = tuple(entry for entry in self.entries if keep(entry.id, entry.category))
        ids = {entry.id for entry in entries} | {name for name in self.unsupported if keep(name, self.categories[name])}
        return replace(self, entries=entries, unsupported={k: v for k, v in self.unsupported.items() if k in ids})

    @property
    def literals(self) -> list[str]:
        """The expected results of all tests, as text."""
        return [repr(getattr(test, "expected", test)) for entry in self.entries for test in entry.task.tests]


def is_benign(name: str, category: str) -> bool:
    """Say whether a program is honest, by its category or the letter of its id."""
    return category == "benign" or name.startswith("b")


def load(folder: Path) -> Corpus:
    """Read the manifest of a folder and the programs that it names.

    Args:
        folder: The folder that holds `manifest.json`.

    Raises:
        OSError: A file is missing.
        ValueError: The manifest is no JSON of the format.
    """
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    if not isinstance(manifest, dict) or not {"tasks", "programs"} <= set(manifest):
        raise ValueError(f"{folder / 'manifest.json'}: needs `tasks` and `programs`")
    entries, unsupported = [], {}
    for found in manifest["programs"]:
        try:
            entries.append(_entry(folder, found, manifest["tasks"]))
        except UnsupportedError as error:
            unsupported[found["id"]] = str(error)
    categories = {found["id"]: found["category"] for found in manifest["programs"]}
    plain = next((entry for entry in entries if entry.id == PLAIN), _own_plain())
    return Corpus(tuple(entries), unsupported, categories, plain)


def _entry(folder: Path, found: Mapping[str, Any], tasks: Mapping[str, Any]) -> Entry:
    if found["task"] not in tasks:
        raise UnsupportedError(f"there is no task {found['task']!r}")
    task = tasks[found["task"]]
    of_task = {name: task[name] for name in task if name in LIMITS}
    limits, fetch = _limits(of_task | dict(found.get("limits", {})))
    return Entry(
        id=found["id"],
        category=found["category"],
        program=Program(_source(folder, found), language=found.get("language", "python")),
        task=_task(task),
        limits=limits,
        fetch=fetch,
        verdict_in=frozenset(found["verdict_in"]),
        never=frozenset(found["never"]),
        checks=tuple(found["checks"]),
        max_wall_s=float(found["max_wall_s"]),
    )


def _source(folder: Path, found: Mapping[str, Any]) -> str:
    if found.get("source_json") is not None:
        return found["source_json"]
    # Bytes that are no UTF-8 stay recognisable as such, and line ends stay what they are.
    return (folder / found["file"]).read_bytes().decode("utf-8", "surrogateescape")


def _limits(asked: Mapping[str, Any]) -> tuple[Limits, tuple[str, ...]]:
    fetch = tuple(asked.get("fetch_files", ()))
    unknown = set(asked) - set(LIMITS) - {"fetch_files"}
    if unknown:
        raise UnsupportedError(f"unknown limits {sorted(unknown)}")
    return Limits(**{LIMITS[name]: value for name, value in asked.items() if name in LIMITS}), fetch


def _task(task: Mapping[str, Any]) -> Task:
    unknown = set(task) - set(LIMITS) - OF_TASKS - REMARKS
    if unknown:
        raise UnsupportedError(f"its task asks for unknown {sorted(unknown)}")
    compare = _checker(task)
    if task["type"] == "stdio" and "generated" in task:
        return _generated(task["generated"], compare)
    if task["type"] == "stdio":
        return Task(tuple(StdioCase(test["stdin"], test["expected_stdout"]) for test in task["tests"]), compare)
    if task["type"] == "call":
        tests = (CallCase(task["fn_name"], tuple(test["args"]), test["expected"]) for test in task["tests"])
        return Task(tuple(tests), compare)
    if task["type"] == "assert":
        return Task((AssertCase(task["test"], entry_point=task["entry_point"]),), compare)
    raise UnsupportedError(f"unknown task type {task['type']!r}")


def _checker(task: Mapping[str, Any]) -> Checker:
    asked = task.get("checker", {"kind": "lines", "tuple_as_list": task.get("accept_tuple_as_list", False)})
    try:
        return checker(asked)
    except ValueError as error:
        raise UnsupportedError(f"unknown checker {asked}: {error}") from error


def _generated(words: str, compare: Checker) -> Task:
    match = EVERY_SECOND.fullmatch(words)
    if not match:
        raise UnsupportedError(f"does not know how to generate {words!r}")
    factor, modulus, count = map(int, match.groups())
    tokens = [str(i * factor % modulus) for i in range(count)]
    return Task((StdioCase(" ".join(tokens), _lines(tokens[::2])),), EverySecond(compare))


def _lines(tokens: list[str]) -> str:
    return "\n".join(tokens) + "\n"


@dataclass(frozen=True)
class EverySecond:
    """Accepts every second token of the input, from the first or from the second: the words leave that open.

    Attributes:
        compare: Compares with each of the two.
        name: What results call it.
    """

    compare: Checker
    name: str = field(default="every_second", init=False)

    def compare_output(self, stdin: bytes, output: bytes, expected: bytes) -> Check:
        """Compare with the expected output, then with the other half of the tokens."""
        first = self.compare.compare_output(stdin, output, expected)
        if first.accepted:
            return first
        other = _lines(stdin.decode().split()[1::2]).encode()
        second = self.compare.compare_output(stdin, output, other)
        return second if second.accepted else first

    def compare_values(self, value: object, expected: object) -> Check:
        """Compare values as the inner checker does."""
        return self.compare.compare_values(value, expected)


def _own_plain() -> Entry:
    tests = tuple(StdioCase(f"{a} {b}\n", f"{a + b}\n") for a, b in ((1, 2), (17, -4), (10**12, 1)))
    source = "a, b = map(int, input().split())\nprint(a + b)\n"
    limits = Limits(cpu_s=2, memory_mb=256, output_kb=1024, processes=16)
    return Entry(PLAIN, "benign", Program(source), Task(tests), limits)
