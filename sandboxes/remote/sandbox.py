"""A sandbox whose programs run on a server, while their outputs are compared here."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from sandboxes import judging
from sandboxes.checkers import Checker
from sandboxes.checkers import checker as choose_checker
from sandboxes.cores import worker_count
from sandboxes.errors import InternalError, SandboxUnavailable
from sandboxes.inputs import check_room, check_run, check_tests
from sandboxes.languages import language
from sandboxes.remote.calls import driver_program, read_back
from sandboxes.remote.dialects import Dialect, Task, ended_well
from sandboxes.remote.fusion import Fusion
from sandboxes.remote.host import RemoteHost, check_url
from sandboxes.remote.judge_there import judge_there
from sandboxes.remote.mars import Mars
from sandboxes.remote.piston import Piston
from sandboxes.remote.transport import Patience
from sandboxes.sandbox import Run, Sandbox, is_last, stop_if_cancelled
from sandboxes.types import CallCase, CaseResult, Judgement, Limits, Outcome, Program, StdioCase, TestCase, Verdict

DIALECTS: dict[str, type[Mars] | type[Fusion] | type[Piston]] = {"mars": Mars, "fusion": Fusion, "piston": Piston}
TOKEN_VARIABLE = "MARS_SANDBOX_TOKEN"
_FUSION_HANGS_ABOVE = 100_000
_LIMITS = Limits()
_PATIENCE = Patience()
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A test on its way: what was sent for it, and what is to come back."""

    test: TestCase
    mark: str
    answer: Future[Run]


