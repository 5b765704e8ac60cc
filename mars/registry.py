"""The registry: `@reward(...)` turns a plain function into a reward source that every part of MARS can use.

The decorator only tags: the function it returns is the function it was given. Sources are found by name, come from
`mars.sources`, from any module that was imported, and from packages that declare the entry-point group `mars.rewards`.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from mars.declaring import (
    Kind,
    checked_concurrency,
    checked_deadline,
    checked_kind,
    checked_memory,
    checked_name,
    checked_range,
)
from mars.errors import RegistryError, did_you_mean
from mars.plugins import checked_settings, load_packages, told_of
from mars.recipe import fingerprint
from mars.signature import Signature, options_model, read
from mars.stamping import function_digest, stamped
from mars.types import Sample

GROUP = "mars.rewards"
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class RewardSource:
    """A registered reward function and what was declared of it.

    Attributes:
        name: The name that recipes use.
        function: The function itself, unchanged.
        kind: Verifier, judge, metric or penalty.
        range: The lowest and highest value it may return; anything outside is an error.
        settings: The pydantic model of its options.
        signature: What it asks for.
        isolated: Whether it must run in a killable worker process (it may hang, crash or eat memory).
        deadline: Seconds that one call may take; `None`: it is trusted to be quick and runs in line.
        memory_mb: MiB that one call may allocate in its worker.
        independent: Whether each verdict depends on its own sample alone, so identical inputs are computed once.
        example: A sample that it can score, shown by `mars sources NAME` and used by `mars check`.
        version: Changes when verdicts may change; part of every result's fingerprint.
        warm_up: Run once in each worker process before its first call, outside any deadline.
        opens: Makes what the source works with (a sandbox, a client, a model) of its settings and the engine.
        concurrency: Most calls of one submission that are awaited at once, if it is async.
        of_correctness: Whether, as a judge, its opinion is of what a verifier of the task would decide.
    """

    name: str
    function: Callable[..., Any]
    kind: Kind
    range: tuple[float, float]
    settings: type[BaseModel]
    signature: Signature
    isolated: bool
    deadline: float | None
    memory_mb: int
    independent: bool
    example: Sample | None
    version: str
    warm_up: Callable[[], object] | None = None
    opens: Callable[[Any, Any], Any] | None = None
    concurrency: int = 64
    of_correctness: bool = True

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]

    @property
    def origin(self) -> str:
        """Where the function is defined, `module.function`."""
        return f"{self.function.__module__}.{self.function.__qualname__}"

    @property
    def required_settings(self) -> list[str]:
        """The names of the options that have no default."""
        return [name for name, field in self.settings.model_fields.items() if field.is_required()]

    def with_deadline(self, deadline: float) -> RewardSource:
        """Return the same source with another deadline in seconds."""
        return replace(self, deadline=deadline)

    def configure(self, settings: Mapping[str, Any] | None = None, alias: str | None = None) -> BoundSource:
        """Bind settings to the source.

        Args:
            settings: Values for its options.
            alias: The name it goes by in a recipe; its own name when not given.

        Raises:
            ConfigError: When an option is unknown, missing or of the wrong type; the message names it.
        """
        checked = checked_settings(self.settings, settings or {}, f"source {self.name!r}", ("settings",))
        return BoundSource(alias or self.name, self, checked)


@dataclass(frozen=True)
class BoundSource:
    """A source with its settings: all that is needed to score. Pickles by name, so that a worker can rebuild it.

    Attributes:
        alias: The name it goes by in a recipe.
        source: The source.
        settings: Its settings.
        opened: What its `opens` returned, once an engine has opened it; it stays in its process.
    """

    alias: str
    source: RewardSource
    settings: BaseModel
    opened: Any = field(default=None, compare=False, repr=False)

    def options(self) -> dict[str, Any]:
        """Return the keyword arguments that carry the settings into the function."""
        signature = self.source.signature
        options: dict[str, Any] = {name: getattr(self.settings, name) for name in signature.options}
        if signature.wants_settings:
            options["settings"] = self.settings
        if signature.wants_opened:
            options["opened"] = self.opened
        return options

    def fingerprint(self) -> str:
        """Return what its verdicts depend on besides the input: source, version, the function's code and settings."""
        code = function_digest(self.source.function)
        return f"{self.source.name}@{self.source.version}+{code}:{fingerprint(stamped(self.settings))}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the place to import and the settings as plain data."""
        place = Place.of(self.source.function)
        settings = self.settings.model_dump(exclude_unset=True)
        return _rebuild, (place, self.source.name, settings, self.alias, self.source.deadline)


