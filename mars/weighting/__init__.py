"""Weighting strategies: what each source's value counts for, by task."""

from mars.weighting.batch import Batch
from mars.weighting.bounds import Bounds
from mars.weighting.protocol import Stateless, Strategy, Weighting
from mars.weighting.static import StaticWeighting
from mars.weighting.strategies import NoSettings, strategy
from mars.weighting.task import Task, WeighedSource

__all__ = [
    "Batch",
    "Bounds",
    "NoSettings",
    "Stateless",
    "StaticWeighting",
    "Strategy",
    "Task",
    "WeighedSource",
    "Weighting",
    "strategy",
]
