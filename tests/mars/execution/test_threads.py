from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from mars import Sample, Score, Status, registry, reward
from mars.execution import watch
from mars.execution.engine import Engine
from mars.registry import BoundSource
from tests.mars.execution import pool_sources
from tests.mars.execution.test_pool import LONG, run, say

assert pool_sources


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


@pytest.mark.parametrize(
    ("deed", "outcome", "reason"),
    [
        ("value 0.5", 0.5, ""),
        ("none", "skipped", "not this source's"),
        ("raise oh dear", "error", "ValueError: oh dear"),
        ("quit", "error", "SystemExit: 3"),
        ("interrupt", "error", "KeyboardInterrupt"),
        ("value nan", "error", "which is no score"),
    ],
)
def test_what_a_call_may_do(engine: Engine, deed: str, outcome: float | str, reason: str) -> None:
    before, found, after = run(engine, "act_here", "value 0.25", deed, "value 0.75")
    assert say([before, found, after]) == [0.25, outcome, 0.75]
    assert reason in found.reason


def test_a_call_that_hangs_is_left_behind_and_the_others_are_answered(engine: Engine) -> None:
    found = run(engine, "act_here_soon", "value 0.25", "sleep 600", "value 0.5", "sleep 601", "value 0.75")
    assert say(found) == [0.25, "timeout", 0.5, "timeout", 0.75]
    assert found[1].reason == "no answer within 0.5 s"


def test_a_late_answer_of_a_call_that_was_left_behind_is_not_anothers(engine: Engine) -> None:
    go_on, ended = threading.Event(), threading.Event()

    @reward("slow_starter", deadline=0.3)
    def slow_starter(completion: str) -> float:
        if completion == "slow":
            go_on.wait(LONG)
            ended.set()
            return 1.0
        if completion == "last":
            go_on.set()
            ended.wait(LONG)
            time.sleep(0.1)  # the late answer comes while this call is in hand
        return 0.5

    found = run(engine, "slow_starter", "slow", "next", "last")
    assert say(found) == ["timeout", 0.5, 0.5]


def test_a_batch_that_hangs_is_answered_for_as_one(engine: Engine) -> None:
    @reward("batch_here", deadline=0.3)
    def batch_here(completions: list[str]) -> list[float]:
        time.sleep(600 if "hang" in completions else 0)
        return [0.5] * len(completions)

    assert say(run(engine, "batch_here", "a", "b")) == [0.5, 0.5]
    assert say(run(engine, "batch_here", "a", "hang")) == ["timeout"] * 2


def test_every_call_has_the_whole_deadline(engine: Engine) -> None:
    assert say(run(engine, "act_here_soon", *(f"sleep 0.2{n}" for n in range(4)))) == [1.0] * 4


def test_submissions_run_beside_each_other(engine: Engine) -> None:
    meet = threading.Barrier(3, timeout=LONG)

    @reward("meets", deadline=LONG)
    def meets(completion: str) -> float:
        meet.wait()
        return 0.5

    with ThreadPoolExecutor(3) as threads:
        # Each submission waits for the others: one after another they would never end.
        assert [say(found) for found in threads.map(lambda text: run(engine, "meets", text), "abc")] == [[0.5]] * 3


def test_a_source_that_hangs_again_and_again_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "MOST_ABANDONED", 2)
    engine = Engine()
    try:
        assert say(run(engine, "act_here_soon", "sleep 600", "sleep 601")) == ["timeout"] * 2
        refused = run(engine, "act_here_soon", "value 0.5")
        assert say(refused) == ["error"]
        assert "register it with isolated=True" in refused[0].reason
        assert say(run(engine, "act_here", "value 0.5")) == [0.5]
    finally:
        engine.close()


def test_closing_answers_what_still_runs() -> None:
    engine = Engine()
    pending = engine.submit(
        registry.get("act_here").configure(), [Sample("value 0.5"), Sample("sleep 600"), Sample("x")]
    )
    time.sleep(0.1)
    engine.close()
    found = pending.result()
    assert say(found)[1:] == ["error"] * 2
    assert found[1].reason == "the engine was closed before this was scored"


def test_a_thread_that_was_left_behind_stops_at_its_next_call(engine: Engine) -> None:
    asked: list[str] = []
    go_on = threading.Event()

    @reward("counts_calls", deadline=0.3)
    def counts_calls(completion: str) -> float:
        asked.append(completion)
        if completion == "hang":
            go_on.wait(LONG)
        return 0.5

    assert say(run(engine, "counts_calls", "hang", "a", "b")) == ["timeout", 0.5, 0.5]
    go_on.set()
    time.sleep(0.1)
    assert asked == ["hang", "a", "b"]


def test_no_thread_to_be_had_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine()
    bound: BoundSource = registry.get("act_here").configure()
    assert say(engine.submit(bound, [Sample("value 0.5")]).result()) == [0.5]

    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    found: list[Score] = engine.submit(bound, [Sample("value 0.5")]).result()
    monkeypatch.undo()
    engine.close()
    assert (found[0].status, found[0].reason) == (Status.ERROR, "RuntimeError: can't start new thread")
