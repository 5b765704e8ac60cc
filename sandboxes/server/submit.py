"""SandboxFusion's `POST /submit` for tests that come with the request; this server has no data sets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sandboxes import Sandbox
from sandboxes.checkers import Check
from sandboxes.server.extraction import Extracted, extract
from sandboxes.server.fusion_format import (
    LANGUAGES,
    CommandResult,
    EvalResult,
    EvalTest,
    RunCodeResponse,
    StdioTest,
    SubmitConfig,
    SubmitRequest,
    overall_status,
)
from sandboxes.server.gate import Refusal
from sandboxes.server.paths import decode_files
from sandboxes.server.settings import Settings
from sandboxes.types import AssertCase, CaseResult, Judgement, Program, StdioCase, TestCase, Verdict

_COMPILED = frozenset({"cpp", "c", "go", "java", "rust"})
_LONGEST_SHOWN = 1000
_STDIO_TESTS: TypeAdapter[list[StdioTest]] = TypeAdapter(list[StdioTest])


class SubmitChecker:
    """Compares output as SandboxFusion does: line by line, in any case, numbers to a relative 1e-5."""

    name = "sandboxfusion"

    def compare_output(self, stdin: bytes, output: bytes, expected: bytes) -> Check:
        """Compare what a program wrote."""
        given, wanted = (text.decode("utf-8", "replace").lower().strip().split("\n") for text in (output, expected))
        if len(given) != len(wanted):
            return Check(False, f"{len(given)} lines instead of {len(wanted)}")
        for number, (line, other) in enumerate(zip(given, wanted, strict=True), 1):
            if line.strip() != other.strip() and not _close(line, other):
                return Check(False, f"line {number} differs")
        return Check(True)

    def compare_values(self, value: object, expected: object) -> Check:
        """Compare what a function returned, which SandboxFusion has no tests of."""
        return Check(type(value) is type(expected) and value == expected)


def _close(line: str, other: str) -> bool:
    # What Python reads as a number besides, such as full-width digits, a program has no honest reason to write.
    if not (line.isascii() and other.isascii()) or "_" in line + other:
        return False
    try:
        value, expected = float(line), float(other)
    except ValueError:
        return False
    return abs(value - expected) < 1e-5 * max(abs(expected), 1e-10)


@dataclass(frozen=True, slots=True)
class _Submission:
    extracted: Extracted
    program: Program
    cases: list[TestCase]
    compile_seconds: float
    run_seconds: float


async def submit(sandbox: Sandbox, settings: Settings, request: SubmitRequest) -> EvalResult:
    """Judge the code in a completion by the tests that came with it.

    Raises:
        Refusal: The request is malformed, asks for what is not here, or the sandbox failed, which is no verdict.
    """
    submission = prepare(settings, request)
    try:
        judgement = await sandbox.judge_async(
            submission.program,
            submission.cases,
            settings.for_command(submission.run_seconds),
            checker=SubmitChecker(),
            stop_early=not request.config.extra.get("run_all_cases"),
            compile_limits=settings.for_compiling(submission.program.language, submission.compile_seconds),
        )
    except ValueError as error:
        raise Refusal(400, "invalid", str(error)) from None
    if not judgement.decided:
        raise Refusal(503, "internal_error", f"the sandbox failed, there is no verdict: {judgement.note}")
    return EvalResult(
        id=request.id,
        accepted=judgement.verdict is Verdict.ACCEPTED,
        extracted_code=submission.extracted.code,
        tests=_tests(judgement, submission.cases, bool(request.config.extra.get("return_full_case"))),
        extracted_type=submission.extracted.kind,
        extra={"verdict": judgement.verdict.code, "tampering": judgement.tampering},
    )


def prepare(settings: Settings, request: SubmitRequest) -> _Submission:
    """Read a request.

    Raises:
        Refusal: It is malformed, or asks for what is not here.
    """
    config = request.config
    if config.custom_extract_logic is not None:
        raise Refusal(
            400, "invalid", "custom_extract_logic is code for the server to execute, which this one never does"
        )
    if not config.provided_data:
        detail = (
            f"this server has no data sets, so it does not know {request.id!r:.80} of {request.dataset!r:.80}; "
            "send the tests as config.provided_data"
        )
        raise Refusal(400, "invalid", detail)
    if not isinstance(config.provided_data, dict):
        raise Refusal(400, "invalid", "config.provided_data must be one object with the tests under `test`")
    tests = _tests_of(config.provided_data)
    try:
        if isinstance(tests, list):
            return _stdio(request.completion, config, _STDIO_TESTS.validate_python(tests))
        return _asserts(settings, request.completion, config.provided_data, tests, config)
    except ValidationError as error:
        detail = f"the tests do not read as SandboxFusion's: {error.errors()[0]['msg']}"
        raise Refusal(400, "invalid", detail) from None
    except ValueError as error:
        raise Refusal(400, "invalid", str(error)) from None


def _tests_of(row: Mapping[str, Any]) -> list[Any] | dict[str, Any]:
    tests = _loaded(row.get("test", row.get("test_cases")))
    if not isinstance(tests, list | dict) or not tests:
        raise Refusal(400, "invalid", "config.provided_data needs the tests under `test` or `test_cases`")
    return tests


def _loaded(value: Any) -> Any:
    """A field that may have come as text of JSON."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        raise Refusal(400, "invalid", "a text in config.provided_data is not JSON") from None


