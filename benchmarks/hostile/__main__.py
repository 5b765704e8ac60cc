"""Run a corpus of hostile programs against a sandbox, and say what got through.

    python -m benchmarks.hostile --corpus ../shared/data/hostile --backend local --parallel 8 --json report.json

Exits with 0 when no verdict was wrong, no check broken and no honest program rejected, with 1 otherwise, and with 2
when nothing could be run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Column, Table

from benchmarks.hostile.corpus import Corpus, Entry, load
from benchmarks.hostile.host import SECRET, Host, Listener
from benchmarks.hostile.machine import survivors
from benchmarks.hostile.rules import Examiner, count, warm_up
from sandboxes import open_sandbox
from sandboxes.errors import SandboxError
from sandboxes.sandbox import Sandbox

CLOSE_SECONDS = 30.0
UNSAFE = "unsafe-subprocess"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.hostile", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="the folder that holds manifest.json")
    parser.add_argument("--backend", default="local", help="local, docker or remote (default: local)")
    parser.add_argument("--workers", type=_at_least(2), default=2, help="workers of the sandbox (default: 2)")
    parser.add_argument("--parallel", type=_at_least(1), default=8, help="copies beside each other (default: 8)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the report to this file")
    parser.add_argument("--only", type=_names, default=frozenset(), metavar="ID,ID", help="only these programs")
    parser.add_argument(
        "--category", type=_names, default=frozenset(), metavar="NAME,NAME", help="only these categories"
    )
    parser.add_argument(
        "--option",
        type=_option,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="for the backend: url=..., say",
    )
    options = parser.parse_args(arguments)
    if options.backend == UNSAFE:
        parser.error(f"{UNSAFE} protects nothing: hostile programs are not run on it")
    try:
        corpus = load(options.corpus)
        chosen = corpus.only(lambda name, category: _kept(name, category, options))
        if not chosen.entries and not chosen.unsupported:
            parser.error("no program of the corpus is chosen")
        report = run(chosen, options.backend, options.workers, options.parallel, dict(options.option))
    except (OSError, ValueError, SandboxError) as error:
        print(f"benchmarks.hostile: {error}", file=sys.stderr)
        return 2
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    show(report)
    return 1 if report["wrong"] or report["broken_checks"] or report["benign_rejected"] else 0


def run(
    corpus: Corpus, backend: str, workers: int = 2, copies: int = 8, more: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Run all programs of a corpus on a backend, and return the report.

    Args:
        corpus: The programs.
        backend: As `open_sandbox` names it; `unsafe-subprocess` is refused.
        workers: Of the sandbox that runs copies beside each other.
        copies: How many of them there are.
        more: Options of the backend.

    Raises:
        ValueError: The backend protects nothing, or has no such option.
        SandboxUnavailable: This machine cannot run the backend.
    """
    if backend == UNSAFE:
        raise ValueError(f"{UNSAFE} protects nothing: hostile programs are not run on it")
    with Host(corpus.literals) as host:
        with _opened(backend, workers, more or {}) as many, _opened(backend, 1, more or {}) as single:
            for sandbox in (many, single):
                sandbox.backend = Listener(sandbox.backend, host)
                warm_up(sandbox)
            examiner = Examiner(host, corpus.plain, many, single, copies)
            answers = [examiner.examine(entry) for entry in _shown(corpus.entries)]
        return count(answers, corpus.unsupported, _remains(host))


def show(report: dict[str, Any]) -> None:
    """Print the report as a table."""
    screen = Console()
    headings = ("alone", "parallel", "between", "longest test s", "what is wrong")
    table = Table(Column("program", no_wrap=True), *headings, title="hostile corpus")
    for name, answer in report["answers"].items():
        runs = answer["runs"]
        cells = [
            " ".join(sorted(set(runs[rule]["verdicts"]))) if rule in runs else ""
            for rule in ("alone", "parallel", "between")
        ]
        longest = max((run["longest_test_s"] for run in runs.values()), default=0.0)
        wrong = [f"{problem['rule']}: {problem['check']}: {problem['text']}" for problem in answer["problems"]]
        table.add_row(
            name, *cells, f"{longest:.2f}", escape(_printable("\n".join(wrong))), style="red" if wrong else ""
        )
    screen.print(table)
    for text in report["after_closing"]:
        screen.print(f"after closing: {escape(text)}", style="red")
    names = ("programs", "wrong", "broken_checks", "benign_rejected")
    screen.print(" · ".join(f"{name.replace('_', ' ')}: {report[name]}" for name in names))


@contextlib.contextmanager
def _opened(backend: str, workers: int, more: Mapping[str, Any]) -> Iterator[Sandbox]:
    try:
        sandbox = open_sandbox(backend, workers=workers, **more)
    except TypeError as error:
        raise ValueError(f"the backend takes other options: {error}") from error
    try:
        yield sandbox
    finally:
        # A sandbox that hangs must not keep the report from being written.
        closing = threading.Thread(target=sandbox.close, daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)


def _remains(host: Host) -> list[str]:
    processes = [f"process {name} ({pid})" for pid, name in (host.processes() | survivors()).items()]
    return processes + [f"file {name}" for name in host.leftovers()]


def _shown(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Pass the entries on, and say which one runs: with a bar, or in a line each where nobody watches."""
    screen = Console(stderr=True)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task("", total=len(entries))
        for number, entry in enumerate(entries, 1):
            progress.update(task, description=entry.id)
            if not screen.is_terminal:
                print(f"{number}/{len(entries)} {entry.id}", file=sys.stderr, flush=True)
            yield entry
            progress.advance(task)


def _kept(name: str, category: str, options: argparse.Namespace) -> bool:
    return (not options.only or name in options.only) and (not options.category or category in options.category)


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() or sign == "\n" else ascii(sign)[1:-1] for sign in text)


def _names(text: str) -> frozenset[str]:
    return frozenset(filter(None, text.split(",")))


def _option(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError
    return name, int(value) if value.isdecimal() else value


def _at_least(least: int):
    def number(text: str) -> int:
        if int(text) < least:
            raise ValueError
        return int(text)

    number.__name__ = f"number of at least {least}"
    return number


if __name__ == "__main__":
    if SECRET not in os.environ:
        # What /proc shows of a process's environment is what it was started with.
        os.execve(sys.executable, sys.orig_argv, os.environ | {SECRET: secrets.token_hex(16)})
    sys.exit(main())
