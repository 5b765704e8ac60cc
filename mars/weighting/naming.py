"""The sources that a strategy's settings name: they exist, and where their weight is to move they count."""

from __future__ import annotations

from mars.errors import ConfigError, did_you_mean
from mars.weighting.task import Task


def checked_source(task: Task, name: str, *path: str) -> str:
    """Return the name of a source of the task.

    Args:
        task: The task.
        name: What the settings name.
        path: The keys below `settings` where they name it.

    Raises:
        ConfigError: When the task has no such source.
    """
    if name not in task.sources:
        known = did_you_mean(name, task.sources)
        raise ConfigError(f"{name!r} is not a source of the task {task.name!r}.{known}", ("settings", *path))
    return name


def checked_counted(task: Task, name: str, *path: str) -> str:
    """Return the name of a source of the task that counts; see `checked_source`.

    Raises:
        ConfigError: When the task has no such source, or it is only logged.
    """
    if checked_source(task, name, *path) not in task.counted:
        reason = f"{name!r} has weight 0 in the task {task.name!r}: it is only logged; give it a weight"
        raise ConfigError(reason, ("settings", *path))
    return name


def checked_movable(task: Task, name: str, *path: str) -> str:
    """Return the name of a source that counts beside others, so that its weight can move; see `checked_source`.

    Raises:
        ConfigError: When the task has no such source, or its weight cannot move.
    """
    if checked_counted(task, name, *path) in task.movable and len(task.movable) > 1:
        return name
    if not task.gate_stays:
        reason = f"only {name!r} counts in the task {task.name!r}, so its weight cannot move: the sum is constant"
    else:
        stays = "is the gate, whose weight stays" if name == task.gate else "alone counts behind the gate"
        reason = (
            f"{name!r} {stays} in the task {task.name!r}, so its weight cannot move inside 'gated'; put "
            f"the strategy beside the gate, not inside it: gate: {task.gate}, and this strategy in place of gated"
        )
    raise ConfigError(reason, ("settings", *path))
