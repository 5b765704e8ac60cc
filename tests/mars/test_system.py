from __future__ import annotations

import asyncio
import pickle
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars import ConfigError, RegistryError, Reward, RewardSystem, Sample, Score, Status, reward
from mars.execution.engine import Engine
from tests.mars.execution import pool_sources

assert pool_sources


@pytest.fixture(autouse=True)
def wordy_sources() -> None:
    """Sources that say of a completion what it says of itself: `right`, `wrong`, `lost`, `skip` ..."""

    @reward("checker", kind="verifier", deadline=None)
    def checker(completion: str) -> Score | bool | None:
        return _said(completion.split()[0])

    @reward("second", kind="judge", deadline=None)
    def second(completion: str) -> Score | bool | None:
        return _said(completion.split()[1])

    @reward("third", kind="metric", deadline=None)
    def third(completion: str) -> Score | bool | None:
        return _said(completion.split()[2])

    @reward("needs_reference", kind="verifier", deadline=None)
    def needs_reference(completion: str, reference: str) -> bool:
        return completion == reference

    @reward("half", deadline=None)
    def half(completion: str) -> float:
        return 0.5


def _said(word: str) -> Score | bool | None:
    match word:
        case "right" | "wrong":
            return word == "right"
        case "lost":
            return Score.failed(Status.UNDECIDED, "lost the thread")
        case "raise":
            raise ValueError("oh dear")
    return None


def totals(rewards: Sequence[Reward]) -> list[float | str]:
    """Return the totals, and in place of those that are missing the statuses."""
    return [reward.status.value if reward.total is None else reward.total for reward in rewards]


def system(**settings: Any) -> RewardSystem:
    return RewardSystem(settings)


def score(settings: Mapping[str, Any], *completions: str, **fields: Any) -> list[Reward]:
    with RewardSystem(settings) as rewards:
        return rewards.score([Sample(text, **fields) for text in completions])


# From samples to rewards.


def test_every_component_with_its_weight_and_the_reason_is_there() -> None:
    [found] = score({"sources": {"checker": 1.0, "half": 0.1}, "gate": "checker"}, "right")
    assert found.total == pytest.approx(1.05)
    assert found.weights == {"checker": 1.0, "half": 0.1}
    assert [part.name for part in found.components] == ["checker", "half"]
    assert found["half"].share == pytest.approx(0.05)
    assert found.reason == "checker 1; half 0.5"
    assert found.task == "default"


def test_nothing_in_nothing_out() -> None:
    assert score({"sources": {"checker": 1.0}}) == []


KINDS = [
    ({"checker": {}}, "lost x", "undecided", "a verifier without a verdict leaves no reward"),
    ({"second": {}, "half": {}}, "x lost", "undecided", "nor does a judge"),
    ({"third": {}, "half": {}}, "x x lost", 0.5, "a metric is only masked"),
    ({"third": {"required": True}, "half": {}}, "x x raise", "error", "unless it is required"),
    ({"checker": {"required": False}, "half": {}}, "raise x", 0.5, "and a verifier may be made optional"),
    ({"checker": {"on_failure": 0.25}, "half": {}}, "lost x", 0.75, "a fixed value is a reward"),
    ({"checker": {"on_failure": 0}}, "raise x", 0.0, "also where it is zero"),
    ({"checker": {}, "half": {}}, "skip x", 0.5, "not mine to judge is no failure"),
    ({"checker": {}}, "skip x", "skipped", "but of nothing else there is no reward"),
]


@pytest.mark.parametrize(("sources", "completion", "expected", "why"), KINDS, ids=[row[-1] for row in KINDS])
def test_what_a_failure_becomes(sources: dict[str, Any], completion: str, expected: float | str, why: str) -> None:
    assert totals(score({"sources": sources, "weighting": "static"}, completion)) == [expected]


FALLBACKS = [
    ("right wrong right", 1.0, "", "is not asked when the source has a verdict"),
    ("lost right wrong", 1.0, "b stood in: ", "is asked when it has none"),
    ("raise wrong right", 0.0, "b stood in: ", "whatever it says"),
    ("lost lost right", 1.0, "c stood in: ", "and if that fails too, its own"),
    ("lost lost lost", "undecided", "masked", "until nobody is left"),
    ("lost skip right", "undecided", "masked", "one that says that it is not its to judge ends the chain"),
    ("skip right right", "skipped", "", "what is not its to judge is passed to nobody"),
]


