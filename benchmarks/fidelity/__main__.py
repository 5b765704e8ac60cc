"""Replay graded answers and compare each verdict with the one on record.

    python -m benchmarks.fidelity --data ../shared/data --only code --json

Exits with 0 when all verdicts agree, with 1 when some do not, and with 2 when nothing could be replayed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.fidelity import code
from benchmarks.fidelity.options import Options
from sandboxes.errors import SandboxError

Section = Callable[[Path, Options], dict[str, Any]]
"""Replays some files; returns a report for each, whose `disagreements` lists every verdict that differs."""
SECTIONS: dict[str, Section] = {"code": code.replay}
"""The parts of the replay, by the name that `--only` takes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.fidelity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="a folder with graded/ and bench/")
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"sections, of {', '.join(SECTIONS)} (default: all)")
    parser.add_argument("--backend", default="local", help="the sandbox's backend (default: local)")
    parser.add_argument("--workers", type=int, default=2, help="how much is judged at once (default: 2)")
    parser.add_argument("--limit", type=int, help="only the first records of each file")
    parser.add_argument("--json", action="store_true", help="print the report as JSON, and nothing else")
    options = parser.parse_args(arguments)
    names = list(filter(None, options.only.split(",")))
    if unknown := set(names) - set(SECTIONS):
        parser.error(f"unknown sections {sorted(unknown)}; there are {', '.join(SECTIONS)}")
    how = Options(options.backend, options.workers, options.limit)
    try:
        report = {name: SECTIONS[name](options.data, how) for name in names}
    except (OSError, ValueError, SandboxError) as error:
        print(f"benchmarks.fidelity: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report, indent=1)) if options.json else show(report)
    return 1 if any(each["disagreements"] for section in report.values() for each in section.values()) else 0


def show(report: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the counts and every disagreement."""
    screen = Console()
    for name, section in report.items():
        for file, found in section.items():
            screen.print(_counts(f"{name}: {file}", found))
            for each in found["disagreements"]:
                screen.print(
                    f"{each['id']} ({each['kind']}): expected {each['expected']}, got {each['got']}: "
                    f"{escape(ascii(each['note']))}",
                    style="red",
                )


def _counts(title: str, found: Mapping[str, Any]) -> Table:
    groups = {name: counts for name, counts in found.items() if isinstance(counts, dict) and "agree" in counts}
    columns = list(dict.fromkeys(column for counts in groups.values() for column in counts))
    table = Table("of", *columns, title=f"{title}, {found['programs']} records")
    for name, counts in groups.items():
        table.add_row(name, *(str(counts.get(column, "")) for column in columns))
    for why, number in found.get("left_out", {}).items():
        table.add_row(f"[dim]left out, {escape(why)}[/dim]", str(number))
    return table


if __name__ == "__main__":
    sys.exit(main())