class RemoteSandbox(Sandbox):
    """Judges programs that a server runs. What outputs should be stays here, unless the server is trusted with it.

    A server that cannot be reached, or that fails, is asked again; when that does not help there is no verdict
    (`Verdict.INTERNAL_ERROR`). What a server says of a program is never asked for twice.
    """

    backend: RemoteHost

    def __init__(
        self,
        url: str,
        *,
        dialect: Literal["mars", "fusion", "piston"] = "mars",
        token: str | None = None,
        workers: int = 8,
        tests_on_server: bool = False,
        patience: Patience = _PATIENCE,
        headers: Mapping[str, str] | None = None,
    ):
        """Nothing is sent before the first program.

        Args:
            url: The server's address: `http://127.0.0.1:8080`.
            dialect: What it speaks: "mars" (`mars sandbox serve`), "fusion" (SandboxFusion) or "piston" (Piston v2).
            token: What to show it; by default, for our own servers, `$MARS_SANDBOX_TOKEN`.
            workers: How many requests may be under way at once.
            tests_on_server: Send the tests, with what outputs should be, to our own server, which then compares. One
                request judges a program, and tests are sent once.
            patience: How long to bear with the server.
            headers: More to send with each request.

        Raises:
            ValueError: The address is none, or the dialect is unknown or cannot judge on the server.
        """
        if dialect not in DIALECTS:
            raise ValueError(f"no dialect {dialect!r}; there are {', '.join(DIALECTS)}")
        if tests_on_server and dialect != "mars":
            raise ValueError(f"only our own servers judge; a server of the dialect {dialect!r} gets no tests")
        if token is None and dialect == "mars":
            token = os.environ.get(TOKEN_VARIABLE)
        headers = dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        super().__init__(RemoteHost(check_url(url), DIALECTS[dialect](), worker_count(workers), headers, patience))
        self._tests_on_server = tests_on_server
        self._warned = False

    @property
    def _dialect(self) -> Dialect:
        return self.backend.dialect

    def judge(
        self,
        program: Program,
        tests: Iterable[TestCase],
        limits: Limits = _LIMITS,
        *,
        checker: str | dict | Checker | None = None,
        stop_early: bool = False,
        compile_limits: Limits | None = None,
        fresh: bool = False,
    ) -> Judgement:
        """See `Sandbox.judge`; tests run at the same time.

        Raises:
            ValueError: As there.
            ToolchainMissing: The server does not have the language.
            SandboxUnavailable: The server refuses to work, or tests of this kind cannot be judged with it.
        """
        self._require_open()
        compare = choose_checker(checker)
        tests = check_tests(program, tests, fresh)
        check_room(program, limits)
        task = Task(_canonical(program), b"", self._clocked(limits), compile_limits, fresh)
        if not self._tests_on_server:
            self._check_kinds(tests)
            return self._judge_here(task, tests, compare, stop_early)
        try:
            return self._wait(self.backend.start(lambda link: judge_there(link, task, tests, compare, stop_early)))
        except InternalError as error:
            return self._judgement(tests, [_no_verdict(error)], None)

    def run(
        self,
        program: Program,
        stdin: bytes = b"",
        limits: Limits = _LIMITS,
        *,
        compile_limits: Limits | None = None,
        fresh: bool = False,
        fetch: tuple[str, ...] = (),
        inputs: Mapping[str, bytes] | None = None,
    ) -> Run:
        """See `Sandbox.run`.

        Raises:
            InternalError: The server failed, whatever was tried.
            ToolchainMissing: The server does not have the language.
            SandboxUnavailable: The server refuses to work, or cannot do this.
            ValueError: An unknown language, or a file outside of the working folder.
        """
        self._require_open()
        check_run(stdin, fetch)
        program = replace(program, files={**program.files, **(inputs or {})})
        check_room(program, limits)
        task = Task(_canonical(program), stdin, self._clocked(limits), compile_limits, fresh, fetch)
        return self._wait(self._send(task))

    def _judge_here(self, task: Task, tests: Sequence[TestCase], checker: Checker, stop_early: bool) -> Judgement:
        results: list[CaseResult] = []
        compiled = None
        # The first test goes ahead: when it does not compile the others need not be sent.
        batches = [[test] for test in tests] if stop_early else [tests[:1], tests[1:]]
        for batch in batches:
            stop_if_cancelled()
            asked = [self._ask(task, test) for test in batch]
            try:
                for each in asked:
                    compiled, found = self._answered(each, task, checker, compiled)
                    if found is None:
                        return self._judgement(tests, [], compiled)
                    results.append(found)
            finally:
                for each in asked:
                    each.answer.cancel()
            if is_last(results[-1], stop_early):
                break
        judgement = self._judgement(tests, results, compiled)
        weaker = self._dialect.name != "mars" and any(isinstance(test, CallCase) for test in tests)
        return replace(judgement, tampering="in_process") if weaker else judgement

    def _ask(self, task: Task, test: TestCase) -> _Asked:
        if isinstance(test, StdioCase):
            if len(test.expected) > _FUSION_HANGS_ABOVE:
                self._warn_of_output()
            return _Asked(test, "", self._send(replace(task, stdin=judging.as_bytes(test.stdin))))
        assert isinstance(test, CallCase)
        if self._dialect.name == "mars":
            return _Asked(test, "", self._send(replace(task, call=test)))
        program, mark = driver_program(task.program, test, task.limits)
        # The result comes on standard output as well, where each may be as long as the limit.
        limits = task.limits.plus(output_kb=task.limits.output_kb + 1)
        return _Asked(test, mark, self._send(replace(task, program=program, limits=limits)))

    def _answered(
        self, asked: _Asked, task: Task, checker: Checker, compiled: CaseResult | None
    ) -> tuple[CaseResult | None, CaseResult | None]:
        """The compile step's result and the test's, which is None when the program did not compile."""
        try:
            run = self._wait(asked.answer)
            if run.compile is not None:
                compiled = _compile_result(run.compile, task.compiling)
            if run.outcome is None:
                return compiled, None
            return compiled, self._case_result(asked, run.outcome, task, checker)
        except InternalError as error:
            return compiled, _no_verdict(error)

    def _case_result(self, asked: _Asked, outcome: Outcome, task: Task, checker: Checker) -> CaseResult:
        if isinstance(asked.test, CallCase):
            if asked.mark:
                outcome = _held_to(read_back(outcome, asked.mark), task.limits)
            found = judging.judge_call(outcome, asked.test, task.limits, checker)
        else:
            assert isinstance(asked.test, StdioCase)
            if len(outcome.stdout) > _FUSION_HANGS_ABOVE:
                self._warn_of_output()
            spoken = language(task.program.language)
            found = judging.judge_stdio(outcome, asked.test, task.limits, checker, spoken)
        return found if self._dialect.name == "mars" else _with_guess(found)

    def _send(self, task: Task) -> Future[Run]:
        if self._dialect.name != "mars" and not _is_text(task.program.source):
            return _refused_source()
        return self.backend.start(lambda link: self._dialect.run(link, task))

    def _wait(self, answer: Future[Answer]) -> Answer:
        try:
            return answer.result()
        except CancelledError:
            raise InternalError("the sandbox was closed") from None
        finally:
            answer.cancel()

    def _check_kinds(self, tests: Sequence[TestCase]) -> None:
        for number, test in enumerate(tests, 1):
            if not isinstance(test, StdioCase | CallCase):
                what = "give tests_on_server=True" if self._dialect.name == "mars" else "use our own (dialect mars)"
                raise SandboxUnavailable(
                    f"test {number} is a {type(test).__name__}, which a server can judge only when it gets it: {what}"
                )

    def _clocked(self, limits: Limits) -> Limits:
        """The limits, with the clock held to the CPU's where the server has no other measure."""
        by_clock_alone = self._dialect.name == "fusion" and limits.wall_s is None
        return replace(limits, wall_s=limits.cpu_s) if by_clock_alone else limits

    def _warn_of_output(self) -> None:
        if self._dialect.name == "fusion" and not self._warned:
            self._warned = True
            warnings.warn(
                "SandboxFusion hangs on programs that write more than about 100 kB and calls that a time limit: its "
                "servers judge such tests wrongly",
                stacklevel=2,
            )


def _canonical(program: Program) -> Program:
    return replace(program, language=language(program.language).name)


def _compile_result(outcome: Outcome, limits: Limits) -> CaseResult:
    if ended_well(outcome):
        return judging.result(Verdict.ACCEPTED, outcome)
    found = judging.problem(outcome, limits)
    return judging.result(Verdict.COMPILE_ERROR, outcome, found[1] if found else "")


def _held_to(outcome: Outcome, limits: Limits) -> Outcome:
    too_long = outcome.ending == "exited" and len(outcome.stdout) > limits.output_kb << 10
    return replace(outcome, ending="output") if too_long else outcome


def _with_guess(found: CaseResult) -> CaseResult:
    """The same, with a word on what servers without a verdict on memory leave open."""
    if found.verdict is Verdict.RUNTIME_ERROR and (found.exit_code == 137 or found.signal == 9):
        return replace(found, note=f"{found.note}; maybe the memory limit")
    return found


def _is_text(source: str) -> bool:
    try:
        source.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refused_source() -> Future[Run]:
    """What comes of a source that cannot be sent as text: no compiler would take it either."""
    answer: Future[Run] = Future()
    answer.set_result(Run(None, Outcome("exited", 1, stderr=b"the source is no valid text", compiled=False)))
    return answer


def _no_verdict(error: InternalError) -> CaseResult:
    return CaseResult(Verdict.INTERNAL_ERROR, note=str(error))
