"""The promise of the pool: one score a call, in order, whatever the calls do; and it lives on."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mars import Sample, Score, Status, registry
from mars.execution.engine import Engine
from mars.execution.pool import WorkerPool
from tests.mars.execution import pool_sources
from tests.mars.execution.pool_sources import FORGERIES, SIGKILL

LONG = 60.0
"""Far longer than anything here takes, on however busy a machine."""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine(workers=2)
    yield engine
    engine.close()


def run(engine: Engine, source: str, *completions: str, **settings: Any) -> list[Score]:
    """Score completions with a source of `pool_sources`."""
    bound = registry.get(source).configure(settings)
    return engine.submit(bound, [Sample(text) for text in completions]).result()


def say(scores: Sequence[Score]) -> list[float | str]:
    """Return the values, and in place of those that are missing the statuses."""
    return [score.status.value if score.value is None else score.value for score in scores]


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie that its parent has not yet taken note of does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid: int) -> list[int]:
    """The processes that any thread of a process started."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


# What a call may do, and what becomes of it.

DEEDS = [
    ("value 0.5", 0.5, "", "a value"),
    ("none", "skipped", "not this source's", "not its to judge"),
    ("value 2", "error", "outside its range", "a value out of range"),
    ("value nan", "error", "nan, which is no score", "not a number"),
    ("raise oh dear", "error", "ValueError: oh dear", "an exception"),
    ("quit", "error", "SystemExit: 3", "an exit by exception"),
    ("interrupt", "error", "KeyboardInterrupt", "an interrupt that no user sent"),
    ("exit 7", "error", "the worker process exited with 7", "an exit without any exception"),
    (SIGKILL, "error", "the worker process was killed by SIGKILL", "a kill, as by the kernel when memory ends"),
    ("crash", "error", "was killed by SIGSEGV", "a fault in C code"),
    ("memory", "error", "out of memory: needs more than 512 MiB", "more memory than it may have"),
    ("close", "error", "the worker process", "closing every descriptor, the pipe's too"),
    ("surrogate", 0.5, "\ud800 and \udfff", "text that is not Unicode"),
]


@pytest.mark.parametrize(("deed", "outcome", "reason", "why"), DEEDS, ids=[row[-1] for row in DEEDS])
def test_what_a_call_may_do(engine: Engine, deed: str, outcome: float | str, reason: str, why: str) -> None:
    before, found, after = run(engine, "act", "value 0.25", deed, "value 0.75")
    assert say([before, found, after]) == [0.25, outcome, 0.75]
    assert reason in found.reason


@pytest.mark.parametrize("deed", ["bomb", "sleep 600"])
def test_an_overrun_costs_its_deadline_and_nobody_else_anything(engine: Engine, deed: str) -> None:
    found = run(engine, "act_soon", "value 0.25", deed, "value 0.75")
    assert say(found) == [0.25, "timeout", 0.75]
    assert found[1].reason == "no answer within 0.6 s"


