"""The functions that TRL is given say what the system says, row for row."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars import ConfigError, RewardSystem, Sample, Score, Status, reward
from mars.adapters.trl import TotalReward, aggregation_of, current_weights, reward_functions, reward_weights
from mars.rows import Columns
from mars.types import Usage

BY_TASK = {"a": {"sources": {"exact": 1}}, "b": {"sources": {"exact": 2}}}
GATED = {"sources": {"exact": 1.0, "length": {"weight": 0.5, "settings": {"limit": 10}}}, "gate": "exact"}
SUMMED = {"sources": {"exact": 1.0, "length": {"weight": 0.5, "settings": {"limit": 10}}}, "weighting": "static"}
PROMPTS = [[{"role": "user", "content": "2+2"}]] * 4
COMPLETIONS = [[{"role": "assistant", "content": text}] for text in ("4", "5", "4 and more", "")]
REFERENCES = {"reference": ["4"] * 4}


def call(function: Any, **more: Any) -> list[float | None]:
    return function(prompts=PROMPTS, completions=COMPLETIONS, completion_ids=[[1]] * 4, **REFERENCES, **more)


def weighted(functions: list[Any]) -> list[float]:
    """What TRL makes of the functions: the sum of weight times value, without the Nones."""
    columns = [call(function) for function in functions]
    weights = reward_weights(functions)
    return [
        sum(w * v for w, v in zip(weights, row, strict=True) if v is not None) for row in zip(*columns, strict=True)
    ]


@pytest.mark.parametrize("settings", [GATED, SUMMED], ids=["gated", "summed"])
def test_what_trl_adds_up_is_the_systems_total(settings: dict[str, Any]) -> None:
    with RewardSystem(settings) as system:
        samples = [Sample(c[0]["content"], "2+2", "4") for c in COMPLETIONS]
        assert weighted(reward_functions(system)) == pytest.approx([r.total for r in system.score(samples)])


def test_each_source_is_a_function_under_its_own_name() -> None:
    with RewardSystem(SUMMED) as system:
        functions = reward_functions(system)
        assert [function.__name__ for function in functions] == ["exact", "length"]
        assert reward_weights(functions) == [1.0, 0.5]


def test_a_gate_needs_the_total_and_leaves_the_sources_for_the_log() -> None:
    with RewardSystem(GATED) as system:
        functions = reward_functions(system)
        assert [f.__name__ for f in functions] == ["total", "exact", "length"]
        assert reward_weights(functions) == current_weights(functions) == [1.0, 0.0, 0.0]
        assert isinstance(functions[0], TotalReward)


def test_separate_is_refused_where_it_would_change_the_total() -> None:
    with RewardSystem({"sources": {"exact": 1, "length": 1}, "tasks": BY_TASK}) as system:
        with pytest.raises(ConfigError, match="another weight"):
            reward_functions(system, mode="separate")
        assert isinstance(reward_functions(system, mode="auto")[0], TotalReward)


SPOKEN = st.text("ab", max_size=4)
"""A right answer begins with an `a`; in the longest nothing can be told."""


@pytest.fixture(scope="module")
def gated() -> Iterator[RewardSystem]:
    @reward("trl_begins", kind="verifier", deadline=None)
    def begins(completion: str) -> Score:
        return Score.failed(Status.UNDECIDED, "?") if len(completion) == 4 else Score(completion.startswith("a"))

    @reward("trl_penalty", kind="penalty", range=(-1, 0), deadline=None)
    def penalty(completion: str) -> Score:
        return Score.failed(Status.ERROR, "!") if len(completion) == 3 else Score(-completion.count("b") / 4)

    sources = {"trl_begins": 1.5, "trl_penalty": 0.3, "length": {"weight": 0.7, "settings": {"limit": 3}}}
    with RewardSystem(
        {"sources": sources | {"only_logged": {"source": "length", "weight": 0.0}}, "gate": "trl_begins"}
    ) as system:
        yield system


@given(completions=st.lists(SPOKEN, min_size=1, max_size=8), moved=st.booleans())
def test_source_by_source_a_gate_adds_up_to_the_same_total(
    gated: RewardSystem, completions: list[str], moved: bool
) -> None:
    functions = reward_functions(gated, mode="separate")
    if moved:
        gated.update(gated.score([Sample(text, "p") for text in completions]))
    weights = current_weights(functions)
    asked = {"prompts": ["p"] * len(completions), "completions": completions}
    rows = list(zip(*(function(**asked) for function in functions), strict=True))
    for row, expected in zip(rows, gated.score([Sample(text, "p") for text in completions]), strict=True):
        if expected.total is None:
            assert set(row) == {None}
        else:
            total = sum(weight * value for weight, value in zip(weights, row, strict=True) if value is not None)
            assert total == pytest.approx(expected.total, abs=1e-6)


def test_what_is_only_logged_says_its_own_value_behind_a_closed_gate(gated: RewardSystem) -> None:
    asked = {"prompts": ["p"], "completions": ["bb"]}
    composed, separate = (
        {function.__name__: function(**asked) for function in reward_functions(gated, mode=mode)}
        for mode in ("composed", "separate")
    )
    assert (composed["trl_penalty"], separate["trl_penalty"]) == ([-0.5], [0.0])
    assert composed["only_logged"] == separate["only_logged"] != [0.0]


class _Awakening:
    """A weighting of the user's own, which does not say that it moves: shaping counts from the first update on."""

    def __init__(self) -> None:
        self.updates = 0

    def weights(self, task: str) -> dict[str, float]:
        return {"exact": 1.0, "length": float(self.updates) if task != "other" else 0.0}

    def update(self, batch: Any) -> None:
        self.updates += 1

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Any) -> None:
        pass