@pytest.mark.parametrize(("completion", "expected", "note", "why"), FALLBACKS, ids=[row[-1] for row in FALLBACKS])
def test_a_fallback(completion: str, expected: float | str, note: str, why: str) -> None:
    chain = {
        "a": {"source": "checker", "fallback": "b"},
        "b": {"source": "second", "fallback": "c"},
        "c": {"source": "third"},
    }
    [found] = score({"sources": chain}, completion)
    assert totals([found]) == [expected]
    assert [part.name for part in found.components] == ["a"]
    assert found["a"].note == note
    # What the source itself said is not hidden by what stood in for it.
    said = {"right": Status.OK, "lost": Status.UNDECIDED, "raise": Status.ERROR, "skip": Status.SKIPPED}
    assert found["a"].score.status is said[completion.split()[0]]


def test_a_fallback_is_asked_about_what_failed_only_and_once() -> None:
    asked: list[str] = []

    @reward("asked", deadline=None)
    def ask(completion: str) -> float:
        asked.append(completion)
        return 1.0

    sources = {
        "a": {"source": "checker", "fallback": "c"},
        "b": {"source": "second", "fallback": "c"},
        "c": {"source": "asked"},
    }
    found = score({"sources": sources, "weighting": "static"}, "right right", "lost right", "lost lost", "right lost")
    assert totals(found) == [2.0, 2.0, 2.0, 2.0]
    assert asked == ["lost right", "lost lost", "right lost"]


def test_a_fallback_that_is_scored_by_itself_too_is_not_asked_again() -> None:
    asked: list[str] = []

    @reward("asked", deadline=None)
    def ask(completion: str) -> float:
        asked.append(completion)
        return 1.0

    sources = {"a": {"source": "checker", "fallback": "c"}, "c": {"source": "asked", "weight": 0.5}}
    found = score({"sources": sources, "tasks": {"*": ["a", "c"]}}, "lost x", "right x")
    assert totals(found) == [1.5, 1.5]
    assert asked == ["lost x", "right x"]


def test_a_fallback_takes_its_sources_weight_in_this_task() -> None:
    settings = {
        "sources": {"a": {"source": "checker", "weight": 5.0, "fallback": "b"}, "b": {"source": "half", "weight": 7.0}},
        "tasks": {"t": {"sources": {"a": 2.0}}},
    }
    assert totals(score(settings, "lost x", task="t")) == [1.0]


def test_a_fallback_that_lacks_its_own_input_fails_and_the_next_is_asked() -> None:
    sources = {
        "a": {"source": "checker", "fallback": "b"},
        "b": {"source": "needs_reference", "fallback": "c"},
        "c": {"source": "half"},
    }
    [found] = score({"sources": sources}, "lost x")
    assert found.total == 0.5
    assert found["a"].note == "c stood in: "


def test_a_gate_that_was_only_a_fallback_is_scored() -> None:
    settings = {"sources": {"a": {"source": "checker", "fallback": "g"}, "g": {"source": "second"}}, "gate": "g"}
    assert totals(score(settings, "right right", "right wrong", "lost right", "right lost")) == [
        2.0,
        0.0,
        2.0,
        "undecided",
    ]


# Tasks.


def test_samples_go_to_their_tasks_sources_and_keep_their_order() -> None:
    settings = {
        "sources": {"checker": 1.0, "half": 0.1},
        "gate": "checker",
        "tasks": {"math/*": ["checker", "half"], "chat": {"sources": {"half": 1.0}}},
    }
    tasks = ["chat", "math/easy", "unknown", "math/hard", "chat"]
    with RewardSystem(settings) as rewards:
        found = rewards.score([Sample("right", task=task) for task in tasks])
        assert totals(found) == [0.5, 1.05, "error", 1.05, 0.5]
        assert [reward.task for reward in found] == tasks
        assert found[2].reason == "no sources for the task 'unknown'; the recipe has 'math/*', 'chat'"
        assert [rewards.is_correct(reward) for reward in found] == [None, True, None, True, None]


