"""What crosses the sandbox's walls: programs and tests go in, verdicts come out. Plain frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

from sandboxes.paths import check_arguments, confine


class Verdict(StrEnum):
    """What a sandbox says of a program. `INTERNAL_ERROR` says nothing of the program, only of the sandbox."""

    ACCEPTED = "accepted"
    WRONG_ANSWER = "wrong answer"
    TIME_LIMIT = "time limit"
    MEMORY_LIMIT = "memory limit"
    RUNTIME_ERROR = "runtime error"
    COMPILE_ERROR = "compile error"
    OUTPUT_LIMIT = "output limit"
    POLICY_VIOLATION = "policy violation"
    INTERNAL_ERROR = "internal error"
    SKIPPED = "skipped"

    @property
    def code(self) -> str:
        """The judges' abbreviation: AC, WA, TLE, MLE, RE, CE, OLE, SV, IE, SKIPPED."""
        return _CODES[self]


_CODES = {
    Verdict.ACCEPTED: "AC",
    Verdict.WRONG_ANSWER: "WA",
    Verdict.TIME_LIMIT: "TLE",
    Verdict.MEMORY_LIMIT: "MLE",
    Verdict.RUNTIME_ERROR: "RE",
    Verdict.COMPILE_ERROR: "CE",
    Verdict.OUTPUT_LIMIT: "OLE",
    Verdict.POLICY_VIOLATION: "SV",
    Verdict.INTERNAL_ERROR: "IE",
    Verdict.SKIPPED: "SKIPPED",
}