def test_a_weight_that_was_0_at_the_start_leaves_the_gate_closed() -> None:
    with RewardSystem({"sources": {"exact": 1, "length": 1}, "gate": "exact"}, weighting=_Awakening()) as system:
        functions = reward_functions(system, mode="separate")
        system.update([])
        assert current_weights(functions) == [1.0, 1.0]
        rows = list(zip(*(call(function) for function in functions), strict=True))
        totals = [reward.total for reward in functions[0].scorer.rewards]
        assert [sum(row) for row in rows] == pytest.approx(totals)
        assert 0.0 in totals


def test_tasks_whose_weights_may_part_later_are_composed_from_the_start() -> None:
    tasks = {name: {"sources": ["exact", "length"], "gate": None} for name in ("one", "other")}
    with RewardSystem({"sources": {"exact": 1, "length": 1}, "tasks": tasks}, weighting=_Awakening()) as system:
        assert reward_functions(system)[0].__name__ == "total"


def test_decoupled_normalisation_gets_each_source_as_its_gate_leaves_it() -> None:
    with RewardSystem(GATED | {"weighting": "gdpo"}) as system:
        assert aggregation_of(system) == "normalize_then_sum"
        functions = reward_functions(system)
        assert [f.__name__ for f in functions] == ["exact", "length"]
        exact, length = (call(f) for f in functions)
        assert exact == [1.0, 0.0, 0.0, 0.0]
        assert length[0] != 0.0
        assert length[1:] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("changes", "mode", "why"),
    [
        ({}, "composed", "composed gives one total"),
        ({"tasks": BY_TASK}, "auto", "'exact' another weight"),
    ],
    ids=["composed", "weights by task"],
)
def test_decoupled_normalisation_of_what_is_one_total_is_refused(changes: dict[str, Any], mode: Any, why: str) -> None:
    settings = {"sources": {"exact": 1, "length": 1}, "weighting": "gdpo"} | changes
    with RewardSystem(settings) as system, pytest.raises(ConfigError, match=why):
        reward_functions(system, mode=mode)


def test_each_task_has_its_own_curve() -> None:
    logs: dict[str, float] = {}
    tasks = {"maths": {"sources": {"exact": 1, "length": 0.2}}, "code": {"sources": {"exact": 2, "repetition": 0.1}}}
    with RewardSystem({"sources": {"exact": 1, "length": 1, "repetition": 1}, "tasks": tasks}) as system:
        call(reward_functions(system)[0], task=["maths", "code", "maths", "maths"], log_metric=logs.__setitem__)
    weights = {name.removeprefix("mars/weight/"): v for name, v in logs.items() if name.startswith("mars/weight/")}
    assert weights == {"maths/exact": 1.0, "maths/length": 0.2, "code/exact": 2.0, "code/repetition": 0.1}


def test_a_source_may_not_be_called_total() -> None:
    with (
        RewardSystem({"sources": {"total": {"source": "length"}}}) as system,
        pytest.raises(ConfigError, match="rename"),
    ):
        reward_functions(system)


