"""MARS: rewards for reinforcement learning of LLM reasoners, defined once and the same everywhere."""

from mars.errors import ConfigError, DataError, MarsError, RegistryError, TrainingError
from mars.registry import Kind, reward
from mars.signature import Settings
from mars.system import RewardSystem
from mars.types import Component, Reward, Sample, Score, Status

__version__ = "0.1.0"

__all__ = [
    "Component",
    "ConfigError",
    "DataError",
    "Kind",
    "MarsError",
    "RegistryError",
    "Reward",
    "RewardSystem",
    "Sample",
    "Score",
    "Settings",
    "Status",
    "TrainingError",
    "reward",
]
