"""Ranks that train together hold the same weights, and stop together."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch.distributed as dist
import two_ranks
from hypothesis import given
from hypothesis import strategies as st

from mars import Component, Reward, RewardSystem, Score, Status
from mars.audit.rollouts import read_rollouts
from mars.declaring import Kind
from mars.weighting.batch import Batch
from mars.weighting.task import Task, WeighedSource
from trainers.ranks import LONGEST, pooled, slim

TASK = Task("default", {"a": WeighedSource(1.0, Kind.METRIC), "b": WeighedSource(0.5, Kind.METRIC)})
SCRIPT = Path(two_ranks.__file__)


@pytest.fixture(scope="module")
def found(nonsense: str, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What two ranks did together, by rank."""
    if not (dist.is_available() and dist.is_gloo_available()):
        pytest.skip("torch was built without gloo, which ranks on CPUs need")
    folder = tmp_path_factory.mktemp("ranks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_addr", "127.0.0.1"]
    command += ["--master_port", str(port), str(SCRIPT), nonsense, str(folder)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "CUDA_VISIBLE_DEVICES": ""}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)
    assert ended.returncode == 0, ended.stderr[-4000:]
    return [pickle.loads((folder / f"rank-{rank}.pickle").read_bytes()) | {"folder": folder} for rank in range(2)]


def test_ranks_hold_equal_weights_bit_for_bit(found: list[dict[str, Any]]) -> None:
    first, second = (rank["whole"] for rank in found)
    assert first == second
    assert first["weights"] != repr({"*": {"length": 1.0, "two_ranks_digits": 1.0, "repetition": 0.5}})


def test_the_weights_are_those_of_one_process_that_scored_everything(found: list[dict[str, Any]]) -> None:
    steps = list(zip(*(rank["scored"] for rank in found), strict=True))
    assert len(steps) == two_ranks.STEPS / 2, "one batch was scored for two steps"
    prompts = [{reward.group for reward in rewards} for rewards in steps[0]]
    assert prompts[0] & prompts[1], "a group is divided between the ranks"
    two_ranks.register()
    with RewardSystem(two_ranks.SETTINGS) as system:
        for first, second in steps:
            system.update([*first, *second])
        assert repr(system.weights()) == found[0]["whole"]["weights"]


def test_ranks_that_are_resumed_within_a_generation_go_on_as_if_they_had_never_stopped(
    found: list[dict[str, Any]],
) -> None:
    for rank in found:
        assert rank["resumed"] == rank["whole"]


def test_a_state_that_only_the_first_rank_can_see_reaches_all(found: list[dict[str, Any]]) -> None:
    assert found[0]["loaded"] == found[1]["loaded"] == found[0]["whole"]["weights"]


def test_a_rank_without_rewards_stops_nobody_while_another_has_some(found: list[dict[str, Any]]) -> None:
    assert [rank["one fails"] for rank in found] == [None, None]


def test_where_no_rank_has_rewards_all_stop_for_the_same_reason(found: list[dict[str, Any]]) -> None:
    first, second = (rank["all fail"] for rank in found)
    assert first == second
    assert "no sample got a reward" in first
    assert "every grader is down" in first


def test_every_rank_shows_its_monitors_the_completions_of_all(found: list[dict[str, Any]]) -> None:
    first, second = (rank["watched"]["shown"] for rank in found)
    assert first == second
    assert [len(shown) for shown in first] == [8, 8 + 3], "a prompt's group, and the canaries once they are due"


def test_the_first_rank_alone_keeps_completions_and_keeps_those_of_all(found: list[dict[str, Any]]) -> None:
    steps = list(read_rollouts(found[0]["folder"] / "watched" / "rollouts"))
    kept = [[each.seen.sample.completion for each in rollouts] for _, rollouts in steps]
    assert [number for number, _ in steps] == [1, 3], "one batch was scored for two steps"
    assert kept == found[0]["watched"]["shown"]
    assert [sum(each.canary for each in rollouts) for _, rollouts in steps] == [0, 3]


def test_an_alarm_of_the_first_rank_stops_all_at_the_same_step(found: list[dict[str, Any]]) -> None:
    first, second = (rank["watched"] for rank in found)
    assert first["steps"] == second["steps"] == 3
    assert first["halted"] == second["halted"]
    assert first["halted"].explanation == "the first rank is alarmed"
    assert first["parameters"] == second["parameters"]


def test_a_signal_to_one_rank_stops_all_after_the_same_step(found: list[dict[str, Any]]) -> None:
    assert [(rank["unasked"], rank["asked"]) for rank in found] == [(False, True)] * 2


def test_one_process_pools_nothing() -> None:
    rewards = [made(0.5, 1.0, "p")]
    assert pooled(rewards) is rewards


def made(first: float, second: float | None, group: str | None) -> Reward:
    """A reward of two sources, the second of which may have failed."""
    failed = Score.failed(Status.ERROR, "it broke")
    said = [Score(first, reason="because"), failed if second is None else Score(second, details={"length": 3})]
    parts = [Component(n, s, 1.0, s.value, s.value or 0.0) for n, s in zip("ab", said, strict=True)]
    return Reward(first + (second or 0.0), Status.OK, "because", tuple(parts), "default", group)


values = st.floats(0, 1)


@given(st.lists(st.builds(made, values, st.none() | values, st.none() | st.sampled_from(["p", "q" * 999])), min_size=1))
def test_what_strategies_measure_is_the_same_of_slim_rewards(rewards: list[Reward]) -> None:
    whole, light = Batch(TASK, rewards), Batch(TASK, [slim(reward) for reward in rewards])
    for name in TASK.sources:
        assert whole.by_group(name) == light.by_group(name)
        assert whole.variance_within(name) == light.variance_within(name)


def test_a_slim_reward_keeps_numbers_and_drops_prose() -> None:
    details = {"rates": {"words": 12.0}, "stage": "rule", "right": True, "text": "x" * (LONGEST + 1), "stages": [1, 2]}
    score = Score(1.0, reason="a long story", details=details)
    reward = Reward(1.0, Status.OK, "a long story", (Component("a", score, 1.0, 1.0, 1.0),), "default", "a prompt")
    light = slim(reward)
    assert light["a"].score.details == {"rates": {"words": 12.0}, "stage": "rule", "right": True}
    assert (light.reason, light["a"].score.reason) == ("", "")
    assert len(light.group or "") == 32


def test_a_slim_reward_without_a_total_still_says_why() -> None:
    reward = Reward(None, Status.ERROR, "no reward: it broke", (), "default")
    assert slim(reward) == reward