# Who says whether an answer is right.


@pytest.mark.parametrize(
    ("settings", "completion", "correct", "why"),
    [
        ({"sources": {"half": {}, "checker": {}}}, "right", True, "the first required source"),
        ({"sources": {"half": {}, "checker": {}}}, "wrong", False, "the first required source"),
        ({"sources": {"checker": {}}}, "lost", None, "without a verdict nobody"),
        ({"sources": {"checker": {}}}, "skip", None, "without a verdict nobody"),
        ({"sources": {"half": {}}}, "right", None, "where nothing is required nobody"),
        ({"sources": {"half": {}, "checker": {}}, "gate": "half"}, "wrong", True, "the gate, where there is one"),
        ({"sources": {"half": {}}, "gate": {"source": "half", "threshold": 0.75}}, "x", False, "by its threshold"),
    ],
)
def test_the_verdict(settings: dict[str, Any], completion: str, correct: bool | None, why: str) -> None:
    with RewardSystem(settings) as rewards:
        [found] = rewards.score([Sample(completion)])
        assert rewards.is_correct(found) is correct
        assert rewards.is_correct(Reward.from_dict(found.to_dict())) is correct


# Length and order, whatever fails.

words = st.sampled_from(["right", "wrong", "lost", "raise", "skip"])
completions = st.lists(st.tuples(words, words, words).map(" ".join), max_size=10)


@given(completions, st.booleans())
def test_one_reward_a_sample_in_their_order(texts: list[str], later: bool) -> None:
    samples = [Sample(text) for text in texts]
    found = asyncio.run(_SYSTEM.score_async(samples)) if later else _SYSTEM.score(samples)
    assert len(found) == len(texts)
    for text, one in zip(texts, found, strict=True):
        assert one == _SYSTEM.score([Sample(text)])[0]
        assert one["a"].score.status.failed is (text.split()[0] in ("lost", "raise"))


@reward("first_word", kind="verifier", deadline=None)
def first_word(completion: str) -> Any:
    return _said(completion.split()[0])


@reward("second_word", deadline=None)
def second_word(completion: str) -> Any:
    return _said(completion.split()[1])


_SYSTEM = RewardSystem(
    {
        "sources": {"a": {"source": "first_word", "fallback": "b"}, "b": {"source": "second_word", "on_failure": 0.25}},
        "tasks": {"*": {"sources": {"a": 1.0, "b": 0.5}, "gate": "a"}},
    }
)


def test_every_way_of_running_in_one_system_with_mixed_failures() -> None:
    @reward("later", deadline=5.0)
    async def later(completion: str) -> Any:
        await asyncio.sleep(0)
        return pool_sources.act(completion)

    sources = {name: {"required": False} for name in ("act_soon", "act_here_soon", "act_inline", "later")}
    texts = ["value 0.5", "raise x", "none", "sleep 2", "value nan"]
    with RewardSystem({"sources": {name: sources[name] for name in ("act_soon", "act_here_soon")}}) as rewards:
        found = rewards.score([Sample(text) for text in texts])
    assert totals(found) == [1.0, "error", "skipped", "timeout", "error"]
    with RewardSystem({"sources": {name: sources[name] for name in ("act_inline", "later")}}) as rewards:
        found = rewards.score([Sample(text) for text in texts if "sleep" not in text])
    assert totals(found) == [1.0, "error", "skipped", "error"]


# Under asyncio, in threads, in other processes.


def test_async_sources_are_awaited_at_the_same_time() -> None:
    order: list[str] = []

    @reward("one", deadline=30.0)
    async def one(completion: str) -> float:
        order.append("one begins")
        await asyncio.sleep(0.3)
        order.append("one ends")
        return 1.0

    @reward("two", deadline=30.0)
    async def two(completion: str) -> float:
        order.append("two begins")
        await asyncio.sleep(0.3)
        order.append("two ends")
        return 1.0

    async def main() -> list[Reward]:
        with RewardSystem({"sources": {"one": 1.0, "two": 1.0}}) as rewards:
            return await rewards.score_async([Sample("x")])

    assert totals(asyncio.run(main())) == [2.0]
    assert {step.split()[1] for step in order[:2]} == {"begins"}
    assert {step.split()[1] for step in order[2:]} == {"ends"}