# Of the verdicts of a program's tests the first in this order is the program's.
SEVERITY = (
    Verdict.INTERNAL_ERROR,
    Verdict.COMPILE_ERROR,
    Verdict.OUTPUT_LIMIT,
    Verdict.MEMORY_LIMIT,
    Verdict.TIME_LIMIT,
    Verdict.POLICY_VIOLATION,
    Verdict.RUNTIME_ERROR,
    Verdict.WRONG_ANSWER,
    Verdict.ACCEPTED,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one test of a program may use. The kernel enforces each.

    Attributes:
        cpu_s: CPU seconds, of all processes of the test together.
        wall_s: Seconds by the clock, to end programs that sleep; time spent waiting for a core is added. None takes
            the larger of three times `cpu_s` and `cpu_s` + 2.
        memory_mb: Memory in MiB, of all processes together where there is a memory cgroup.
        output_kb: KiB of standard output, of standard error, and of a call's results, each.
        processes: Processes and threads.
        file_mb: Size in MiB of a single file that is written.
        disk_mb: Size in MiB of all that is written to the scratch folders; it counts as memory as well.
        open_files: File descriptors of one process.
        stack_mb: Stack of the main thread in MiB.

    Raises:
        ValueError: A limit is no number or outside of its range; the message has the limit, its range and the value.
    """

    cpu_s: float = 10.0
    wall_s: float | None = None
    memory_mb: int = 512
    output_kb: int = 1024
    processes: int = 64
    file_mb: int = 64
    disk_mb: int = 64
    open_files: int = 256
    stack_mb: int = 64

    def __post_init__(self):
        for name, (least, most) in _WHOLE.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                allowed = f"a whole number, at least {least} and at most {most}"
                raise ValueError(f"limits: {name} must be {allowed}, not {value!r:.100}")
        for name in _SECONDS:
            value: Any = self.wall if name == "wall_s" and self.wall_s is None else getattr(self, name)
            if type(value) not in (int, float) or not 0 < value <= _MOST_SECONDS:
                raise ValueError(f"limits: {name} must be above 0 and at most {_MOST_SECONDS}, not {value!r:.100}")

    @property
    def wall(self) -> float:
        """The wall seconds that apply."""
        usual = max(3 * self.cpu_s, self.cpu_s + 2)
        return self.wall_s if self.wall_s is not None else min(usual, _MOST_SECONDS)

    def plus(self, **more: float) -> Limits:
        """These limits and so much more of some, as far as limits may go; of `wall_s`, more than what applies."""
        now = {name: self.wall if name == "wall_s" else getattr(self, name) for name in more}
        most = {**{name: most for name, (_, most) in _WHOLE.items()}, **dict.fromkeys(_SECONDS, _MOST_SECONDS)}
        return replace(self, **{name: min(now[name] + extra, most[name]) for name, extra in more.items()})


_MOST_SECONDS = 100_000
_SECONDS = ("cpu_s", "wall_s")
_WHOLE = {
    "memory_mb": (1, 1 << 22),
    "output_kb": (1, 1 << 17),
    "processes": (1, 1 << 16),
    "file_mb": (1, 1 << 22),
    "disk_mb": (1, 1 << 22),
    "open_files": (16, 1 << 20),
    "stack_mb": (1, 1 << 14),
}


@dataclass(frozen=True, slots=True)
class Program:
    """Source code to judge.

    Attributes:
        source: The text. Lone surrogates and NULs are allowed here and end in a compile error, not in a crash.
        language: A name in `sandboxes.languages`: python, c, cpp, javascript, java, go, rust, bash.
        files: More files for the working folder, by relative path.
        arguments: The command line's arguments.

    Raises:
        ValueError: Something is of another type, a file's name leads out of the working folder or cannot be a file's,
            or an argument is none that a process can be given.
    """

    source: str
    language: str = "python"
    files: Mapping[str, bytes] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()

    def __post_init__(self):
        for name in ("source", "language"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"a program's {name} must be text, not {type(getattr(self, name)).__name__}")
        files = dict(self.files)
        confine(files)
        for name, content in files.items():
            if type(content) is not bytes:
                raise ValueError(f"a program's file must be bytes; {name!r} is {type(content).__name__}")
        object.__setattr__(self, "files", files)
        object.__setattr__(self, "arguments", check_arguments(self.arguments))


@dataclass(frozen=True, slots=True)
class StdioCase:
    """A test by standard input and output. `expected` stays in the trusted process."""

    stdin: str | bytes
    expected: str | bytes


@dataclass(frozen=True, slots=True)
class CallCase:
    """A test that calls a function of a Python program and compares what it returns, in the trusted process.

    Attributes:
        function: `f`, or `Solution.f` for a method of a class that is made without arguments.
        args: Positional arguments: plain data (see `sandboxes.inside.values`).
        expected: The value to return, compared by the checker of values.
        kwargs: Keyword arguments.
    """

    function: str
    args: tuple[Any, ...]
    expected: Any
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AssertCase:
    """Assertions in Python over the functions of a Python program.

    Attributes:
        code: The assertions; they find the program's functions under their names. With `entry_point`, it defines
            `check(candidate)`, which is called with that function.
        entry_point: The function that `check` gets.
        same_process: Run the assertions in the program's own process, for those that patch its modules or need
            objects that are no plain data. A program can tamper with such a verdict, and the result says so.
    """

    code: str
    entry_point: str | None = None
    same_process: bool = False


@dataclass(frozen=True, slots=True)
class UnittestCase:
    """A `unittest` suite run in the program's own process. A program can tamper with it, and the result says so.

    Attributes:
        code: Python source that defines `unittest.TestCase` classes; it sees the program's names.
    """

    code: str


TestCase = StdioCase | CallCase | AssertCase | UnittestCase

Tampering = Literal["out_of_process", "in_process"]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What one test came to.

    Attributes:
        verdict: The verdict of this test.
        cpu_s: CPU seconds used, from the kernel; None where it was not measured.
        wall_s: Seconds from start to end, without queueing.
        peak_bytes: Peak memory; None where it was not measured.
        exit_code: The exit code, or None when a signal ended the program.
        signal: The signal that ended the program, or None.
        stdout: The first bytes of standard output, decoded with replacement characters.
        stderr: The same of standard error.
        truncated: Whether more was written than is shown.
        note: Why: the checker's or the sandbox's remark.
    """

    verdict: Verdict
    cpu_s: float | None = None
    wall_s: float | None = None
    peak_bytes: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    stdout: str = ""
    stderr: str = ""
    truncated: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a program over all of its tests.

    Attributes:
        verdict: The gravest of the tests' verdicts; `ACCEPTED` only when each test has an accepted record.
        cases: One result a test, in order; those after the first failure are `SKIPPED` when judging stops early.
        compile: The compile step, where the language has one.
        backend: Which backend ran it.
        isolation: What held the program: "namespaces", "container", "remote" or "none".
        tampering: "in_process" when a test ran in the program's own process, where it could tamper with it.
        note: Why, in a line.
    """

    verdict: Verdict
    cases: tuple[CaseResult, ...]
    compile: CaseResult | None = None
    backend: str = ""
    isolation: str = ""
    tampering: Tampering = "out_of_process"
    note: str = ""

    @property
    def decided(self) -> bool:
        """Whether this says anything of the program."""
        return self.verdict is not Verdict.INTERNAL_ERROR

    @property
    def passed(self) -> bool | None:
        """Whether all tests passed; None when there is no verdict."""
        return self.verdict is Verdict.ACCEPTED if self.decided else None

    @property
    def fraction(self) -> float | None:
        """The share of tests accepted, 0 to 1; None when there is no verdict."""
        return sum(case.verdict is Verdict.ACCEPTED for case in self.cases) / len(self.cases) if self.decided else None

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one process, as a backend gets it. It holds no expected output.

    Attributes:
        mode: "python" forks the warm interpreter; "call", "examine", "assert" and "unittest" do so and speak on the
            channel (see `sandboxes.inside.conversation`); "exec" runs `command`, which a fresh interpreter and every
            other language use.
        source: The program's source, for the modes that run Python.
        command: The argv of "exec". The program's own files are in the working folder.
        environment: Variables added to the clean environment.
        files: Files for the working folder, by relative path; executable ones end up with mode 0755.
        stdin: Standard input.
        message: What is written to the channel at the start.
        fetch: Files of the working folder to bring back, each a regular file beneath it.
        limits: What it may use.
        executable: Whether programs in the scratch folders may be executed (compiled languages).
    """

    mode: Literal["python", "call", "examine", "assert", "unittest", "exec"]
    source: bytes = b""
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    stdin: bytes = b""
    message: bytes = b""
    fetch: tuple[str, ...] = ()
    limits: Limits = Limits()
    executable: bool = False


Ending = Literal["exited", "cpu", "wall", "memory", "output", "policy"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The facts of one run, all from the kernel or the supervising process, none from the program.

    Attributes:
        ending: How it ended: by itself ("exited"), or at which limit.
        exit_code: The exit code, or None when a signal ended it.
        signal: The signal, or None.
        cpu_s: CPU seconds of all its processes.
        wall_s: Seconds by the clock.
        peak_bytes: Peak memory; None where it was not measured.
        stdout: Standard output, up to the limit.
        stderr: Standard error, up to the limit.
        reply: What it wrote to the channel, up to the limit.
        fetched: The files asked for that were there, regular, and within limits.
        compiled: Whether the source got as far as running; false when Python found a syntax error.
    """

    ending: Ending
    exit_code: int | None = None
    signal: int | None = None
    cpu_s: float | None = None
    wall_s: float = 0.0
    peak_bytes: int | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    reply: bytes = b""
    fetched: Mapping[str, bytes] = field(default_factory=dict)
    compiled: bool = True
