"""From the facts of a run to the verdict of a test. In the trusted process, on bytes and on plain data."""

from __future__ import annotations

import secrets
from typing import Any

from sandboxes.checkers import Check, Checker
from sandboxes.inside import conversation, values, wire
from sandboxes.languages import Language, language, ran_out_of_memory
from sandboxes.suites import Suite
from sandboxes.suites import check_assertions as check_assertions
from sandboxes.suites import suite_tests as suite_tests
from sandboxes.types import SEVERITY, CallCase, CaseResult, Job, Limits, Outcome, StdioCase, Verdict

_HEAD = 4000
_LONGEST_NOTE = 1000
_PYTHON = language("python")
_ENDINGS = {
    "cpu": (Verdict.TIME_LIMIT, "more than {0.cpu_s:g} CPU seconds"),
    "wall": (Verdict.TIME_LIMIT, "more than {0.wall:g} seconds by the clock"),
    "memory": (Verdict.MEMORY_LIMIT, "more than {0.memory_mb} MiB"),
    "output": (Verdict.OUTPUT_LIMIT, "more output than allowed"),
    "policy": (Verdict.POLICY_VIOLATION, "a forbidden system call"),
}


def problem(outcome: Outcome, limits: Limits, spoken: Language = _PYTHON) -> tuple[Verdict, str] | None:
    """What went wrong with a run, whatever it answered; None when it ended well.

    Args:
        outcome: The facts.
        limits: What the run was allowed, for the note.
        spoken: The program's language, whose runtime may have words of its own for want of memory.
    """
    if outcome.ending in _ENDINGS:
        verdict, note = _ENDINGS[outcome.ending]
        return verdict, note.format(limits)
    if not outcome.compiled:
        return Verdict.COMPILE_ERROR, _last_line(outcome.stderr)
    if outcome.signal is None and not outcome.exit_code:
        return None
    if ran_out_of_memory(spoken, outcome):
        return Verdict.MEMORY_LIMIT, f"no more memory: {_last_line(outcome.stderr)}"
    if outcome.signal is not None:
        return Verdict.RUNTIME_ERROR, f"ended by signal {outcome.signal}"
    return Verdict.RUNTIME_ERROR, f"exit code {outcome.exit_code}: {_last_line(outcome.stderr)}".removesuffix(": ")


def result(verdict: Verdict, outcome: Outcome, note: str = "") -> CaseResult:
    """The result of a test with the facts of its run."""
    return CaseResult(
        verdict=verdict,
        cpu_s=outcome.cpu_s,
        wall_s=outcome.wall_s,
        peak_bytes=outcome.peak_bytes,
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        stdout=outcome.stdout[:_HEAD].decode("utf-8", "replace"),
        stderr=outcome.stderr[:_HEAD].decode("utf-8", "replace"),
        truncated=max(len(outcome.stdout), len(outcome.stderr)) > _HEAD,
        note=shown(note),
    )


def shown(text: str) -> str:
    """What a program may have written, short and on one line: notes end up in logs and on terminals."""
    start = text[:_LONGEST_NOTE]
    plain = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in start)
    return plain if len(plain) <= _LONGEST_NOTE and start == text else f"{plain[:_LONGEST_NOTE]}..."