def test_order_is_kept_among_mixed_failures(engine: Engine) -> None:
    deeds = ["raise x", "exit 1", SIGKILL, "none", "value nan", "quit"]
    texts = [
        f"value {place / 100}" if place % 4 else deeds[place // 4 % len(deeds)] + " " * place for place in range(24)
    ]
    found = run(engine, "act", *texts)
    assert len(found) == len(texts)
    for place, score in enumerate(found):
        assert score.value == (place / 100 if place % 4 else None)


def test_nothing_to_score_is_no_score(engine: Engine) -> None:
    assert run(engine, "act") == []


def test_a_call_that_a_predecessor_harmed_gets_one_more_try_on_a_fresh_worker() -> None:
    engine = Engine(workers=1)
    try:
        # The first call leaves a thread that never lets go of the interpreter: the second cannot be answered there.
        found = run(engine, "act_soon", "freeze", "value 0.5", "value 0.75")
        assert found[0].value in (1.0, None)
        assert found[2].value == 0.75
        # A call that fails by itself is tried twice at most, and then answered for.
        assert say(run(engine, "act", "value 0.5", "exit 7", "value 0.75")) == [0.5, "error", 0.75]
    finally:
        engine.close()


def test_memory_is_limited_per_call_and_not_for_the_life_of_a_worker(engine: Engine) -> None:
    assert say(run(engine, "act", "memory", "value 0.5", "memory ", "value 0.75")) == ["error", 0.5, "error", 0.75]


def test_a_worker_that_is_killed_between_jobs_is_replaced_unnoticed() -> None:
    engine = Engine(workers=1)
    try:
        [first] = run(engine, "act", "pid")
        os.kill(first.details["pid"], signal.SIGKILL)
        wait_for(lambda: not alive(first.details["pid"]))
        [second] = run(engine, "act", "pid")
        assert second.value == 1.0
        assert second.details["pid"] != first.details["pid"]
    finally:
        engine.close()


def test_workers_persist_between_submissions() -> None:
    engine = Engine(workers=1)
    try:
        pids = {run(engine, "act", f"pid {n}")[0].details["pid"] for n in range(3)}
        assert len(pids) == 1
    finally:
        engine.close()


def test_a_worker_is_replaced_after_a_lifetime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mars.execution.pool.LIFETIME", 2)
    engine = Engine(workers=1)
    try:
        pids = [run(engine, "act", f"pid {n}", f"pid {n} again")[0].details["pid"] for n in range(2)]
        assert pids[0] != pids[1]
    finally:
        engine.close()


def test_a_kill_takes_what_the_call_started_too(engine: Engine, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    found = run(engine, "act_soon", f"child {begun}")
    assert found[0].status is Status.TIMEOUT
    wait_for(lambda: not any(alive(int(pid)) for pid in begun.read_text().split()))


def test_what_a_source_prints_does_not_reach_the_programs_output(engine: Engine, capfd: pytest.CaptureFixture) -> None:
    assert run(Engine(workers=1), "act", "shout")[0].value == 1.0
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("forgery", FORGERIES)
def test_bytes_on_the_pipe_that_are_no_score_are_an_error(
    engine: Engine, forgery: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mars.execution.pool.STALL_SECONDS", 1)
    engine = Engine(workers=1)
    try:
        found = run(engine, "act_soon", f"forge {forgery}", "value 0.5")
        assert say(found) == ["error", 0.5]
        assert "the worker process" in found[0].reason
    finally:
        engine.close()


# Functions of a batch go down together.


def test_a_batch_function_gets_everything_at_once_and_fails_as_one(engine: Engine) -> None:
    assert say(run(engine, "act_together", "value 0.25", "none", "value 0.75")) == [0.25, "skipped", 0.75]
    assert say(run(engine, "act_together", "value 0.25", "raise x")) == ["error"] * 2
    assert say(run(engine, "act_together", "value 0.25", "exit 7")) == ["error"] * 2
    assert say(run(engine, "act_together", "value 0.25", "memory")) == ["error"] * 2
    late = run(engine, "act_together_soon", "value 0.25", "bomb")
    assert say(late) == ["timeout"] * 2
    assert sum(score.seconds for score in late) == pytest.approx(0.6)


def test_a_coroutine_function_can_be_isolated(engine: Engine) -> None:
    assert say(run(engine, "act_later", "value 0.5", "raise x", "exit 7")) == [0.5, "error", "error"]


# From wherever it is used.


def test_from_a_thread_that_is_not_the_main_one(engine: Engine) -> None:
    with ThreadPoolExecutor(1) as threads:
        found = threads.submit(run, engine, "act_soon", "value 0.5", "bomb").result(LONG)
    assert say(found) == [0.5, "timeout"]


def test_from_many_threads_at_once(engine: Engine) -> None:
    def work(place: int) -> list[Score]:
        return run(engine, "act", *(f"value {place / 10}" + " " * n for n in range(20)), f"raise {place}")

    with ThreadPoolExecutor(8) as threads:
        for place, found in enumerate(threads.map(work, range(8))):
            assert say(found) == [place / 10] * 20 + ["error"]
            assert found[-1].reason == f"ValueError: {place}"


def test_under_asyncio_the_loop_stays_free(engine: Engine) -> None:
    async def main() -> tuple[list[Score], int]:
        bound = registry.get("act_soon").configure()
        work = asyncio.ensure_future(engine.submit(bound, [Sample("bomb"), Sample("value 0.5")]).wait())
        ticks = 0
        while not work.done():
            await asyncio.sleep(0.01)
            ticks += 1
        return await work, ticks

    found, ticks = asyncio.run(main())
    assert say(found) == ["timeout", 0.5]
    assert ticks > 10


def test_a_waiter_that_gives_up_does_not_harm_the_pool(engine: Engine) -> None:
    bound = registry.get("act").configure()

    async def impatient() -> None:
        await asyncio.wait_for(engine.submit(bound, [Sample("sleep 0.3")]).wait(), 0.01)

    with pytest.raises(TimeoutError):
        asyncio.run(impatient())
    time.sleep(0.5)  # the answer that nobody waits for comes now
    assert say(run(engine, "act", *(f"value 0.{n}" for n in range(1, 9)))) == [n / 10 for n in range(1, 9)]


def test_alarms_of_the_program_are_left_alone(engine: Engine) -> None:
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        assert say(run(engine, "act_soon", "bomb")) == ["timeout"]
        assert rung == [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# What can be sent.


class Local:
    """Its class can be imported by a worker; its instances cannot all be pickled."""

    def __init__(self, inside: Any) -> None:
        self.inside = inside

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Local) and self.inside == other.inside

    __hash__ = None  # type: ignore[assignment]


class Unreadable:
    """Pickles, and cannot be unpickled."""

    def __reduce__(self) -> Any:
        return int, ("not a number",)


def test_a_sample_that_cannot_be_sent_fails_alone(engine: Engine) -> None:
    bound = registry.get("takes_all").configure()
    samples = [Sample("a", reference=reference) for reference in ("a", Local(lambda: 1), "a", Local(3), "b")]
    found = engine.submit(bound, samples).result()
    assert say(found) == [1.0, "error", 1.0, 0.0, 0.0]
    assert "cannot be sent to a worker process" in found[1].reason


def test_a_sample_that_cannot_be_read_is_an_error_and_no_dead_worker(engine: Engine) -> None:
    bound = registry.get("takes_all").configure()
    found = engine.submit(bound, [Sample("a", reference=Unreadable())]).result()
    assert say(found) == ["error"]
    assert found[0].reason.startswith("ValueError: invalid literal for int()")


def test_settings_that_cannot_be_sent_are_an_error(engine: Engine) -> None:
    found = run(engine, "takes_settings", "a", "b", wanted=lambda: 1)
    assert say(found) == ["error"] * 2
    assert found[0].reason.startswith("takes_settings cannot be sent to a worker process")


def test_settings_are_part_of_what_a_worker_loads(engine: Engine) -> None:
    for wanted in ("a", "b", "a"):
        assert say(run(engine, "takes_settings", "a", wanted=wanted)) == [float(wanted == "a")]


def test_a_megabyte_each_way(engine: Engine) -> None:
    text = "x" * 2**20
    bound = registry.get("takes_all").configure()
    found = engine.submit(bound, [Sample(f"{text}{n}", reference=f"{text}{n % 2}") for n in range(40)]).result()
    assert say(found) == [float(n < 2) for n in range(40)]


# What can be imported.


def test_a_source_whose_module_appears_after_the_workers_started_is_found(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert say(run(engine, "act", "value 0.5")) == [0.5]
    (tmp_path / "rewards_that_came_late.py").write_text(
        "from mars import reward\n\n"
        "@reward('late_comer', isolated=True)\ndef late(completion: str) -> float:\n    return 0.5\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    __import__("rewards_that_came_late")
    assert say(run(engine, "late_comer", "x")) == [0.5]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("raise OSError('no licence')", "OSError: no licence"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import os; os._exit(3)", "the worker process exited with 3"),
    ],
)
def test_a_source_that_a_worker_cannot_import_is_an_error_every_time(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, reason: str
) -> None:
    name = f"rewards_{abs(hash(fault))}"
    (tmp_path / f"{name}.py").write_text(
        "import os\nfrom mars import reward\n"
        f"@reward('{name}', isolated=True)\ndef f(completion: str) -> float: return 0.5\n"
        f"if os.environ.get('MARS_IN_WORKER'):\n    {fault}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    __import__(name)
    for _ in range(2):  # what a failed import left behind must not count as success
        found = run(engine, name, *"abcdef")
        assert say(found) == ["error"] * 6
        assert found[0].reason == f"a worker process cannot import {name}.f: {reason}"


def _script(tmp_path: Path, text: str) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(text))
    return subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=LONG, check=False)


MAIN = """
    import sys
    from mars import RewardSystem, Sample, reward

    BONUS = 0.25

    @reward("mine", isolated=True)
    def mine(completion: str) -> float:
        return BONUS + len(completion) / 10
"""


def test_a_source_in_a_main_script_works_under_a_main_guard(tmp_path: Path) -> None:
    done = _script(
        tmp_path,
        MAIN
        + """
    if __name__ == "__main__":
        with RewardSystem({"sources": {"mine": 1.0}}) as system:
            print([reward.total for reward in system.score([Sample("a"), Sample("ab")])])
    """,
    )
    assert (done.stdout, done.stderr) == ("[0.35, 0.45]\n", "")


def test_a_main_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    done = _script(
        tmp_path,
        MAIN
        + """
    with RewardSystem({"sources": {"mine": 1.0}, "workers": 1}) as system:
        for _ in range(2):
            [reward] = system.score([Sample("a")])
            print(reward.status, reward.reason)
    """,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert "error" in line
        assert "must do its work under `if __name__ == '__main__':`" in line


# The end.


def test_closing_while_a_bomb_runs_and_others_wait_is_quick_and_answers_everyone() -> None:
    engine = Engine(workers=1)
    run(engine, "act", "value 0.5")
    pending = engine.submit(
        registry.get("act").configure(), [Sample("bomb"), *(Sample(f"sleep {n}") for n in range(9, 99))]
    )
    other = engine.submit(registry.get("act").configure(), [Sample("value 0.5")])
    time.sleep(0.2)
    start = time.monotonic()
    engine.close()
    assert time.monotonic() - start < 20  # the bomb alone has 30 seconds
    assert say(pending.result()) == ["error"] * 91
    assert say(other.result()) == ["error"]
    assert pending.result()[0].reason == "the engine was closed before this was scored"


def test_a_closed_engine_starts_again_when_it_is_used() -> None:
    engine = Engine(workers=1)
    for _ in range(2):
        assert say(run(engine, "act", "value 0.5")) == [0.5]
        engine.close()
    engine.close()


def test_closing_from_one_thread_while_others_submit_loses_no_answer() -> None:
    engine = Engine(workers=2)
    stop = threading.Event()
    lengths: list[int] = []

    def submit() -> None:
        while not stop.is_set():
            lengths.append(len(run(engine, "act_here", "value 0.5", "value 0.25")))
            lengths.append(len(run(engine, "act", "value 0.5", "value 0.25")))

    threads = [threading.Thread(target=submit) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        time.sleep(0.1)
        engine.close()
    stop.set()
    for thread in threads:
        thread.join(LONG)
        assert not thread.is_alive()
    engine.close()
    assert set(lengths) == {2}


def test_an_engine_that_nobody_refers_to_any_more_ends_its_workers() -> None:
    engine = Engine(workers=1)
    [score] = run(engine, "act", "pid")
    del engine
    wait_for(lambda: not alive(score.details["pid"]))


def test_an_engine_lives_for_as_long_as_somebody_waits() -> None:
    pending = Engine(workers=1).submit(registry.get("act").configure(), [Sample("sleep 0.2")])
    assert say(pending.result()) == [1.0]


CHILD = """
    import os, signal, sys, threading, time
    from mars import Sample, registry
    from mars.execution.engine import Engine
    from tests.mars.execution import pool_sources

    def score(*texts, source="act"):
        return engine.submit(registry.get(source).configure(), [Sample(text) for text in texts])

    if __name__ == "__main__":
        engine = Engine(workers=2)
        print(score("pid").result()[0].details["pid"], flush=True)
"""


def _child(tmp_path: Path, text: str) -> subprocess.Popen[str]:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(CHILD) + textwrap.indent(textwrap.dedent(text), " " * 4))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment)


def _said(child: subprocess.Popen[str]) -> list[str]:
    return child.communicate(timeout=LONG)[0].splitlines()


def test_workers_die_with_a_parent_that_is_killed_even_while_they_work(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    child = _child(tmp_path, f'score("child {begun}", "bomb").result()')
    wait_for(begun.exists)
    workers = children(child.pid)
    assert len(workers) == 2
    child.kill()
    child.communicate(timeout=LONG)
    wait_for(lambda: not any(map(alive, workers)))
    # What a worker had started outlives it when nobody is left to kill its group.
    os.kill(int(begun.read_text().split()[1]), signal.SIGKILL)


@pytest.mark.parametrize("end", ["pass", "sys.exit(0)", "engine.close()"])
def test_a_program_ends_though_sources_hang_in_workers_and_in_threads(tmp_path: Path, end: str) -> None:
    hanging = 'pending = score("bomb", "value 0.5"), score("sleep 600", source="act_here")\ntime.sleep(0.2)\n'
    child = _child(tmp_path, hanging + end)
    [worker] = _said(child)
    assert child.returncode == 0
    wait_for(lambda: not alive(int(worker)))


def test_after_a_fork_the_child_has_workers_of_its_own_and_the_parent_keeps_its(tmp_path: Path) -> None:
    child = _child(
        tmp_path,
        """
        # Another thread is in the middle of things when the process forks, and may hold any lock.
        score("value 0.5", source="act_here").result()
        busy = threading.Thread(target=lambda: [score("value 0.5").result() for _ in range(50)])
        busy.start()
        if (pid := os.fork()) == 0:
            print("child", *(s.value for s in score("value 0.5", "exit 1", "value 0.75").result()), flush=True)
            print("child", *(s.value for s in score("value 0.5", source="act_here").result()), flush=True)
            engine.close()
            os._exit(0)
        os.waitpid(pid, 0)
        busy.join()
        print("parent", score("pid").result()[0].value, flush=True)
        print("parent", score("sleep 0.01", source="act_here").result()[0].value, flush=True)
        engine.close()
        """,
    )
    assert _said(child)[1:] == ["child 0.5 None 0.75", "child 0.5", "parent 1.0", "parent 1.0"]


def test_a_pickled_engine_arrives_without_workers(engine: Engine) -> None:
    run(engine, "act", "value 0.5")
    copy = pickle.loads(pickle.dumps(engine))
    try:
        assert say(run(copy, "act", "value 0.5")) == [0.5]
    finally:
        copy.close()


def test_inside_a_worker_no_pool_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARS_IN_WORKER", "1")
    with pytest.raises(Exception, match="a worker process tried to start workers of its own"):
        WorkerPool(1)


def test_the_sources_of_these_tests_are_importable_by_workers() -> None:
    assert registry.get("act").origin == f"{pool_sources.__name__}.act_isolated"