def _stdio(completion: str, config: SubmitConfig, tests: list[StdioTest]) -> _Submission:
    """CommonOJDataset: whole programs, standard input and output."""
    language = config.language
    if language is None or language not in LANGUAGES or language == "pytest":
        known = ", ".join(name for name in LANGUAGES if name != "pytest")
        raise ValueError(f"config.language must be one of {known}, not {language!r:.80}")
    if any("stdin" not in test.input or "stdout" not in test.output for test in tests):
        raise ValueError('each test must be {"input": {"stdin": ...}, "output": {"stdout": ...}}')
    cases: list[TestCase] = [StdioCase(test.input["stdin"], test.output["stdout"]) for test in tests]
    extracted = extract(completion, language)
    program = Program(extracted.code, LANGUAGES[language])
    run_seconds = config.run_timeout or (10 if language in _COMPILED else 20)
    return _Submission(extracted, program, cases, config.compile_timeout or 10, run_seconds)


def _asserts(
    settings: Settings, completion: str, row: Mapping[str, Any], test: Mapping[str, Any], config: SubmitConfig
) -> _Submission:
    """AutoEvalDataset: a module and assertions to run after it, in Python alone."""
    labels = _loaded(row.get("labels")) or {}
    language = labels.get("programming_language", config.language) if isinstance(labels, dict) else None
    if language != "python" or labels.get("execution_language", "python") != "python":
        raise ValueError(f"tests that are code are judged here for python alone, not for {language!r:.80}")
    code, assets = test.get("code"), _loaded(test.get("asset")) or {}
    if not isinstance(code, str) or not isinstance(assets, dict) or not all(map(_is_text, assets.values())):
        raise ValueError("tests that are code are an object with the text `code` and, at most, base64 texts in `asset`")
    if "#<INSERT>" in code:
        raise ValueError("tests around `#<INSERT>` are not judged here: the program could not be told from its tests")
    extracted = extract(completion, "python")
    program = Program(extracted.code, files=decode_files(assets, settings.limits.disk_mb << 20))
    cases: list[TestCase] = [AssertCase(code, same_process=True)]
    return _Submission(extracted, program, cases, config.compile_timeout or 40, config.run_timeout or 20)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _tests(judgement: Judgement, cases: list[TestCase], whole: bool) -> list[EvalTest]:
    """The records of the tests that ran, or what the compiler said as the record of the first."""
    compiled = _command_result(judgement.compile) if judgement.compile is not None else None
    if judgement.verdict is Verdict.COMPILE_ERROR and compiled is not None:
        response = RunCodeResponse(status=overall_status(compiled, None), compile_result=compiled)
        return [EvalTest(passed=False, exec_info=response, test_info=_test_info(cases[0], whole=True))]
    tests = []
    for case, result in zip(cases, judgement.cases, strict=True):
        if result.verdict is not Verdict.SKIPPED:
            ran, passed = _command_result(result), result.verdict is Verdict.ACCEPTED
            response = RunCodeResponse(status=overall_status(compiled, ran), compile_result=compiled, run_result=ran)
            tests.append(EvalTest(passed=passed, exec_info=response, test_info=_test_info(case, whole or not passed)))
    return tests


def _command_result(result: CaseResult) -> CommandResult:
    timed_out = result.verdict is Verdict.TIME_LIMIT
    code = result.exit_code if result.exit_code is not None else -(result.signal or 0)
    if result.verdict not in (Verdict.ACCEPTED, Verdict.WRONG_ANSWER):
        code = code or 1
    return CommandResult(
        status="TimeLimitExceeded" if timed_out else "Finished",
        execution_time=result.wall_s,
        return_code=None if timed_out else code,
        stdout=result.stdout,
        stderr=result.stderr if not result.note else f"{result.stderr}\n[sandbox: {result.note}]\n",
    )


def _test_info(case: TestCase, whole: bool) -> dict[str, Any] | None:
    if not isinstance(case, StdioCase):
        return None
    longest = None if whole else _LONGEST_SHOWN
    return {"input": {"stdin": case.stdin[:longest]}, "output": {"stdout": case.expected[:longest]}}
