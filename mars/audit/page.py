"""An audit as one HTML page that stands alone."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mars.audit.auditing import Audit
from mars.audit.measures import Trial
from mars.audit.show import COUNTED, SHARES, TIMES, explanation, kind_of, milliseconds
from mars.errors import ConfigError

TEMPLATE = Path(__file__).with_name("page.html.j2")
_PER_DECADE = 4
"""Bars of the chart of times for each factor of ten."""


def require_packages() -> None:
    """See that a page can be made.

    Raises:
        ConfigError: When a package is missing that an extra installs.
    """
    if missing := [name for name in ("jinja2", "plotly") if importlib.util.find_spec(name) is None]:
        raise ConfigError(f"--page needs the package {missing[0]}: pip install 'mars-rewards[audit]'")


def write_page(audit: Audit, target: Path) -> None:
    """Write the page of an audit; it appears whole or not at all.

    Args:
        audit: What was found.
        target: The HTML file.

    Raises:
        ConfigError: When a package is missing, or the file cannot be written.
    """
    from mars.page import render

    require_packages()
    found = [trial.measures() for trial in audit.trials]
    context = {
        "title": f"{audit.trial.source} on {audit.file.name}",
        "trials": [
            {
                "name": trial.source,
                "settings": json.dumps(dict(trial.settings)) if trial.settings else "defaults",
                "measures": measures,
            }
            for trial, measures in zip(audit.trials, found, strict=True)
        ],
        "shares": SHARES,
        "times": TIMES,
        "ms": milliseconds,
        "bars": _bars(audit.trials),
        "counted": COUNTED,
        "audit": audit,
        "disagreements": list(_disagreements(audit)),
    }
    try:
        render(TEMPLATE, target, context)
    except OSError as error:
        raise ConfigError(f"cannot write {target}: {error.strerror}") from error


def _disagreements(audit: Audit) -> Iterator[dict[str, Any]]:
    lines = [{each["line"] for each in trial.disagreements} for trial in audit.trials]
    for place, trial in enumerate(audit.trials):
        for each in trial.disagreements:
            agrees = [
                other.source for other, wrong in zip(audit.trials, lines, strict=True) if each["line"] not in wrong
            ]
            yield {
                "verifier": trial.source,
                "first": place == 0,
                "kind": kind_of(each),
                "line": each["line"],
                "id": each["id"],
                "expected": each["expected"],
                "got": each["got"],
                "status": each["status"],
                "agrees": agrees,
                "explanation": explanation(each),
            }


def _bars(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """Return how many answers took how long, in steps of equal ratio, as shares of the highest bar of a verifier."""
    steps = [
        [math.floor(_PER_DECADE * math.log10(max(1000 * seconds, 0.01))) for seconds in trial.times] for trial in trials
    ]
    every = [step for each in steps for step in each]
    if not every:
        return []
    tallest = [max((each.count(step) for step in set(each)), default=1) for each in steps]
    bars: list[dict[str, Any]] = []
    for step in range(min(every), max(every) + 1):
        counts = [each.count(step) for each in steps]
        bars.append(
            {
                "from": _rounded(10 ** (step / _PER_DECADE)),
                "decade": step % _PER_DECADE == 0,
                "counts": counts,
                "heights": [count / most for count, most in zip(counts, tallest, strict=True)],
            }
        )
    return bars


def _rounded(milliseconds: float) -> str:
    return f"{milliseconds:.2g} ms" if milliseconds < 99 else f"{milliseconds / 1000:.2g} s"
