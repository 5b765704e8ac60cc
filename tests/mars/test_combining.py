from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.combining import Policy, Route, combine
from mars.config import GateSettings
from mars.types import Reward, Sample, Score, Status

REQUIRED, OPTIONAL = Policy(required=True), Policy(required=False)
NO_VERDICT = Score.failed(Status.UNDECIDED, "cannot tell")
SKIPPED = Score(None, Status.SKIPPED, "not mine")


def _combine(
    scores: dict[str, Score],
    weights: dict[str, float] | None = None,
    gate: str | None = None,
    policies: dict[str, Policy] | None = None,
    stand_ins: dict[str, tuple[str, Score]] | None = None,
    threshold: float = 0.5,
) -> Reward:
    weights = dict.fromkeys(scores, 1.0) | (weights or {})
    policies = dict.fromkeys(scores, OPTIONAL) | (policies or {})
    route = Route("*", tuple(scores), GateSettings(source=gate, threshold=threshold) if gate else None, None)
    return combine(route, list(scores.values()), stand_ins or {}, policies, weights, Sample("", task="task"))


@dataclass
class Case:
    why: str
    reward: Reward
    total: float | None
    status: Status = Status.OK
    shares: tuple[float, ...] | None = None
    note: str = ""


A, B = Score(1.0, reason="right"), Score(0.5)
WRONG = Score(0.0, reason="wrong")

CASES = [
    Case("a weighted sum", _combine({"a": A, "b": B}, {"b": 0.5}), 1.25, shares=(1.0, 0.25)),
    Case("negative weights subtract", _combine({"a": A, "b": B}, {"b": -1.0}), 0.5, shares=(1.0, -0.5)),
    Case("a weight of 0 is only watched", _combine({"a": A, "b": B}, {"b": 0.0}), 1.0, shares=(1.0, 0.0)),
    Case("what is not a source's to judge adds nothing", _combine({"a": A, "b": SKIPPED}), 1.0, shares=(1.0, 0.0)),
    Case(
        "a failed source that is not required is masked, and weights keep their meaning",
        _combine({"a": A, "b": NO_VERDICT}),
        1.0,
        shares=(1.0, 0.0),
        note="masked",
    ),
    Case(
        "a failed source that is required leaves no total: its absence is not a wrong answer",
        _combine({"a": A, "b": NO_VERDICT}, policies={"b": REQUIRED}),
        None,
        Status.UNDECIDED,
    ),
    Case(
        "a required source may skip what is not its to judge",
        _combine({"a": A, "b": SKIPPED}, policies={"b": REQUIRED}),
        1.0,
    ),
    Case("where all skip there is nothing to give", _combine({"a": SKIPPED}), None, Status.SKIPPED),
    Case(
        "where all are masked, a failure says why",
        _combine({"a": SKIPPED, "b": NO_VERDICT}),
        None,
        Status.UNDECIDED,
    ),
    Case(
        "a substitute is a value like any other",
        _combine({"a": A, "b": NO_VERDICT}, {"b": 2.0}, policies={"b": Policy(True, substitute=0.25)}),
        1.5,
        shares=(1.0, 0.5),
        note="counted as 0.25, as the recipe says",
    ),
    Case(
        "a stand-in's value counts with the weight of the source that failed",
        _combine({"a": A, "b": NO_VERDICT}, {"b": 2.0}, policies={"b": REQUIRED}, stand_ins={"b": ("c", B)}),
        2.0,
        shares=(1.0, 1.0),
        note="c stood in: ",
    ),
    Case(
        "a stand-in that skips leaves the substitute",
        _combine({"b": NO_VERDICT}, policies={"b": Policy(True, 0.5)}, stand_ins={"b": ("c", SKIPPED)}),
        0.5,
    ),
    Case("an open gate lets all count", _combine({"g": A, "b": B}, gate="g"), 1.5, shares=(1.0, 0.5)),
    Case(
        "a closed gate leaves its own share",
        _combine({"g": WRONG, "b": B}, gate="g"),
        0.0,
        shares=(0.0, 0.0),
        note="not counted: g is below 0.5",
    ),
    Case(
        "the gate need not come first, and penalties are gated too",
        _combine({"b": Score(-1.0), "g": Score(0.25)}, gate="g"),
        0.25,
        shares=(0.0, 0.25),
    ),
    Case("the threshold itself is enough", _combine({"g": B, "b": A}, gate="g"), 1.5),
    Case("another threshold", _combine({"g": B, "b": A}, gate="g", threshold=0.75), 0.5),
    Case(
        "a gate without a verdict is neither open nor closed",
        _combine({"g": NO_VERDICT, "b": B}, gate="g"),
        None,
        Status.UNDECIDED,
    ),
    Case("a gate that skips has no verdict either", _combine({"g": SKIPPED, "b": B}, gate="g"), None, Status.SKIPPED),
    Case(
        "a gate's substitute opens it or closes it",
        _combine({"g": NO_VERDICT, "b": B}, gate="g", policies={"g": Policy(True, substitute=0.0)}),
        0.0,
    ),
    Case(
        "a gate's stand-in opens it or closes it",
        _combine({"g": NO_VERDICT, "b": B}, gate="g", stand_ins={"g": ("c", A)}),
        1.5,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.why)
def test_what_becomes_of_the_scores(case: Case) -> None:
    reward = case.reward
    assert (reward.total, reward.status) == (case.total, case.status)
    if case.shares is not None:
        assert tuple(part.share for part in reward.components) == case.shares
    assert case.note in [part.note for part in reward.components] or not case.note


def test_the_reason_names_every_source_and_what_was_done() -> None:
    reward = _combine({"g": WRONG, "b": B, "c": NO_VERDICT}, gate="g", policies={"c": Policy(False, 0.5)})
    assert reward.reason == (
        "g 0 (wrong); b 0.5 [not counted: g is below 0.5]; c 0.5 (undecided: cannot tell; not counted: g is below 0.5)"
    )


def test_a_sample_without_a_reward_says_for_want_of_which_source() -> None:
    reward = _combine({"a": A, "b": NO_VERDICT}, policies={"b": REQUIRED})
    assert reward.reason == "no reward: b is undecided: cannot tell"
    assert reward["a"].value == 1.0  # what the others said is still there to be read


values = st.floats(-1e6, 1e6)
any_score = st.one_of(
    st.builds(Score, values, reason=st.text(max_size=3)),
    st.sampled_from([Status.UNDECIDED, Status.ERROR, Status.TIMEOUT]).map(lambda status: Score.failed(status, "why")),
    st.just(SKIPPED),
)
policies = st.builds(Policy, st.booleans(), st.none() | values)


@given(st.data())
def test_a_total_is_the_sum_of_its_shares_and_components_keep_their_order(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True))
    scores = {name: data.draw(any_score) for name in names}
    reward = _combine(
        scores,
        {name: data.draw(st.floats(-10, 10)) for name in names},
        data.draw(st.none() | st.sampled_from(names)),
        {name: data.draw(policies) for name in names},
        {name: ("z", data.draw(any_score)) for name in names if data.draw(st.booleans())},
        data.draw(values),
    )
    assert [part.name for part in reward.components] == names
    assert [part.score for part in reward.components] == list(scores.values())
    assert (reward.total is None) is (reward.status is not Status.OK)
    assert all(part.share == 0 for part in reward.components if part.value is None)
    if reward.total is not None:
        assert reward.total == pytest.approx(sum(part.share for part in reward.components), abs=1e-6)
    else:
        assert reward.status in {part.score.status for part in reward.components}
    assert Reward.from_dict(reward.to_dict()) == reward
