"""Judging programs: the one file to read to understand how a verdict comes about."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from sandboxes import judging
from sandboxes.backend import Backend
from sandboxes.checkers import Checker
from sandboxes.checkers import checker as choose_checker
from sandboxes.errors import InternalError
from sandboxes.languages import Language, compile_job, language, ran_out_of_memory, require, run_job
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

    def judge(
        self,
        program: Program,
        tests: Sequence[TestCase],
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
            fresh: Start a new interpreter for each test of a Python program, instead of forking a warm one.

        Raises:
            ValueError: There are no tests, an unknown language or checker, or a test that does not fit the language.
            ToolchainMissing: The language's compiler or interpreter is not installed where programs run.
        """
        if not tests:
            raise ValueError("no tests: a program without tests has no verdict")
        compare = choose_checker(checker)
        _check_fit(program, tests)
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
            results.append(self._judge_case(ready, test, limits, compare))
            if stop_early and results[-1].verdict is not Verdict.ACCEPTED:
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
    ) -> Run:
        """Run a program once, without a test.

        Args:
            program: The program.
            stdin: Its standard input.
            limits: What it may use.
            compile_limits: What the compile step may use; None takes the language's own.
            fresh: Start a new interpreter for a Python program.
            fetch: Files of its working folder to bring back.

        Raises:
            InternalError: The sandbox failed on every attempt.
            ToolchainMissing: The language's compiler or interpreter is not installed where programs run.
            ValueError: An unknown language.
        """
        ready = self._attempt(lambda: self._prepare(program, compile_limits, fresh))
        if ready.compile is not None and not _succeeded(ready):
            return Run(ready.compile, None)
        job = replace(ready.job(stdin, limits), fetch=fetch)
        return Run(ready.compile, self._attempt(lambda: self.backend.run(job)))

    async def judge_async(self, *args, **kwargs) -> Judgement:
        """`judge`, without blocking the event loop."""
        return await self._in_thread(lambda: self.judge(*args, **kwargs))

    async def run_async(self, *args, **kwargs) -> Run:
        """`run`, without blocking the event loop."""
        return await self._in_thread(lambda: self.run(*args, **kwargs))

    def close(self) -> None:
        """End all workers; what runs ends without a verdict."""
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

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        if self._threads is None or self._threads_of != os.getpid():  # a forked process inherits no threads
            self._threads = ThreadPoolExecutor(self.backend.workers, thread_name_prefix="sandbox")
            self._threads_of = os.getpid()
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

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
        outcome = self.backend.run(job) if job is not None else None
        return _Ready(program, spoken, tools, dict(outcome.fetched) if outcome else {}, outcome, warm=False)

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
        try:
            return self._attempt(lambda: self._judge_once(ready, test, limits, checker))
        except InternalError as error:
            return _no_verdict(error)

    def _judge_once(self, ready: _Ready, test: TestCase, limits: Limits, checker: Checker) -> CaseResult:
        if isinstance(test, StdioCase):
            outcome = self.backend.run(ready.job(judging.as_bytes(test.stdin), limits))
            found = judging.judge_stdio(outcome, test, limits, checker)
            if found.verdict is Verdict.RUNTIME_ERROR and ran_out_of_memory(ready.language, outcome):
                return replace(found, verdict=Verdict.MEMORY_LIMIT)
            return found
        files = ready.program.files
        if isinstance(test, CallCase):
            job = replace(judging.call_job(ready.source, test, limits), files=files)
            return judging.judge_call(self.backend.run(job), test, limits, checker)
        if isinstance(test, AssertCase) and not test.same_process:
            code = judging.as_bytes(test.code)
            job, examiner = judging.examiner_jobs(ready.source, code, test.entry_point, limits)
            return judging.judge_examined(*self.backend.converse(replace(job, files=files), examiner), limits)
        if isinstance(test, AssertCase):
            mode, entry, expected = "assert", test.entry_point, None
        else:
            mode, entry, expected = "unittest", None, judging.suite_tests(test)
        job, nonce = judging.same_process_job(mode, ready.source, test.code, entry, limits)
        return judging.judge_same_process(self.backend.run(replace(job, files=files)), nonce, expected, limits)

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


def _no_verdict(error: InternalError) -> CaseResult:
    return CaseResult(Verdict.INTERNAL_ERROR, note=str(error))


def _is_in_process(test: TestCase) -> bool:
    return isinstance(test, UnittestCase) or (isinstance(test, AssertCase) and test.same_process)


def _check_fit(program: Program, tests: Sequence[TestCase]) -> None:
    """Refuse tests that cannot be run at all before anything runs."""
    spoken = language(program.language)
    for number, test in enumerate(tests, 1):
        if not isinstance(test, StdioCase) and spoken.name != "python":
            kind = type(test).__name__
            raise ValueError(f"test {number} is a {kind}, which takes a Python program, not {spoken.name}")
        if isinstance(test, UnittestCase):
            judging.suite_tests(test)


def _why(verdict: Verdict, results: list[CaseResult], compiled: CaseResult | None) -> str:
    if compiled is not None and compiled.verdict is verdict:
        return compiled.note if verdict is not Verdict.ACCEPTED else ""
    for number, each in enumerate(results, 1):
        if each.verdict is verdict and verdict is not Verdict.ACCEPTED:
            return f"test {number}: {each.note}" if each.note else f"test {number}"
    return ""
