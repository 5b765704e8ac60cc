"""Judging programs: the one file to read to understand how a verdict comes about."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TypeVar

from sandboxes import judging
from sandboxes.backend import Backend
from sandboxes.checkers import Checker
from sandboxes.checkers import checker as choose_checker
from sandboxes.compiled import Compiled
from sandboxes.errors import InternalError
from sandboxes.inputs import check_room, check_run, check_tests, room_for
from sandboxes.languages import Language, compile_job, language, require, run_job
from sandboxes.types import (
    SEVERITY,
    AssertCase,
    CallCase,
    CaseResult,
    Job,
    Judgement,
    Limits,
    Outcome,
    Program,
    StdioCase,
    TestCase,
    UnittestCase,
    Verdict,
)

ATTEMPTS = 3
"""How often a run is tried, each time on another worker, before there is no verdict."""
_DEFAULT_LIMITS = Limits()
_cancelled: ContextVar[threading.Event | None] = ContextVar("cancelled", default=None)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program without a test.

    Attributes:
        compile: The facts of the compile step, where the language has one.
        outcome: The facts of the run; None when the program did not compile.
    """

    compile: Outcome | None
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class _Ready:
    """A program that can be run: compiled if need be, its tools found."""

    program: Program
    language: Language
    tools: dict[str, str]
    artifacts: dict[str, bytes]
    compile: Outcome | None
    warm: bool

    @property
    def source(self) -> bytes:
        return judging.as_bytes(self.program.source)

    def job(self, stdin: bytes, limits: Limits) -> Job:
        if self.warm:
            program = self.program
            return Job("python", self.source, (), {}, program.arguments, program.files, stdin, limits=limits)
        return run_job(self.language, self.program, self.tools, self.artifacts, stdin, limits)


