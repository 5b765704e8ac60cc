"""The format of `/v1/judge` and `/v1/run`: programs, tests and limits as JSON, told apart by `kind`, and back."""

from __future__ import annotations

import base64
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, TypeAdapter, model_validator

from sandboxes.inside import values
from sandboxes.judging import as_bytes
from sandboxes.sandbox import Run
from sandboxes.server.paths import check_arguments, confine, decode_base64, decode_files
from sandboxes.types import AssertCase, CallCase, Limits, Outcome, Program, StdioCase, TestCase, UnittestCase

Text = InstanceOf[str]
_MOST_VALUE_BYTES = 256 << 20


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Base64(_Strict):
    """Bytes that are no UTF-8."""

    base64: Text


Data = Text | Base64


def to_data(content: str | bytes) -> str | dict[str, str]:
    """Write text or bytes: as text where they are UTF-8, else as `{"base64": ...}`."""
    if isinstance(content, str):
        return content
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def from_data(data: Data) -> str | bytes:
    """Read what `to_data` wrote."""
    return data if isinstance(data, str) else decode_base64(data.base64, "base64")


class StdioTest(_Strict):
    """`StdioCase`."""

    kind: Literal["stdio"]
    stdin: Data = ""
    expected: Data

    def case(self) -> StdioCase:
        """The test itself."""
        return StdioCase(from_data(self.stdin), from_data(self.expected))


class CallTest(_Strict):
    """`CallCase`, with its values as plain JSON or, where that cannot say them, as typed JSON in `values`.

    `values` is a text of `sandboxes.inside.values`: the list of the arguments, the named arguments and the result.
    """

    kind: Literal["call"]
    function: Text
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    expected: Any = None
    values: Text | None = None

    @model_validator(mode="after")
    def _one_form(self) -> CallTest:
        plain = self.model_fields_set & {"args", "kwargs", "expected"}
        if self.values is None and "expected" not in plain:
            raise ValueError("a call needs `expected` or `values`")
        if self.values is not None and plain:
            raise ValueError("a call has either `values` or `args`, `kwargs` and `expected`")
        return self

    def case(self) -> CallCase:
        """The test itself."""
        if self.values is None:
            return CallCase(self.function, tuple(self.args), self.expected, self.kwargs)
        return _call(self.function, self.values, expected=True)


def _call(function: str, typed: str, *, expected: bool) -> CallCase:
    match values.decode(typed.encode("ascii", "replace")):
        case [[*args], dict(kwargs), *rest] if len(rest) == expected and all(isinstance(name, str) for name in kwargs):
            return CallCase(function, tuple(args), rest[0] if expected else None, kwargs)
    raise ValueError("`values` of a call is the list of its arguments, its named arguments and, for a test, its result")


class AssertTest(_Strict):
    """`AssertCase`."""

    kind: Literal["assert"]
    code: Text
    entry_point: Text | None = None
    same_process: bool = False

    def case(self) -> AssertCase:
        """The test itself."""
        return AssertCase(self.code, self.entry_point, self.same_process)


class UnittestTest(_Strict):
    """`UnittestCase`."""

    kind: Literal["unittest"]
    code: Text

    def case(self) -> UnittestCase:
        """The test itself."""
        return UnittestCase(self.code)


Test = Annotated[StdioTest | CallTest | AssertTest | UnittestTest, Field(discriminator="kind")]
TESTS: TypeAdapter[list[StdioTest | CallTest | AssertTest | UnittestTest]] = TypeAdapter(
    Annotated[list[Test], Field(min_length=1)]
)


def case_to_json(case: TestCase) -> dict[str, Any]:
    """Write a test.

    Raises:
        ValueError: It holds a value that is no plain data.
    """
    match case:
        case StdioCase(stdin, expected):
            return {"kind": "stdio", "stdin": to_data(stdin), "expected": to_data(expected)}
        case CallCase(function, args, expected, kwargs):
            typed = values.encode([list(args), dict(kwargs), expected], _MOST_VALUE_BYTES)
            return {"kind": "call", "function": function, "values": typed.decode("ascii")}
        case AssertCase():
            return {"kind": "assert", **asdict(case)}
        case UnittestCase():
            return {"kind": "unittest", **asdict(case)}


class LimitFields(_Strict):
    """`Limits`; what is left out is the server's default."""

    cpu_s: float | None = None
    wall_s: float | None = None
    memory_mb: int | None = None
    output_kb: int | None = None
    processes: int | None = None
    file_mb: int | None = None
    disk_mb: int | None = None
    open_files: int | None = None
    stack_mb: int | None = None

    def over(self, defaults: Limits) -> Limits:
        """These limits, and the defaults for what was left out.

        Raises:
            ValueError: A limit is not above 0.
        """
        return replace(defaults, **self.model_dump(exclude_none=True))


def limits_to_json(limits: Limits) -> dict[str, Any]:
    """Write limits, so that none is left to the server's defaults; an open `wall_s` is the one that applies."""
    return asdict(limits) | {"wall_s": limits.wall}


