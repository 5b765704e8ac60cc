"""The manifest's rules: each program runs alone, beside copies of itself, and between two honest ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.hostile import checks
from benchmarks.hostile.checks import Attempt, Trial, broken
from benchmarks.hostile.corpus import Entry, Task
from benchmarks.hostile.host import Host
from benchmarks.hostile.machine import survivors
from sandboxes.sandbox import Sandbox
from sandboxes.types import AssertCase, Limits, Program, StdioCase

SETTLE_SECONDS = 0.5
"""How long after the verdict nothing may live on."""
GRACE_SECONDS = 60.0
"""How much longer than it may take a sandbox is waited for before it counts as hung."""
AFTERWARDS = ("next_run_ok", "next_run_no_pwned")
LINGERING = ("no_survivors", "no_leftovers")


@dataclass(frozen=True)
class Problem:
    """Something that does not hold of a program.

    Attributes:
        rule: In which of its runs.
        check: The check that is broken, or "verdict".
        text: What was seen.
    """

    rule: str
    check: str
    text: str


@dataclass(frozen=True)
class Answer:
    """What the corpus says of the sandbox for one program."""

    entry: Entry
    trials: tuple[Trial, ...]
    problems: tuple[Problem, ...]

    @property
    def wrong(self) -> bool:
        """Whether any run got a verdict that it must not get, or none."""
        return any(problem.check == "verdict" for problem in self.problems)

    @property
    def broken_checks(self) -> set[str]:
        """The checks that do not hold."""
        return {problem.check for problem in self.problems} - {"verdict"}

    @property
    def rejected(self) -> bool:
        """Whether an honest program was not accepted in each of its runs."""
        return self.entry.benign and any(each.verdict != "AC" for trial in self.trials for each in trial.attempts)

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        judged = [each.judgement for trial in self.trials for each in trial.attempts if each.judgement]
        return {
            "verdict": self.trials[0].attempts[0].verdict,
            "runs": {trial.rule: _facts(trial) for trial in self.trials},
            "isolation": sorted({judgement.isolation for judgement in judged}),
            "tampering": sorted({judgement.tampering for judgement in judged}),
            "problems": [vars(problem) for problem in self.problems],
        }


def _facts(trial: Trial) -> dict[str, Any]:
    return {
        "verdicts": [each.verdict for each in trial.attempts],
        "longest_test_s": round(max((longest_test(each) for each in trial.attempts), default=0.0), 3),
        "seconds": round(max(each.seconds for each in trial.attempts), 3),
    }


@dataclass
class Examiner:
    """Runs programs by the rules.

    Attributes:
        host: The harness's side.
        plain: The honest program.
        many: A sandbox with several workers.
        single: A sandbox with one worker, so that runs follow each other in the same one.
        copies: How many copies run beside each other.
    """

    host: Host
    plain: Entry
    many: Sandbox
    single: Sandbox
    copies: int = 8

    def examine(self, entry: Entry) -> Answer:
        """Run a program by each rule, and say what does not hold."""
        trials = [
            self._trial("alone", entry, self.many, 1),
            self._trial("parallel", entry, self.many, self.copies),
            self._trial("between", entry, self.single, 1),
        ]
        if "run_two_in_parallel" in entry.checks:
            trials.append(self._trial("two", entry, self.many, 2))
        return Answer(entry, tuple(trials), tuple(problem for trial in trials for problem in problems(trial)))

    def _trial(self, rule: str, entry: Entry, sandbox: Sandbox, copies: int) -> Trial:
        checks.prepare(entry.checks)
        between = rule == "between"
        before = attempt(sandbox, self.plain) if between else None
        lived, processes, files = set(survivors()), len(self.host.processes()), len(self.host.leftovers())
        with self.host.watch() as watch:
            attempts = at_once(copies, lambda: attempt(sandbox, entry), patience(entry, copies, sandbox))
        ended = time.monotonic()
        after = attempt(sandbox, self.plain) if between or set(AFTERWARDS) & set(entry.checks) else None
        lingering: list[str] = []
        scratch: list[str] = []
        if set(LINGERING) & set(entry.checks):
            time.sleep(max(0.0, SETTLE_SECONDS - (time.monotonic() - ended)))
            lingering = [f"{name} ({pid})" for pid, name in survivors().items() if pid not in lived]
            now = self.host.processes()
            # A worker that was replaced has another pid; one process more than before is a survivor.
            lingering += [f"{name} ({pid})" for pid, name in now.items()] if len(now) > processes else []
            scratch = self.host.leftovers()
            scratch = scratch if len(scratch) > files else []
        return Trial(rule, entry, tuple(attempts), watch, self.host, before, after, tuple(lingering), tuple(scratch))


def warm_up(sandbox: Sandbox) -> None:
    """Start every worker, so that what a run adds to the processes can be told from a worker that was not there yet."""
    slow = "import time\ndef f():\n    time.sleep(0.3)\n    return 1\nf()\n"
    for test in (StdioCase("", ""), AssertCase("assert f() == 1")):
        entry = Entry("warm_up", "benign", Program(slow), Task((test,)), Limits(cpu_s=2))
        copies = sandbox.backend.workers
        at_once(copies, lambda entry=entry: attempt(sandbox, entry), patience(entry, copies, sandbox))


def attempt(sandbox: Sandbox, entry: Entry) -> Attempt:
    """Judge a program once, and fetch its files where the manifest wants that."""
    started = time.monotonic()
    try:
        judgement = sandbox.judge(entry.program, entry.task.tests, entry.limits, checker=entry.task.checker)
        seconds = time.monotonic() - started
        fetched = _fetch(sandbox, entry) if entry.fetch else {}
    except Exception as error:  # whatever a sandbox raises here, there is no verdict
        return Attempt(None, f"raised {type(error).__name__}: {error}", started, time.monotonic() - started)
    return Attempt(judgement, "", started, seconds, fetched)


def _fetch(sandbox: Sandbox, entry: Entry) -> dict[str, bytes]:
    first = entry.task.tests[0]
    stdin = first.stdin if isinstance(first, StdioCase) else b""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    outcome = sandbox.run(entry.program, data, entry.limits, fetch=entry.fetch).outcome
    return dict(outcome.fetched) if outcome else {}


def patience(entry: Entry, copies: int, sandbox: Sandbox) -> float:
    """Return the seconds after which a sandbox that has not answered counts as hung."""
    runs = len(entry.task.tests) + bool(entry.fetch)
    return entry.max_wall_s * runs * copies / sandbox.backend.workers + GRACE_SECONDS


def at_once(copies: int, work: Callable[[], Attempt], seconds: float) -> list[Attempt]:
    """Do a piece of work in several threads that start together; what is not done in time counts as no verdict."""
    done: dict[int, Attempt] = {}
    barrier = threading.Barrier(copies)

    def one(number: int) -> None:
        barrier.wait()
        done[number] = work()

    # Daemons, so that a sandbox that hangs does not hang this tool.
    threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(copies)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    missing = Attempt(None, f"no verdict within {seconds:.0f} s")
    return [done.get(number, missing) for number in range(copies)]


def problems(trial: Trial) -> list[Problem]:
    """Say what does not hold in a trial: verdicts, time, the honest runs around it, and the program's checks."""
    entry = trial.entry
    found = [Problem(trial.rule, "verdict", text) for text in _wrong_verdicts(trial.attempts, entry)]
    if late := _late(trial):
        found.append(Problem(trial.rule, "max_wall_s", late))
    if trial.before is not None and trial.before.verdict != "AC":
        found.append(Problem(trial.rule, "run_before_ok", f"the honest run before was {trial.before.outcome}"))
    names = entry.checks if trial.rule != "between" else dict.fromkeys((*entry.checks, "next_run_ok"))
    return found + [Problem(trial.rule, name, text) for name in names if (text := broken(trial, name))]