class Sandbox:
    """Runs programs on a backend and judges what they do. From any thread, sync and async."""

    def __init__(self, backend: Backend):
        """Judge on this backend, which is closed with this object."""
        self.backend = backend
        self._threads: ThreadPoolExecutor | None = None
        self._threads_of = 0
        self._closed = False
        self._compiled = Compiled()

    def judge(
        self,
        program: Program,
        tests: Iterable[TestCase],
        limits: Limits = _DEFAULT_LIMITS,
        *,
        checker: str | dict | Checker | None = None,
        stop_early: bool = False,
        compile_limits: Limits | None = None,
        fresh: bool = False,
    ) -> Judgement:
        """Judge a program over all of its tests, each in a process of its own.

        Args:
            program: The program.
            tests: At least one test.
            limits: What each test may use.
            checker: How outputs are compared: a name, a specification (see `sandboxes.checkers.checker`), a checker, or
                None for line by line.
            stop_early: Skip the tests after the first that is not accepted.
            compile_limits: What the compile step may use; None takes the language's own.
            fresh: Start a new interpreter for each test of a Python program, instead of forking a warm one. Only for
                tests by standard input and output.

        Raises:
            InternalError: The sandbox is closed. A failure during the judgement is a verdict, not an error.
            ValueError: There are no tests, an unknown language or checker, a test that does not fit the language, or
                files that the scratch folders do not hold.
            ToolchainMissing: The language's compiler or interpreter is not installed where programs run.
        """
        self._require_open()
        compare = choose_checker(checker)
        tests = check_tests(program, tests, fresh)
        check_room(program, limits)
        try:
            ready = self._attempt(lambda: self._prepare(program, compile_limits, fresh))
        except InternalError as error:
            return self._judgement(tests, [_no_verdict(error)], None)
        compiled = None
        if ready.compile is not None:
            compiled = self._compile_result(ready, compile_limits)
            if compiled.verdict is not Verdict.ACCEPTED:
                return self._judgement(tests, [], compiled)
        results: list[CaseResult] = []
        for test in tests:
            stop_if_cancelled()
            results.append(self._judge_case(ready, test, limits, compare))
            if is_last(results[-1], stop_early):
                break
        return self._judgement(tests, results, compiled)

    def run(
        self,
        program: Program,
        stdin: bytes = b"",
        limits: Limits = _DEFAULT_LIMITS,
        *,
        compile_limits: Limits | None = None,
        fresh: bool = False,
        fetch: tuple[str, ...] = (),
        inputs: Mapping[str, bytes] | None = None,
    ) -> Run:
        """Run a program once, without a test.

        Args:
            program: The program.
            stdin: Its standard input.
            limits: What it may use.
            compile_limits: What the compile step may use; None takes the language's own.
            fresh: Start a new interpreter for a Python program.
            fetch: Files of its working folder to bring back; of 128 MiB together at most, others stay.
            inputs: More files for the working folder of the run, which the compile step does not see.

        Raises:
            InternalError: The sandbox failed on every attempt, or is closed.
            ToolchainMissing: The language's compiler or interpreter is not installed where programs run.
            ValueError: An unknown language, files that the scratch folders do not hold, names to bring back that cannot
                be those of files beneath the working folder, or too many.
        """
        self._require_open()
        check_run(stdin, fetch)
        whole = replace(program, files={**program.files, **(inputs or {})})
        check_room(whole, limits)
        ready = self._attempt(lambda: self._prepare(program, compile_limits, fresh))
        if ready.compile is not None and not _succeeded(ready):
            return Run(ready.compile, None)
        job = replace(replace(ready, program=whole).job(stdin, limits), fetch=tuple(fetch))
        if fault := _too_large(job):
            raise ValueError(fault)
        return Run(ready.compile, self._run(job))

    async def judge_async(self, *args, **kwargs) -> Judgement:
        """`judge`, without blocking the event loop.

        A judgement that is cancelled runs no further test; the one that runs goes on to its end, or to its limit.
        """
        return await self._in_thread(lambda: self.judge(*args, **kwargs))

    async def run_async(self, *args, **kwargs) -> Run:
        """`run`, without blocking the event loop."""
        return await self._in_thread(lambda: self.run(*args, **kwargs))

    def close(self) -> None:
        """End all workers; what runs ends without a verdict. Further calls raise `InternalError`."""
        self._closed = True
        self.backend.close()
        if self._threads is not None and self._threads_of == os.getpid():
            self._threads.shutdown(cancel_futures=True)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Sandbox:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)

    def _require_open(self) -> None:
        if self._closed:
            raise InternalError("the sandbox is closed")

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        self._require_open()
        if self._threads is None or self._threads_of != os.getpid():  # a forked process inherits no threads
            self._threads = ThreadPoolExecutor(self.backend.workers, thread_name_prefix="sandbox")
            self._threads_of = os.getpid()
        cancelled, context = threading.Event(), contextvars.copy_context()
        context.run(_cancelled.set, cancelled)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, work)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def _run(self, job: Job) -> Outcome:
        return self._attempt(lambda: self.backend.run(job))

    def _attempt(self, work: Callable[[], Result]) -> Result:
        for attempt in range(ATTEMPTS):
            try:
                return work()
            except InternalError:
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _prepare(self, program: Program, compile_limits: Limits | None, fresh: bool) -> _Ready:
        spoken = language(program.language)
        if spoken.name == "python" and not fresh:
            return _Ready(program, spoken, {}, {}, None, warm=True)
        tools = require(spoken, self.backend)
        job = compile_job(spoken, program, tools, compile_limits)
        outcome = self._compile(job) if job is not None else None
        return _Ready(program, spoken, tools, dict(outcome.fetched) if outcome else {}, outcome, warm=False)

    def _compile(self, job: Job) -> Outcome:
        if fault := _too_large(job):
            raise ValueError(fault)
        outcome = self._compiled.get(job)
        if outcome is None:
            outcome = self.backend.run(job)
            self._compiled.keep(job, outcome)
        return outcome

    def _compile_result(self, ready: _Ready, limits: Limits | None) -> CaseResult:
        outcome = ready.compile
        assert outcome is not None
        found = judging.problem(outcome, limits or ready.language.compile_limits)
        if found:
            return judging.result(Verdict.COMPILE_ERROR, outcome, found[1])
        if not _succeeded(ready):
            return judging.result(Verdict.COMPILE_ERROR, outcome, "the compiler left no program")
        return judging.result(Verdict.ACCEPTED, outcome)

    def _judge_case(self, ready: _Ready, test: TestCase, limits: Limits, checker: Checker) -> CaseResult:
        """The verdict of one test. Only running is tried again: a checker that fails has its own attempts behind it."""
        try:
            if isinstance(test, StdioCase):
                return self._judge_stdio(ready, test, limits, checker)
            if isinstance(test, CallCase):
                outcome = self._run(replace(judging.call_job(ready.source, test, limits), files=ready.program.files))
                return judging.judge_call(outcome, test, limits, checker)
            if isinstance(test, AssertCase) and not test.same_process:
                return self._judge_examined(ready, test, limits)
            return self._judge_same_process(ready, test, limits)
        except InternalError as error:
            return _no_verdict(error)

    def _judge_stdio(self, ready: _Ready, test: StdioCase, limits: Limits, checker: Checker) -> CaseResult:
        job = ready.job(judging.as_bytes(test.stdin), limits)
        if fault := _too_large(job):
            return CaseResult(Verdict.COMPILE_ERROR, note=fault)
        return judging.judge_stdio(self._run(job), test, limits, checker, ready.language)

    def _judge_examined(self, ready: _Ready, test: AssertCase, limits: Limits) -> CaseResult:
        job, examiner = judging.examiner_jobs(ready.source, judging.as_bytes(test.code), test.entry_point, limits)
        job = replace(job, files=ready.program.files)
        return judging.judge_examined(*self._attempt(lambda: self.backend.converse(job, examiner)), limits)

    def _judge_same_process(self, ready: _Ready, test: AssertCase | UnittestCase, limits: Limits) -> CaseResult:
        if isinstance(test, AssertCase):
            mode, entry, expected = "assert", test.entry_point, None
        else:
            mode, entry, expected = "unittest", None, judging.suite_tests(test)
        job, nonce = judging.same_process_job(mode, ready.source, test.code, entry, limits)
        outcome = self._run(replace(job, files=ready.program.files))
        return judging.judge_same_process(outcome, nonce, expected, limits)

    def _judgement(
        self, tests: Sequence[TestCase], results: list[CaseResult], compiled: CaseResult | None
    ) -> Judgement:
        skipped = [CaseResult(Verdict.SKIPPED)] * (len(tests) - len(results))
        verdicts = {each.verdict for each in results}
        if compiled is not None and compiled.verdict is not Verdict.ACCEPTED:
            verdicts.add(compiled.verdict)
        verdict = next(each for each in SEVERITY if each in verdicts)
        return Judgement(
            verdict,
            (*results, *skipped),
            compiled,
            self.backend.name,
            self.backend.isolation,
            "in_process" if any(_is_in_process(test) for test in tests) else "out_of_process",
            _why(verdict, results, compiled),
        )