class ProgramFields(_Strict):
    """What says how to run a program, in `/v1/run` and `/v1/judge`."""

    language: Text = "python"
    source: Text
    files: dict[Text, Text | None] = {}
    arguments: list[Text] = []
    limits: LimitFields = LimitFields()
    compile_limits: LimitFields | None = None
    fresh: bool = False

    def program(self, most_bytes: int) -> Program:
        """The program itself.

        Raises:
            ValueError: A file is not confined, they are too large, or an argument is none.
        """
        return Program(
            self.source, self.language, decode_files(self.files, most_bytes), check_arguments(self.arguments)
        )


def program_to_json(
    program: Program, limits: Limits, compile_limits: Limits | None = None, fresh: bool = False
) -> dict[str, Any]:
    """Write the fields of `ProgramFields`."""
    return {
        "language": program.language,
        "source": program.source,
        "files": {name: base64.b64encode(content).decode() for name, content in program.files.items()},
        "arguments": list(program.arguments),
        "limits": limits_to_json(limits),
        "compile_limits": None if compile_limits is None else limits_to_json(compile_limits),
        "fresh": fresh,
    }


class CallFields(_Strict):
    """A function to call: `values` is the list of its arguments and its named arguments, as typed JSON."""

    function: Text
    values: Text

    def case(self) -> CallCase:
        """The call, as a test without an expected value."""
        return _call(self.function, self.values, expected=False)


class RunRequest(ProgramFields):
    """The body of `POST /v1/run`: a whole program, or with `call` one function of a Python program."""

    stdin: Data = ""
    fetch: list[Text] = []
    call: CallFields | None = None

    def confined_fetch(self) -> tuple[str, ...]:
        """The files to bring back.

        Raises:
            ValueError: One is not confined.
        """
        confine(self.fetch)
        return tuple(self.fetch)


class SpecialFields(ProgramFields):
    """A special judge: a program that decides, which runs in the server's sandbox."""

    kind: Literal["special"]
    refusals: tuple[int, ...] = (1,)


class JudgeRequest(ProgramFields):
    """The body of `POST /v1/judge`: with `tests`, or with the `tests_id` under which the server has them."""

    tests: Annotated[list[Test], Field(min_length=1)] | None = None
    tests_id: Text | None = None
    checker: Annotated[Text | SpecialFields | dict[str, Any] | None, Field(union_mode="left_to_right")] = None
    stop_early: bool = False

    @model_validator(mode="after")
    def _one_source_of_tests(self) -> JudgeRequest:
        if (self.tests is None) == (self.tests_id is None):
            raise ValueError("give either `tests` or `tests_id`")
        return self


class OutcomeFields(BaseModel):
    """`Outcome`, as `/v1/run` tells it."""

    model_config = ConfigDict(allow_inf_nan=False)

    ending: Literal["exited", "cpu", "wall", "memory", "output", "policy"]
    exit_code: int | None = None
    signal: int | None = None
    cpu_s: float | None = None
    wall_s: float = 0.0
    peak_bytes: int | None = None
    stdout: Data = ""
    stderr: Data = ""
    reply: Data = ""
    fetched: dict[Text, Data] = {}
    compiled: bool = True

    def outcome(self) -> Outcome:
        """The outcome itself."""
        return Outcome(
            self.ending,
            self.exit_code,
            self.signal,
            self.cpu_s,
            self.wall_s,
            self.peak_bytes,
            _as_bytes(self.stdout),
            _as_bytes(self.stderr),
            _as_bytes(self.reply),
            {name: _as_bytes(content) for name, content in self.fetched.items()},
            self.compiled,
        )


class RunResponse(BaseModel):
    """The answer of `POST /v1/run`; `outcome` is null when the compilation failed."""

    compile: OutcomeFields | None = None
    outcome: OutcomeFields | None = None


def run_to_json(run: Run) -> dict[str, Any]:
    """Write a run."""
    return {"compile": _outcome_to_json(run.compile), "outcome": _outcome_to_json(run.outcome)}


_FACTS = ("ending", "exit_code", "signal", "cpu_s", "wall_s", "peak_bytes", "compiled")
_CONTENTS = ("stdout", "stderr", "reply")


def _outcome_to_json(outcome: Outcome | None) -> dict[str, Any] | None:
    if outcome is None:
        return None
    return {
        **{name: getattr(outcome, name) for name in _FACTS},
        **{name: to_data(getattr(outcome, name)) for name in _CONTENTS},
        "fetched": {name: to_data(content) for name, content in outcome.fetched.items()},
    }


def call_to_json(case: CallCase) -> dict[str, Any]:
    """Write a call without what it should return.

    Raises:
        ValueError: It holds a value that is no plain data.
    """
    typed = values.encode([list(case.args), dict(case.kwargs)], _MOST_VALUE_BYTES)
    return {"function": case.function, "values": typed.decode("ascii")}


def _as_bytes(data: Data) -> bytes:
    return as_bytes(from_data(data))