@dataclass(frozen=True)
class Place:
    """Where a worker process finds a function: a module, or the file of a main script."""

    module: str
    file: str | None = None

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Place:
        """Return the place of a function, which must be importable."""
        if "<locals>" in function.__qualname__ or "<lambda>" in function.__qualname__:
            raise RegistryError(
                f"{function.__module__}.{function.__qualname__} is defined inside a function, so no other process can "
                "import it; define it at the top of a module"
            )
        # A process that multiprocessing spawned has its parent's main script under another name.
        if function.__module__ not in ("__main__", "__mp_main__"):
            return cls(function.__module__)
        main = sys.modules[function.__module__]
        if spec := getattr(main, "__spec__", None):
            return cls(spec.name)
        if file := getattr(main, "__file__", None):
            return cls("__main__", file)
        raise RegistryError(
            f"{function.__qualname__} is defined at a prompt; put it in a file so workers can import it"
        )

    def load(self) -> None:
        """Import the place, which registers its sources. A place that fails to import registers none."""
        before = dict(_sources)
        try:
            if self.file is None:
                importlib.import_module(self.module)
            else:
                import runpy

                runpy.run_path(self.file, run_name="__mars_worker__")
        except BaseException:
            _sources.clear()
            _sources.update(before)
            raise


def _rebuild(place: Place, name: str, settings: dict[str, Any], alias: str, deadline: float | None) -> BoundSource:
    if name not in _sources:
        place.load()
    return replace(get(name), deadline=deadline).configure(settings, alias)


_sources: dict[str, RewardSource] = {}
_broken_plugins: dict[str, str] = {}
_plugins_loaded = False
_loading = threading.RLock()


def reward(
    name: str,
    *,
    kind: Kind | str = Kind.METRIC,
    range: tuple[float, float] = (0.0, 1.0),
    settings: type[BaseModel] | None = None,
    isolated: bool = False,
    deadline: float | None = 10.0,
    memory_mb: int = 1024,
    batch: bool | None = None,
    independent: bool | None = None,
    example: Sample | None = None,
    version: str = "1",
    warm_up: Callable[[], object] | None = None,
    opens: Callable[[Any, Any], Any] | None = None,
    concurrency: int = 64,
    of_correctness: bool = True,
) -> Callable[[Function], Function]:
    """Register a plain function as a reward source.

    The function asks for what it needs by argument name: `completion`, `reference`, `prompt`, `task`, `group`, `sample`
    or any data column; in the plural for a batch. Keyword-only arguments are its settings. It may be async. It returns
    a `float`, a `bool`, a `Score`, or `None` for "not mine to judge"; for a batch, a list of these.

        @reward("ends_politely", range=(0, 1))
        def ends_politely(completion: str, *, phrase: str = "thank you") -> bool:
            return completion.rstrip(" .!").lower().endswith(phrase)

    Args:
        name: The name that recipes use.
        kind: `verifier`, `judge`, `metric` or `penalty`.
        range: The lowest and highest value it may return.
        settings: A pydantic model of its options, when keyword-only arguments are not enough; the function then takes
            an argument named `settings`.
        isolated: Run it in a killable worker process with a memory limit.
        deadline: Seconds that one call (one sample, or one batch) may take. `None`: trusted to be quick, run in line.
        memory_mb: MiB that one call may allocate when isolated.
        batch: Whether it takes a batch; by default read from its argument names.
        independent: Whether each verdict depends on its own sample alone, so that identical inputs are computed once.
            By default true for functions of one sample, false for functions of a batch.
        example: A sample that it can score.
        version: Change it when verdicts change.
        warm_up: What an isolated source needs once in each worker (a heavy import, tables to build), so that no
            sample's deadline pays for it.
        opens: Called once an engine with the settings object and the engine; what it returns (a sandbox, a client, a
            model) arrives as the argument named `opened`, and is closed with the engine if it has `close()`.
        concurrency: Most calls of one submission that are awaited at once, for an async function of one sample.
        of_correctness: Whether a judge's opinion is of what a verifier of the task would decide. One of safety or style
            is not, and unless a recipe says so no weighting holds it against a verifier.

    Returns:
        The decorator, which returns the function unchanged.

    Raises:
        RegistryError: When the name is taken, or the function or its options cannot be registered as written.
    """

    def register(function: Function) -> Function:
        signature = read(function, settings, batch)
        known_kind = checked_kind(name, kind)
        source = RewardSource(
            name=checked_name(name),
            function=function,
            kind=known_kind,
            range=checked_range(name, range, known_kind),
            settings=settings or options_model(function, signature.options),
            signature=signature,
            isolated=isolated,
            deadline=checked_deadline(name, deadline, isolated),
            memory_mb=checked_memory(name, memory_mb),
            independent=not signature.batch if independent is None else independent,
            example=example,
            version=version,
            warm_up=warm_up,
            opens=opens,
            concurrency=checked_concurrency(name, concurrency),
            of_correctness=of_correctness,
        )
        _check_opens(source)
        if isolated:
            Place.of(function)
        _add(source)
        return function

    return register