def test_a_batch_is_scored_once_for_all_functions() -> None:
    seen: list[str] = []

    @reward("test_counted", deadline=None)
    def counted(completion: str) -> float:
        seen.append(completion)
        return 1.0

    with RewardSystem({"sources": {"test_counted": 1, "length": 1}}) as system:
        for function in reward_functions(system):
            call(function)
    assert sorted(seen) == sorted({c[0]["content"] for c in COMPLETIONS})


def test_a_masked_row_is_none_in_every_function() -> None:
    @reward("test_unsure", kind="verifier", deadline=None)
    def unsure(completion: str) -> float:
        if completion == "5":
            raise ValueError("cannot read a five")
        return 1.0

    with RewardSystem({"sources": {"test_unsure": 1, "length": 1}, "weighting": "static"}) as system:
        first, second = reward_functions(system)
        assert [value is None for value in call(first)] == [False, True, False, False]
        # `length` has a value for the second row; beside real rewards it would count as "wrong but short".
        assert [value is None for value in call(second)] == [False, True, False, False]


def test_what_is_logged_names_statuses_weights_accuracy_and_time() -> None:
    logs: dict[str, float] = {}
    columns: dict[str, list[Any]] = {}
    with RewardSystem(GATED) as system:
        call(
            reward_functions(system)[0], log_metric=logs.__setitem__, log_extra=columns.__setitem__, trainer_state=None
        )
    assert logs["mars/exact/ok"] == 1.0
    assert logs["mars/exact/value"] == logs["mars/accuracy/default"] == 0.25
    assert logs["mars/weight/length"] == 0.5
    assert logs["mars/masked"] == 0.0
    assert logs["mars/seconds"] > 0
    assert columns["status"] == [Status.OK] * 4
    assert "is the reference" in columns["reason"][0]


def test_the_stages_of_a_cascade_and_what_it_cost_are_logged() -> None:
    @reward("test_rule", kind="verifier", deadline=None)
    def test_rule(completion: str) -> Score:
        return Score.failed(Status.UNDECIDED, "?") if completion == "" else Score(float(completion == "4"))

    @reward("test_model", kind="judge", deadline=None)
    def test_model(completion: str) -> Score:
        return Score(float("4" in completion), usage=Usage(calls=1, prompt_tokens=10, completion_tokens=2, money=0.5))

    logs: dict[str, float] = {}
    sources = {"right": {"cascade": ["test_rule", "test_model"], "negatives": 1.0}, "length": 0.5}
    with RewardSystem({"sources": sources}) as system:
        call(reward_functions(system)[0], log_metric=logs.__setitem__)
    assert logs["mars/right/stage/test_rule/share"] == 1.0
    assert logs["mars/right/stage/test_model/share"] == 0.75
    assert logs["mars/right/stage/test_rule/wrong_negatives"] == 0.5
    assert (logs["mars/right/tokens"], logs["mars/right/money"], logs["mars/right/cached"]) == (36, 1.5, 0)
    assert not [name for name in logs if name.startswith(("mars/length/tokens", "mars/length/stage"))]


def test_a_stage_that_nobody_needed_is_logged_as_such() -> None:
    """Trainers average a log over the steps that have it: left out, the others would look like all of them."""
    logs: dict[str, float] = {}
    with RewardSystem({"sources": {"right": {"cascade": ["exact", "numeric"]}}}) as system:
        call(reward_functions(system)[0], log_metric=logs.__setitem__)
    assert logs["mars/right/stage/exact/share"] == 1.0
    assert logs["mars/right/stage/numeric/share"] == 0.0
    assert (logs["mars/right/tokens"], logs["mars/right/money"], logs["mars/right/cached"]) == (0, 0, 0)


def test_columns_can_be_mapped_and_a_prefilled_tag_is_put_back() -> None:
    with RewardSystem({"sources": {"format": 1}}) as system:
        [function] = reward_functions(system, columns=Columns(reference="gold"), prefix="<think>")
        scored = function(prompts=["q"], completions=["so it is</think>4"], gold=["4"])
    assert scored == [1.0]
    assert function.scorer.samples[0].reference == "4"


def test_functions_pickle_for_asynchronous_trainers() -> None:
    with RewardSystem(GATED) as system:
        functions = reward_functions(system)
        before = [call(function) for function in functions]
        copies = pickle.loads(pickle.dumps(functions))
        assert [call(copy) for copy in copies] == before
        assert copies[0].scorer is copies[1].scorer