def _succeeded(ready: _Ready) -> bool:
    outcome = ready.compile
    assert outcome is not None
    ended_well = outcome.ending == "exited" and outcome.exit_code == 0
    return ended_well and set(ready.language.artifacts) <= set(ready.artifacts)


def _too_large(job: Job) -> str:
    """What is wrong where a job's files, with its program's own, do not go into the scratch folders."""
    fits = room_for(job.files) <= job.limits.disk_mb << 20
    return "" if fits else f"the program and its files take more than disk_mb={job.limits.disk_mb} has room for"


def _no_verdict(error: InternalError) -> CaseResult:
    return CaseResult(Verdict.INTERNAL_ERROR, note=str(error))


def _is_in_process(test: TestCase) -> bool:
    return isinstance(test, UnittestCase) or (isinstance(test, AssertCase) and test.same_process)


def is_last(case: CaseResult, stop_early: bool) -> bool:
    """Whether the tests after this one are not run: what does not compile will not compile for another test either."""
    return case.verdict is Verdict.COMPILE_ERROR or (stop_early and case.verdict is not Verdict.ACCEPTED)


def stop_if_cancelled() -> None:
    """Raise `InternalError` when nobody waits for this judgement any more."""
    if (cancelled := _cancelled.get()) is not None and cancelled.is_set():
        raise InternalError("the judgement was cancelled")


def _why(verdict: Verdict, results: list[CaseResult], compiled: CaseResult | None) -> str:
    if compiled is not None and compiled.verdict is verdict:
        return compiled.note if verdict is not Verdict.ACCEPTED else ""
    for number, each in enumerate(results, 1):
        if each.verdict is verdict and verdict is not Verdict.ACCEPTED:
            return f"test {number}: {each.note}" if each.note else f"test {number}"
    return ""