def test_what_runs_in_line_runs_while_the_others_are_waited_for() -> None:
    go_on = threading.Event()

    @reward("patient", deadline=30.0)
    def patient(completion: str) -> float:
        return float(go_on.wait(30))

    @reward("starter", deadline=None)
    def starter(completion: str) -> float:
        go_on.set()
        return 1.0

    # The patient source is asked first and ends only when the one in line has run.
    assert totals(score({"sources": {"patient": 1.0, "starter": 1.0}}, "x")) == [2.0]


def test_score_async_leaves_the_event_loop_free() -> None:
    async def main() -> tuple[list[Reward], int]:
        with RewardSystem({"sources": {"act_soon": {"required": True}}}) as rewards:
            work = asyncio.ensure_future(rewards.score_async([Sample("bomb"), Sample("value 0.5")]))
            ticks = 0
            while not work.done():
                await asyncio.sleep(0.01)
                ticks += 1
            return await work, ticks

    found, ticks = asyncio.run(main())
    assert totals(found) == ["timeout", 0.5]
    assert ticks > 10


def test_score_works_inside_a_running_event_loop() -> None:
    async def main() -> list[Reward]:
        return score({"sources": {"act_here": 1.0, "half": 1.0}}, "value 0.25")

    assert totals(asyncio.run(main())) == [0.75]


def test_a_system_is_used_by_several_threads_at_once() -> None:
    with RewardSystem({"sources": {"a": {"source": "checker", "fallback": "b"}, "b": {"source": "second"}}}) as rewards:

        def work(place: int) -> list[float | str]:
            samples = [Sample(f"{'lost' if n % 3 else 'right'} {'right' if place % 2 else 'wrong'}") for n in range(30)]
            return totals(rewards.score(samples))

        with ThreadPoolExecutor(4) as threads:
            for place, found in enumerate(threads.map(work, range(8))):
                assert found == [1.0 if n % 3 == 0 else float(place % 2) for n in range(30)]


def test_a_pickled_system_says_the_same() -> None:
    with RewardSystem({"sources": {"numeric": 1.0, "format": 0.1}, "gate": "numeric"}) as rewards:
        samples = [Sample("<think>a</think>4", reference="4"), Sample("5", reference="4")]
        found = rewards.score(samples)
        copy = pickle.loads(pickle.dumps(rewards))
        assert copy.score(samples) == found
        assert copy.fingerprint() == rewards.fingerprint()
        copy.close()


def test_a_system_of_functions_that_no_other_process_has_does_not_pickle() -> None:
    with RewardSystem({"sources": {"half": 1.0}}) as rewards, pytest.raises(RegistryError, match="top of a module"):
        pickle.dumps(rewards)


def test_an_engine_that_was_given_is_shared_and_left_running() -> None:
    engine = Engine(workers=1)
    pids = set()
    for place in range(2):
        with RewardSystem({"sources": {"act": 1.0}}, engine=engine) as rewards:
            [found] = rewards.score([Sample(f"pid {place}")])
            pids.add(found["act"].score.details["pid"])
    engine.close()
    assert len(pids) == 1


def test_closing_while_another_thread_scores_gives_it_answers_at_once() -> None:
    rewards = RewardSystem({"sources": {"act": 1.0, "act_here": 1.0}, "workers": 1})
    begun = threading.Event()
    found: list[list[Reward]] = []

    def work() -> None:
        begun.set()
        found.append(rewards.score([Sample(f"sleep {9 + n}") for n in range(20)]))

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait(10)
    time.sleep(0.3)
    rewards.close()
    thread.join(30)
    assert not thread.is_alive()
    assert [len(batch) for batch in found] == [20]


# Weighting.


class Doubling:
    """A weighting that doubles a weight with every batch it learns from."""

    def __init__(self) -> None:
        self.weight = 1.0

    def weights(self, task: str) -> Mapping[str, float]:
        return {"half": self.weight}

    def update(self, batch: Sequence[Reward]) -> None:
        self.weight *= 2

    def state_dict(self) -> dict[str, Any]:
        return {"weight": self.weight}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.weight = state["weight"]


