"""The manifest's checks: what must hold of the outputs and of the host, besides the verdict."""

from __future__ import annotations

import json
import os
import stat
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.hostile import machine
from benchmarks.hostile.corpus import Entry
from benchmarks.hostile.host import CLAIM, Host, Watch
from sandboxes.types import Judgement

RSS_SLACK = 32 << 20


@dataclass(frozen=True)
class Attempt:
    """One copy of a program, judged.

    Attributes:
        judgement: What the sandbox said; None when it said nothing.
        trouble: Why there is no judgement.
        started: When its thread called the sandbox, by the monotonic clock.
        seconds: How long that took, with queueing.
        fetched: The files that came back.
    """

    judgement: Judgement | None
    trouble: str = ""
    started: float = 0.0
    seconds: float = 0.0
    fetched: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """The verdict's code, or "none"."""
        return self.judgement.verdict.code if self.judgement else "none"

    @property
    def outcome(self) -> str:
        """The verdict and why, in a line."""
        notes = [case.note for case in self.judgement.cases] if self.judgement else [self.trouble]
        why = next((note for note in notes if note), self.judgement.note if self.judgement else "")
        return f"{self.verdict}: {why[:200]!r}" if why else self.verdict


@dataclass(frozen=True)
class Trial:
    """A program run by one of the rules, and what was seen meanwhile and afterwards.

    Attributes:
        rule: "alone", "parallel", "between" or "two".
        entry: The program.
        attempts: Its copies.
        watch: What was seen of the harness.
        host: What can still be asked about the host.
        before: The honest run before it, where the rule has one.
        after: The honest run after it, where the rule or a check has one.
        survivors: Processes that live on after the verdict and should not.
        leftovers: Scratch files that remain and were not there before.
    """

    rule: str
    entry: Entry
    attempts: tuple[Attempt, ...]
    watch: Watch
    host: Host
    before: Attempt | None = None
    after: Attempt | None = None
    survivors: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()

    @property
    def outputs(self) -> list[str]:
        """What the copies wrote, as far as it was captured."""
        return [text for attempt in self.attempts if attempt.judgement for text in captured(attempt.judgement)]


Test = Callable[[Trial, str], str]
"""Returns what is wrong, or an empty text. The second argument is what follows the colon of the check's name."""


def broken(trial: Trial, check: str) -> str:
    """Return what breaks a check, or an empty text when it holds.

    Args:
        trial: What was seen.
        check: The check as the manifest names it, such as `no_pwned` or `no_path:/etc/x`.
    """
    name, _, argument = check.partition(":")
    if name not in CHECKS:
        return "this tool does not know the check"
    try:
        return CHECKS[name](trial, argument)
    except (OSError, ValueError, TypeError) as error:
        return f"could not be checked: {error}"


def prepare(checks: tuple[str, ...]) -> None:
    """Take away what an earlier run may have left and a check would blame on this one."""
    for check in checks:
        name, _, argument = check.partition(":")
        if name == "no_path" and Path(argument).is_absolute():
            machine.remove_path(Path(argument))
        if name == "no_sysv_shm":
            machine.remove_shared_memory(int(argument, 0))


def captured(judgement: Judgement) -> list[str]:
    """Return the outputs that a judgement holds."""
    steps = [*judgement.cases, *([judgement.compile] if judgement.compile else [])]
    return [text for step in steps for text in (step.stdout, step.stderr)]


def _no_pwned(trial: Trial, _: str) -> str:
    return _pwned([*trial.watch.claims, *trial.outputs])


def _pwned(outputs: list[str]) -> str:
    lines = [line for text in outputs for line in text.splitlines() if CLAIM.decode() in line]
    return f"it says {lines[0][:200]!r}" if lines else ""


def _secret_absent(trial: Trial, _: str) -> str:
    secret = trial.host.secret
    said = [json.dumps(each.judgement.to_dict()) for each in trial.attempts if each.judgement]
    if trial.watch.leaks or any(secret in text for text in said):
        return "the secret is in the output"
    if any(secret.encode() in data for each in trial.attempts for data in each.fetched.values()):
        return "the secret is in a fetched file"
    logged = any(secret in f"{record.getMessage()} {record.exc_text}" for record in trial.watch.records)
    return "the secret is in the log" if logged else ""


