from __future__ import annotations

import json

import pytest

from mars import ConfigError
from mars.weighting import StaticWeighting, Weighting

WEIGHTS = {"math": {"correct": 1.0, "format": 0.1}, "chat": {"format": 1.0}}


def test_each_task_has_its_weights() -> None:
    weighting: Weighting = StaticWeighting(WEIGHTS)
    assert weighting.weights("math") == {"correct": 1.0, "format": 0.1}
    assert weighting.weights("chat") == {"format": 1.0}


def test_nothing_is_learned() -> None:
    weighting = StaticWeighting(WEIGHTS)
    weighting.update([])
    assert weighting.weights("math") == WEIGHTS["math"]


def test_a_checkpoint_goes_on_with_the_same_weights_only() -> None:
    state = json.loads(json.dumps(StaticWeighting(WEIGHTS).state_dict()))
    StaticWeighting(WEIGHTS).load_state_dict(state)
    changed = StaticWeighting(WEIGHTS | {"chat": {"format": 0.5}})
    with pytest.raises(ConfigError, match=r"resume with the recipe of the run, or start a new run"):
        changed.load_state_dict(state)
    with pytest.raises(ConfigError, match="the checkpoint was trained with weights None"):
        changed.load_state_dict({"strategy": "adaptive"})
