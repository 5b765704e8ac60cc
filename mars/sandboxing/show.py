"""What the screen shows of a judgement, of a run, and of the layers of a sandbox. Programs' words cannot steer it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from mars.sandboxing.probing import NOT_REACHED
from sandboxes import CaseResult, Judgement, Limits, Run, Verdict
from sandboxes.judging import problem
from sandboxes.languages import language

LAYERS = {
    "users": ("having any of root's rights over this machine", "allow user namespaces"),
    "mounts": ("reading and writing this machine's files", "allow user namespaces"),
    "processes": ("seeing, signalling or outliving other processes", "allow user namespaces"),
    "network": ("every connection, to this machine as well", "allow user namespaces"),
    "syscalls": ("calls that open the kernel: io_uring, keyrings, bpf, mounts", "a kernel with seccomp filters"),
    "privileges": ("capabilities, and gaining any by setuid programs", "a kernel since 3.5"),
    "rlimits": ("endless CPU time, huge files, stacks, descriptors", "part of every kernel"),
    "descriptors": ("using files and sockets that the caller has open", "part of every kernel"),
    "environment": ("reading secrets from environment variables", "part of every kernel"),
    "ipc": ("shared memory and queues of other processes", "allow IPC namespaces"),
    "hostname": ("learning this machine's name", "allow UTS namespaces"),
    "proc": (
        "seeing the kernel's settings and other processes in /proc",
        "a /proc with nothing mounted over its parts",
    ),
    "landlock": ("the file system once more, should a mount fail to hold", "Linux 5.13, with landlock among its LSMs"),
    "cgroups": (
        "escaping limits of memory and CPU by forking",
        "run as root, or delegate a cgroup (systemd: Delegate=yes)",
    ),
}
"""Each layer of the local sandbox: what it stops, and how to have it."""
_OTHERS = {"container: syscalls": ("the same calls by whatever else runs in a container", "an engine with seccomp")}

_STYLES = {Verdict.ACCEPTED: "green", Verdict.SKIPPED: "dim", Verdict.INTERNAL_ERROR: "yellow"}
_COMPILER_LINES = 20


def visible(text: str) -> str:
    """Return a text with its control characters written out, but for tabs and line ends."""
    return "".join(each if each.isprintable() or each in "\t\n" else repr(each)[1:-1] for each in text)


def judgement_table(judgement: Judgement) -> Table:
    """The verdict on each test.

    Args:
        judgement: What the sandbox said.
    """
    table = Table(box=None, header_style="bold")
    for name in ("test", "verdict", "CPU", "wall", "memory", "note"):
        table.add_column(name, justify="left" if name in ("test", "verdict", "note") else "right")
    if judgement.compile is not None:
        _add(table, "compile", judgement.compile)
    for number, case in enumerate(judgement.cases, 1):
        _add(table, str(number), case)
    return table


def _add(table: Table, name: str, case: CaseResult) -> None:
    verdict = Text(case.verdict.value, _STYLES.get(case.verdict, "red"))
    facts = (seconds(case.cpu_s), seconds(case.wall_s), mebibytes(case.peak_bytes))
    table.add_row(name, verdict, *facts, Text(visible(case.note).replace("\n", " ")))


def judgement_line(judgement: Judgement) -> Text:
    """The verdict on the program, in a line."""
    accepted = sum(case.verdict is Verdict.ACCEPTED for case in judgement.cases)
    style = _STYLES.get(judgement.verdict, "red")
    line = Text.assemble(
        (judgement.verdict.value, f"bold {style}"),
        f": {accepted} of {len(judgement.cases)} tests accepted; {judgement.backend} ({judgement.isolation})",
    )
    if not judgement.decided:
        line.append("; that is no verdict on the program, but a failure of the sandbox")
    if judgement.tampering == "in_process":
        line.append("; tests ran in the program's own process, where it could tamper with them", "yellow")
    return line


def compiler_words(judgement: Judgement) -> str:
    """What a compiler said of a program that it refused."""
    case = judgement.compile
    if case is None or case.verdict is Verdict.ACCEPTED:
        return ""
    lines = visible((case.stderr or case.stdout).rstrip()).split("\n")
    rest = len(lines) - _COMPILER_LINES
    return "\n".join(lines[:_COMPILER_LINES] + ([f"... and {rest} more lines"] if rest > 0 else []))


def judgement_json(judgement: Judgement) -> dict[str, Any]:
    """A judgement as plain data, with the judges' codes for verdicts (AC, WA, ...)."""
    data = judgement.to_dict()
    for record in (data, data["compile"], *data["cases"]):
        if record is not None:
            record["verdict"] = record["verdict"].code
    return {"passed": judgement.passed, "fraction": judgement.fraction, **data}


def run_line(run: Run, limits: Limits, spoken: str, backend: str, isolation: str) -> tuple[str, bool]:
    """How a run without tests ended, in a line, and whether it ended well.

    Args:
        run: What the sandbox said.
        limits: What the program was allowed.
        spoken: Its language.
        backend: Where it ran.
        isolation: What held it.
    """
    outcome = run.outcome or run.compile
    assert outcome is not None
    found = problem(outcome, limits, language(spoken))
    if run.outcome is None:
        how = "did not compile"
    elif found is None:
        how = "ended well"
    else:
        how = f"{found[0].value} ({found[1]})"
    facts = f"{seconds(outcome.cpu_s)} CPU, {seconds(outcome.wall_s)} wall, {mebibytes(outcome.peak_bytes)} memory"
    return f"{visible(how)}: {facts}; {backend} ({isolation})", run.outcome is not None and found is None


def layers_table(states: Mapping[str, str]) -> Table:
    """The layers of a sandbox: what each stops, whether it is on, and how to have those that are not.

    Args:
        states: "on", "off", or why it is missing, by layer.
    """
    table = Table("layer", "what it stops", "state", box=None, header_style="bold")
    wanting = any(state not in ("on", NOT_REACHED) for state in states.values())
    if wanting:
        table.add_column("to enable it")
    for name, state in states.items():
        kind = "cgroups" if name.startswith("cgroup: ") else name
        stops, enable = (LAYERS | _OTHERS).get(kind, ("", ""))
        advice = [enable if state not in ("on", NOT_REACHED) else ""] if wanting else []
        table.add_row(name, stops, Text(visible(state), "green" if state == "on" else "yellow"), *advice)
    return table


def seconds(value: float | None) -> str:
    """A time that is read at a glance."""
    if value is None:
        return "-"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def mebibytes(value: int | None) -> str:
    """An amount of memory that is read at a glance."""
    return "-" if value is None else f"{value / (1 << 20):.1f} MiB"