def _no_survivors(trial: Trial, _: str) -> str:
    return f"still there: {', '.join(trial.survivors)}" if trial.survivors else ""


def _host_alive(trial: Trial, argument: str) -> str:
    if trial.watch.sentinel_died:
        return "the sentinel process died"
    if trial.watch.oom_kills:
        return f"{trial.watch.oom_kills} processes outside the sandbox were killed for lack of memory"
    return _harness_alive(trial, argument)


def _harness_alive(trial: Trial, _: str) -> str:
    return "the harness was stopped by a signal" if trial.watch.stopped else ""


def _harness_rss_bounded(trial: Trial, _: str) -> str:
    if trial.watch.rss_growth is None:
        return "could not be checked: the kernel does not tell the peak of memory"
    # Each copy may have its own share, for that many outputs are held at once.
    bound = 4 * trial.entry.limits.output_kb * 1024 * len(trial.attempts) + RSS_SLACK
    growth = trial.watch.rss_growth
    return "" if growth < bound else f"the harness grew by {growth >> 20} MiB, {bound >> 20} are allowed"


def _next_run_ok(trial: Trial, _: str) -> str:
    if trial.after is None:
        return "there was no next run"
    return "" if trial.after.verdict == "AC" else f"the honest run afterwards was {trial.after.outcome}"


def _next_run_no_pwned(trial: Trial, argument: str) -> str:
    if trial.after is None or trial.after.judgement is None:
        return _next_run_ok(trial, argument)
    errors = [case.stderr for case in trial.after.judgement.cases if case.stderr]
    return _pwned(captured(trial.after.judgement)) or (f"its stderr says {errors[0][:200]!r}" if errors else "")


def _no_path(_: Trial, argument: str) -> str:
    if not Path(argument).is_absolute():
        return f"could not be checked: {argument!r} is no absolute path"
    return "it exists on the host" if os.path.lexists(argument) else ""


def _canary_intact(trial: Trial, _: str) -> str:
    file = trial.host.secret_file
    if not os.path.lexists(file):
        return "the canary file is gone"
    intact = stat.S_ISREG(file.lstat().st_mode) and file.read_text() == trial.host.secret
    return "" if intact else "the canary file was changed"


def _no_leftovers(trial: Trial, _: str) -> str:
    return f"left in the scratch folder: {', '.join(trial.leftovers[:5])}" if trial.leftovers else ""


def _host_inotify_ok(trial: Trial, _: str) -> str:
    refused = trial.watch.inotify_refused
    return f"the harness was refused inotify {refused} times" if refused else ""


def _no_sysv_shm(_: Trial, argument: str) -> str:
    found = machine.shared_memory(int(argument, 0))
    return f"segments {found} exist on the host" if found else ""


def _run_two_in_parallel(trial: Trial, _: str) -> str:
    if trial.rule != "two":
        return ""
    spread = max(each.started for each in trial.attempts) - min(each.started for each in trial.attempts)
    return "" if len(trial.attempts) == 2 and spread < 0.1 else f"the two were started {spread:.3f} s apart"


def _logs_escaped(trial: Trial, _: str) -> str:
    for record in trial.watch.records:
        if any(unicodedata.category(sign) == "Cc" for sign in record.getMessage()):
            return f"a record of {record.name} holds control characters: {record.getMessage()[:200]!r}"
    return ""


CHECKS: dict[str, Test] = {
    "no_pwned": _no_pwned,
    "secret_absent": _secret_absent,
    "no_survivors": _no_survivors,
    "host_alive": _host_alive,
    "harness_alive": _harness_alive,
    "harness_rss_bounded": _harness_rss_bounded,
    "next_run_ok": _next_run_ok,
    "next_run_no_pwned": _next_run_no_pwned,
    "no_path": _no_path,
    "canary_intact": _canary_intact,
    "no_leftovers": _no_leftovers,
    "host_inotify_ok": _host_inotify_ok,
    "no_sysv_shm": _no_sysv_shm,
    "run_two_in_parallel": _run_two_in_parallel,
    "logs_escaped": _logs_escaped,
}