def test_scoring_reads_the_weights_and_only_an_update_changes_them() -> None:
    rewards = RewardSystem({"sources": {"half": 1.0}}, weighting=Doubling())
    assert totals(rewards.score([Sample("x")]) + rewards.score([Sample("x")])) == [0.5, 0.5]
    rewards.update([])
    assert totals(rewards.score([Sample("x")])) == [1.0]
    assert rewards.weights() == {"*": {"half": 2.0}}


def test_a_checkpoint_holds_the_weighting() -> None:
    rewards, other = (RewardSystem({"sources": {"half": 1.0}}, weighting=Doubling()) for _ in range(2))
    rewards.update([])
    other.load_state_dict(rewards.state_dict())
    assert other.weights() == {"*": {"half": 2.0}}
    static = RewardSystem({"sources": {"half": 1.0}})
    with pytest.raises(ConfigError, match="resume with the recipe of the run"):
        RewardSystem({"sources": {"half": 2.0}}).load_state_dict(static.state_dict())


# Fingerprints and recipes.


@pytest.mark.parametrize(
    ("changed", "same", "why"),
    [
        ({"workers": 3}, True, "how many workers is no part of the verdict"),
        ({"sources": {"numeric": 1.0, "format": 0.2}}, False, "weights are"),
        ({"sources": {"numeric": {"settings": {"absolute": 0.1}}, "format": 0.1}}, False, "and settings"),
        ({"sources": {"numeric": {"on_failure": 0.0}, "format": 0.1}}, False, "and what a failure becomes"),
        ({"sources": {"numeric": {"source": "exact"}, "format": 0.1}}, False, "and the source itself"),
        ({"gate": "numeric"}, False, "and gates"),
        ({"tasks": {"*": ["numeric"]}}, False, "and tasks"),
        ({"sources": {"numeric": {"weight": 1.0}, "format": {"weight": 0.1}}}, True, "but not the short forms"),
        (
            {"sources": {"numeric": {"settings": {"absolute": 0.0}}, "format": 0.1}},
            True,
            "nor a default that is written out",
        ),
    ],
)
def test_what_a_fingerprint_depends_on(changed: dict[str, Any], same: bool, why: str) -> None:
    settings = {"sources": {"numeric": 1.0, "format": 0.1}}
    assert (RewardSystem(settings).fingerprint() == RewardSystem(settings | changed).fingerprint()) is same


def test_a_recipe_file_with_sources_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "rewards_of_the_recipe.py").write_text(
        "from mars import reward\n@reward('in_the_recipe')\ndef f(completion: str) -> float:\n    return 0.25\n"
    )
    (tmp_path / "run.yaml").write_text(
        "reward:\n  imports: [rewards_of_the_recipe.py]\n  sources:\n    in_the_recipe: 2\n"
    )
    with RewardSystem.from_recipe(tmp_path / "run.yaml", ["reward.sources.in_the_recipe=4"]) as rewards:
        assert totals(rewards.score([Sample("x")])) == [1.0]


def test_settings_given_in_python_may_import_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "rewards_by_name.py").write_text(
        "from mars import reward\n@reward('by_name')\ndef f(completion: str) -> float:\n    return 0.25\n"
    )
    assert totals(score({"imports": ["rewards_by_name"], "sources": {"by_name": 1.0}}, "x")) == [0.25]


def test_mistakes_in_settings_given_in_python_name_their_key() -> None:
    with pytest.raises(ConfigError, match=r"settings: reward\.sources\.half\.wieght: no such key"):
        RewardSystem({"sources": {"half": {"wieght": 1}}})
    with pytest.raises(RegistryError, match="no reward source 'hlaf'"):
        RewardSystem({"sources": {"hlaf": 1.0}})
    with pytest.raises(ConfigError, match="no setting 'x'"):
        RewardSystem({"sources": {"half": {"settings": {"x": 1}}}})


def test_a_fallback_whose_values_mean_something_else_is_refused() -> None:
    sources = {"a": {"source": "exact", "fallback": "b"}, "b": {"source": "repetition"}}
    with pytest.raises(ConfigError, match=r"'b' cannot stand in: its values go from -1 to 0, those of 'a' from 0 to 1"):
        RewardSystem({"sources": sources})