def _add(source: RewardSource) -> None:
    known = _sources.get(source.name)
    # A module that is imported again (a notebook's reload, a main script in a worker) replaces its own sources.
    same_place = known is not None and _where(known.function) == _where(source.function)
    if known is not None and not same_place:
        raise RegistryError(
            f"reward source {source.name!r} is registered twice: by {known.origin} and by {source.origin}; rename one"
        )
    _sources[source.name] = source


def _where(function: Callable[..., Any]) -> tuple[str, str]:
    code = getattr(function, "__code__", None)
    if function.__module__ == "__main__" and code is not None and not Path(code.co_filename).is_file():
        return "__main__", function.__qualname__  # a notebook's cell that is run again has another file name
    return (code.co_filename if code else function.__module__), function.__qualname__


def _check_opens(source: RewardSource) -> None:
    if (source.opens is not None) is not source.signature.wants_opened:
        raise RegistryError(
            f"source {source.name!r}: opens=... and an argument named 'opened' belong together; it has only one of them"
        )
    if source.opens is not None and source.isolated:
        raise RegistryError(
            f"source {source.name!r}: what it opens stays in this process, and isolated=True runs it in another; "
            "use warm_up=... there"
        )


def get(name: str) -> RewardSource:
    """Return the source registered under `name`.

    Raises:
        RegistryError: When there is none; the message has the nearest name and any plug-in that failed to load.
    """
    if name not in _sources:
        load_plugins()
    if name not in _sources:
        raise RegistryError(f"no reward source {name!r}.{did_you_mean(name, _sources)}{told_of(_broken_plugins)}")
    return _sources[name]


def names() -> list[str]:
    """Return the names of all sources, built in, imported and from packages, sorted."""
    load_plugins()
    return sorted(_sources)


def load_plugins() -> None:
    """Import the built-in sources and, once, every package's entry points of the group `mars.rewards`."""
    global _plugins_loaded
    # Another thread waits until all is loaded; a plug-in that asks for sources while it loads does not.
    with _loading:
        if _plugins_loaded:
            return
        _plugins_loaded = True
        try:
            importlib.import_module("mars.sources")
        except BaseException:
            _plugins_loaded = False
            raise
        load_packages(GROUP, _broken_plugins)


def broken_plugins() -> dict[str, str]:
    """Return the plug-ins that failed to load, with the reason."""
    return dict(_broken_plugins)
