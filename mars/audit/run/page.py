"""A run's audit as one HTML page that stands alone: alarms first, then what rose, then the curves."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mars.audit.monitors import registry
from mars.audit.monitors.types import Reading
from mars.audit.rollouts import Rollout
from mars.audit.run.curves import Line
from mars.audit.run.gained import Gained
from mars.audit.run.phrases import Phrase, marked
from mars.audit.run.replay import Replay
from mars.audit.run.risen import Risen
from mars.audit.run.rising import Rising
from mars.audit.run.show import excess, written
from mars.errors import ConfigError
from mars.page import Series, chart, render
from mars.sandboxing.show import visible
from mars.verifying.show import clip

TEMPLATE = Path(__file__).with_name("run.html.j2")
LONGEST = 6000
"""Characters of a completion that are shown."""
_MOST_LINES = 8
_PIECES = 40
_NAME = 60
_SPARK = (132, 30)
"""Width and height of a phrase's curve, in pixels."""


@dataclass(frozen=True)
class Figure:
    """A chart with its heading and what to see in it."""

    title: str
    caption: str
    html: str
    alarming: bool = False


def write_page(found: Replay, target: Path) -> None:
    """Write the page of a run; it appears whole or not at all.

    Args:
        found: What was found.
        target: The HTML file.

    Raises:
        ConfigError: When the file cannot be written.
    """
    patterns = [each for risen in found.rising.phrases for each in risen.alike[:_PIECES]] if found.rising else []
    context = {
        "title": f"Audit of {found.log.place.parent.name if found.log.place.is_dir() else found.log.place.name}",
        "found": found,
        "alarms": [_alarm(raised.to_dict()) for raised in found.alarms],
        "calm": [name for name in found.readings if not any(raised.alarm.monitor == name for raised in found.alarms)],
        "rising": None if found.rising is None else _rising(found.rising, patterns),
        "figures": _figures(found),
        "monitors": _monitors(found),
        "written": written,
    }
    try:
        render(TEMPLATE, target, context)
    except OSError as error:
        raise ConfigError(f"cannot write {target}: {error.strerror}") from error


def _alarm(record: dict[str, Any]) -> dict[str, Any]:
    return record | {"excess": excess(record["worst"], record["threshold"])}


def _rising(rising: Rising, patterns: Sequence[Phrase]) -> dict[str, Any]:
    return {
        "early": rising.early,
        "late": rising.late,
        "phrases": [_phrase(risen) for risen in rising.phrases],
        "completions": [_gained(gained, patterns) for gained in rising.completions],
    }


def _phrase(risen: Risen) -> dict[str, Any]:
    width, height = _SPARK
    steps = [step for step, _ in risen.by_step]
    first, span = steps[0], max(1, steps[-1] - steps[0])
    points = " ".join(
        f"{width * (step - first) / span:.1f},{1 + (height - 2) * (1 - share):.1f}" for step, share in risen.by_step
    )
    texts = [visible(text) for text in risen.texts]
    return risen.to_dict() | {"texts": texts, "points": points, "width": width, "height": height}


def _gained(gained: Gained, patterns: Sequence[Phrase]) -> dict[str, Any]:
    sample = gained.late.seen.sample
    return {
        "gain": gained.gain,
        "baseline": gained.baseline,
        "right": gained.late.correct is True,
        "prompt": visible(_clipped(sample.prompt)),
        "reference": None if sample.reference is None else visible(_clipped(str(sample.reference))),
        "task": visible(clip(sample.task, _NAME)),
        "of": gained.of,
        "answers": [_answer(each, patterns) for each in (gained.early, gained.late)],
    }


def _answer(rollout: Rollout, patterns: Sequence[Phrase]) -> dict[str, Any]:
    return {
        "step": rollout.step,
        "prompt": visible(_clipped(rollout.seen.sample.prompt)),
        "pieces": [
            (visible(text), risen) for text, risen in marked(_clipped(rollout.seen.sample.completion), patterns)
        ],
        "correct": rollout.correct,
        "total": rollout.seen.reward.total,
        "parts": rollout.seen.reward.components,
    }


def _clipped(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[:half]}\n[... {len(text) - LONGEST} characters left out ...]\n{text[-half:]}"


def _figures(found: Replay) -> list[Figure]:
    """Return the charts that have anything to show."""
    curves = found.curves
    happened = {name: line for name, line in curves.statuses.items() if any(line.values())}
    several = len(curves.weights) > 1
    drawn = [
        _figure("What the reward is made of", "Mean of each source and of the total.", curves.components, "mean value"),
        _figure("Accuracy", "Share of right answers, by task.", curves.accuracy, "right answers", percent=True),
        *(
            _figure(f"Weights{f': {task}' if several else ''}", "What each source counts for.", weights, "weight")
            for task, weights in curves.weights.items()
        ),
        _figure("Length", "Mean length of the completions, thinking included.", curves.length, "characters"),
        _figure(
            "Verdicts that did not come",
            "Share of the samples that a source could not score, and without a reward (masked).",
            happened,
            "samples",
            percent=True,
        ),
    ]
    return [figure for figure in drawn if figure is not None]


def _figure(title: str, caption: str, lines: Mapping[str, Line], y: str, percent: bool = False) -> Figure | None:
    fullest = sorted((name for name, line in lines.items() if line), key=lambda name: -len(lines[name]))[:_MOST_LINES]
    series = [Series(_name(name), list(lines[name]), list(lines[name].values())) for name in fullest]
    return Figure(title, caption, chart(series, y=y, percent=percent)) if series else None


def _name(text: str) -> str:
    """Return the name of a task, which comes from the data, as a chart may show it."""
    return html.escape(visible(clip(text, _NAME)))


def _monitors(found: Replay) -> list[Figure]:
    """Return a chart a monitor, those with alarms first."""
    raised = {each.alarm.monitor for each in found.alarms}
    names = sorted(found.readings, key=lambda name: name not in raised)
    drawn = [(name, _readings(found.readings[name])) for name in names]
    return [
        Figure(name, registry.get(name).summary, chart(series, y="measure"), alarming=name in raised)
        for name, series in drawn
        if series
    ]


def _readings(by_name: Mapping[str, Mapping[int, Reading]]) -> list[Series]:
    """Return a line for each thing that was measured, each threshold behind the first line that it is for."""
    measured = {
        name: {step: reading for step, reading in readings.items() if reading.value is not None}
        for name, readings in by_name.items()
    }
    # Where there are too many, those that were alarming are what to look at.
    names = sorted(
        (name for name in measured if measured[name]),
        key=lambda name: not any(reading.alarming for reading in measured[name].values()),
    )[:_MOST_LINES]
    series: list[Series] = []
    thresholds: set[tuple[float, ...]] = set()
    for name in names:
        steps = list(measured[name])
        values = [reading.value or 0.0 for reading in measured[name].values()]
        series.append(Series(_name(name) or "measure", steps, values))
        limits = [reading.threshold for reading in measured[name].values()]
        if (key := tuple(sorted(set(limits)))) not in thresholds:
            thresholds.add(key)
            label = "threshold" if len(names) == 1 else f"threshold: {_name(name) or 'measure'}"
            series.append(Series(label, steps, limits, dashed=True))
    return series