def as_bytes(text: str | bytes) -> bytes:
    """A test's text as a program reads it."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def judge_stdio(
    outcome: Outcome, case: StdioCase, limits: Limits, checker: Checker, spoken: Language = _PYTHON
) -> CaseResult:
    """The verdict on what a program wrote to standard output.

    Raises:
        InternalError: The checker is a program that failed.
    """
    if found := problem(outcome, limits, spoken):
        return result(found[0], outcome, found[1])
    check = checker.compare_output(as_bytes(case.stdin), outcome.stdout, as_bytes(case.expected))
    return _checked(check, outcome)


def call_job(source: bytes, case: CallCase, limits: Limits) -> Job:
    """A run that calls one function once.

    Raises:
        ValueError: The arguments are no plain data.
    """
    call = [conversation.CALL, case.function, list(case.args), dict(case.kwargs), limits.output_kb << 10]
    return Job(mode="call", source=source, message=wire.frame(_plain(call)), limits=limits)


def judge_call(outcome: Outcome, case: CallCase, limits: Limits, checker: Checker) -> CaseResult:
    """The verdict on what a call returned."""
    if found := problem(outcome, limits):
        return result(found[0], outcome, found[1])
    records = wire.frames(outcome.reply)
    if records is None or len(records) != 1:
        count = "a broken answer" if records is None else f"{len(records)} answers"
        return result(Verdict.RUNTIME_ERROR, outcome, f"{count} to one call")
    kind, body = records[0][:1], records[0][1:]
    try:
        if kind == conversation.VALUE:
            value, _ = conversation.split_value(body)
        elif kind == conversation.RAISED:
            return result(Verdict.RUNTIME_ERROR, outcome, _raised(body))
        elif kind == conversation.UNFIT:
            note = f"returned no plain data: {body[:200].decode('utf-8', 'replace')}"
            return result(Verdict.WRONG_ANSWER, outcome, note)
        else:
            return result(Verdict.RUNTIME_ERROR, outcome, f"an answer of unknown kind {kind!r}")
    except (ValueError, TypeError, IndexError, KeyError):
        return result(Verdict.RUNTIME_ERROR, outcome, "a malformed answer")
    return _checked(checker.compare_values(value, case.expected), outcome)


def _raised(body: bytes) -> str:
    names, message = values.decode(body)
    if type(message) is not str or type(names[0]) is not str:
        raise ValueError("an exception without a name")
    return f"raised {names[0]}: {message}"


def _checked(check: Check, outcome: Outcome) -> CaseResult:
    return result(Verdict.ACCEPTED if check.accepted else Verdict.WRONG_ANSWER, outcome, check.note)


def examiner_jobs(source: bytes, test: bytes, entry: str | None, limits: Limits) -> tuple[Job, Job]:
    """The runs of a program and of the assertions over it, each in a sandbox of its own."""
    message = wire.frame(_plain([entry, limits.output_kb << 10]))
    patience = max(10 * limits.cpu_s, _PATIENCE_S)
    longer = limits.plus(cpu_s=patience - limits.cpu_s, wall_s=patience)
    patient = Limits(
        cpu_s=longer.cpu_s,
        wall_s=longer.wall_s,
        memory_mb=max(limits.memory_mb, _EXAMINER_MB),
        output_kb=max(limits.output_kb, 1024),
    )
    return Job(mode="call", source=source, limits=limits), Job(
        mode="examine", source=test, message=message, limits=patient
    )


# What the test computes itself is none of the program's time, and what it keeps none of its memory.
_PATIENCE_S, _EXAMINER_MB = 30.0, 1024

_REPORTED = {
    "passed": Verdict.ACCEPTED,
    "failed": Verdict.WRONG_ANSWER,
    "raised": Verdict.RUNTIME_ERROR,
    "gone": Verdict.RUNTIME_ERROR,
    "broken": Verdict.RUNTIME_ERROR,
    "unfit": Verdict.INTERNAL_ERROR,
}


def judge_examined(program: Outcome, examiner: Outcome, limits: Limits) -> CaseResult:
    """The verdict on a program by assertions in another sandbox."""
    found = problem(program, limits)
    try:
        how, why = values.decode(examiner.reply)
        verdict = _REPORTED[how]
    except (ValueError, TypeError, KeyError):
        trouble = problem(examiner, limits)
        note = f"the assertions did not end well: {trouble[1] if trouble else 'no report'}"
        return result(found[0] if found else Verdict.RUNTIME_ERROR, program, found[1] if found else note)
    if verdict is Verdict.INTERNAL_ERROR:
        return result(verdict, program, f"the test does not fit: {why}")
    if found and (verdict is not Verdict.WRONG_ANSWER or found[0] is not Verdict.RUNTIME_ERROR):
        return result(found[0], program, found[1])
    return result(verdict, program, str(why))


def same_process_job(mode: str, source: bytes, test: str, entry: str | None, limits: Limits) -> tuple[Job, bytes]:
    """A run of a program and of its test in one process, and the secret that its record must end with."""
    nonce = secrets.token_bytes(16)
    message = wire.frame(_plain([test, entry])) + wire.frame(nonce)
    job = Job(mode=mode, source=source, message=message, limits=limits)  # type: ignore[arg-type]
    return job, nonce


def judge_same_process(outcome: Outcome, nonce: bytes, expected: Suite | None, limits: Limits) -> CaseResult:
    """The verdict by a test that ran in the program's own process.

    Args:
        outcome: The facts.
        nonce: What the record must end with.
        expected: For a suite, what it says of its tests.
        limits: What the run was allowed.
    """
    if found := problem(outcome, limits):
        return result(found[0], outcome, found[1])
    records = wire.frames(outcome.reply)
    if records is None or len(records) != 1 or records[0][:1] != conversation.DONE or not records[0].endswith(nonce):
        return result(Verdict.RUNTIME_ERROR, outcome, "the program ended before its test did")
    try:
        how, why = values.decode(records[0][1 : -len(nonce)])
        if expected is None:
            return result(_REPORTED[how], outcome, str(why))
        if how != "ran":
            return result(min(_REPORTED[how], Verdict.RUNTIME_ERROR, key=SEVERITY.index), outcome, str(why))
        ran, bad, skipped = ({str(name) for name in names} for names in why)
    except (ValueError, TypeError, KeyError):
        return result(Verdict.RUNTIME_ERROR, outcome, "a malformed record of the test")
    must_not_skip = {name for name in skipped if not {name, name.split(".")[0]} & expected.skippable}
    missing = expected.certain - ran - skipped
    for names, verb in ((bad, "failed"), (must_not_skip, "skipped"), (missing, "not run as written")):
        if names:
            return result(Verdict.WRONG_ANSWER, outcome, f"{verb}: {', '.join(sorted(names))[:500]}")
    if not ran - skipped:
        return result(Verdict.WRONG_ANSWER, outcome, "no test was run")
    return result(Verdict.ACCEPTED, outcome)


def _plain(value: Any) -> bytes:
    try:
        return values.encode(value, conversation.LARGEST_RECORD)
    except values.Unencodable as error:
        raise ValueError(f"a test's arguments must be plain data: {error}") from error


def _last_line(text: bytes) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:300].decode("utf-8", "replace") if lines else ""