def _wrong_verdicts(attempts: Sequence[Attempt], entry: Entry) -> list[str]:
    wrong = [each for each in attempts if each.verdict not in entry.verdict_in or each.verdict in entry.never]
    return [f"{each.outcome}, not {' or '.join(sorted(entry.verdict_in - entry.never))}" for each in wrong]


def _late(trial: Trial) -> str:
    allowed, tests = trial.entry.max_wall_s, len(trial.entry.task.tests)
    longest = max(map(longest_test, trial.attempts), default=0.0)
    if longest > allowed:
        return f"a test took {longest:.1f} s, {allowed:g} are allowed"
    # A single run does not queue, so the clock of this tool tells too.
    waited = trial.attempts[0].seconds if trial.rule == "alone" else 0.0
    return f"{tests} tests took {waited:.1f} s, {allowed:g} are allowed each" if waited > allowed * tests else ""


def longest_test(each: Attempt) -> float:
    """Return the longest wall seconds of a program's tests, without queueing."""
    walls = [case.wall_s for case in each.judgement.cases if case.wall_s is not None] if each.judgement else []
    return max(walls, default=0.0)


def count(answers: Sequence[Answer], unsupported: Mapping[str, str], after_closing: Sequence[str]) -> dict[str, Any]:
    """Put the answers into the form of the report.

    Args:
        answers: One for each program that was run.
        unsupported: What this tool does not know, for each program that was not run.
        after_closing: What was still there when the sandboxes were closed.
    """
    skipped = {name: {"verdict": None, "runs": {}, "problems": [_unknown(text)]} for name, text in unsupported.items()}
    return {
        "programs": len(answers) + len(skipped),
        "wrong": sum(answer.wrong for answer in answers),
        "broken_checks": sum(len(answer.broken_checks) for answer in answers) + len(skipped) + len(after_closing),
        "benign_rejected": sum(answer.rejected for answer in answers),
        "after_closing": list(after_closing),
        "answers": {answer.entry.id: answer.to_dict() for answer in answers} | skipped,
    }


def _unknown(text: str) -> dict[str, str]:
    return {"rule": "", "check": "manifest", "text": text}
