"""The curves as SVG: a panel a world, a line a strategy, means over seeds. Written by hand, so the files are small."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import fmean

from benchmarks.weighting.report import by_strategy, other_share
from benchmarks.weighting.results import Run
from benchmarks.weighting.worlds import ALONE, World

STYLES = {
    "static": ("#1f2933", ""),
    "gdpo": ("#7b8794", ""),
    "gated": ("#2f6fed", ""),
    "variance": ("#d99a00", ""),
    "signal": ("#e4572e", ""),
    "progress": ("#8f5fd7", ""),
    "reliability": ("#17a398", ""),
    "constraint": ("#c2185b", ""),
    "schedule": ("#6a994e", ""),
    ALONE: ("#1f2933", "2 4"),
}
"""Colour and dashes by strategy."""

WIDTH, HEIGHT, MARGIN = 370, 210, 46
GRID = 2
"""Panels in a row."""


@dataclass(frozen=True)
class Line:
    """One line of a panel.

    Attributes:
        name: The strategy.
        points: Step and value, from 0 to 1.
        thick: Whether it stands out: the default of the world.
    """

    name: str
    points: Sequence[tuple[float, float]]
    thick: bool


@dataclass(frozen=True)
class Panel:
    """One chart.

    Attributes:
        title: What stands above it.
        lines: Its lines.
    """

    title: str
    lines: Sequence[Line]


def accuracy_panel(world: World, runs: Sequence[Run], default: str) -> Panel:
    """Return the accuracy on hard problems by step, of the runs of one world."""

    def points(of: Sequence[Run]) -> list[tuple[float, float]]:
        steps = sorted(set.intersection(*(set(run.graded) for run in of)))
        return [(step, fmean(run.graded[step].hard for run in of)) for step in steps]

    return _panel(world.title, runs, default, points)


def weights_panel(world: World, runs: Sequence[Run], default: str) -> Panel:
    """Return the other source's share of the weight by step, of the runs of one world."""

    def points(of: Sequence[Run]) -> list[tuple[float, float]]:
        steps = sorted(set.intersection(*(set(run.weights) for run in of)))
        return [(step, other_share(world, of, step)) for step in steps]

    counted = [run for run in runs if run.strategy != ALONE]
    return _panel(f"{world.title}: weight of {world.other!r}", counted, default, points)


def write(file: Path, panels: Sequence[Panel], *, y: str) -> None:
    """Write panels, with one legend for all.

    Args:
        file: The SVG file.
        panels: The charts.
        y: What the vertical axes measure.
    """
    names = [name for name in STYLES if any(line.name == name for panel in panels for line in panel.lines)]
    rows = -(-len(panels) // GRID)
    width, height = GRID * (WIDTH + MARGIN) + 10, rows * (HEIGHT + 2 * MARGIN) + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#3b4654">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for place, panel in enumerate(panels):
        left, top = MARGIN + place % GRID * (WIDTH + MARGIN), MARGIN - 8 + place // GRID * (HEIGHT + 2 * MARGIN)
        parts.append(f'<g transform="translate({left} {top})">{_chart(panel, y)}</g>')
    parts += [_legend(names, height - 54), "</svg>\n"]
    file.write_text("\n".join(parts))


def _panel(
    title: str, runs: Sequence[Run], default: str, points: Callable[[Sequence[Run]], list[tuple[float, float]]]
) -> Panel:
    found: Mapping[str, Mapping[int, Run]] = by_strategy(runs)
    return Panel(title, [Line(name, points(list(of.values())), name == default) for name, of in found.items()])


def _chart(panel: Panel, y: str) -> str:
    most = max((x for line in panel.lines for x, _ in line.points), default=1) or 1
    parts = [f'<text x="0" y="-12" font-weight="600">{escape(panel.title)}</text>']
    for share in (0, 0.25, 0.5, 0.75, 1):
        at = _down(share)
        parts.append(f'<path d="M0 {at}H{WIDTH}" stroke="#e4e7eb"/>')
        parts.append(f'<text x="-6" y="{at + 4}" text-anchor="end">{share:.0%}</text>')
    parts += [
        f'<text x="{WIDTH * share:g}" y="{HEIGHT + 18}" text-anchor="middle">{most * share:g}</text>'
        for share in (0, 0.2, 0.4, 0.6, 0.8, 1)
    ]
    parts.append(f'<text x="{WIDTH}" y="{HEIGHT + 34}" text-anchor="end">step; up: {escape(y)}</text>')
    # What stands out is drawn last, above the others.
    parts += [_line(line, most) for line in sorted(panel.lines, key=lambda line: line.thick)]
    return "".join(parts)


def _line(line: Line, most: float) -> str:
    colour, dashes = STYLES.get(line.name, ("#9aa5b1", "6 3"))
    points = " ".join(f"{WIDTH * x / most:.0f},{_down(value):.0f}" for x, value in line.points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    width = 3.5 if line.thick else 1.6
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"{dashed}/>'


def _down(share: float) -> float:
    return round(HEIGHT * (1 - share), 1)


def _legend(names: Sequence[str], top: int) -> str:
    parts = []
    for place, name in enumerate(names):
        colour, dashes = STYLES[name]
        left = MARGIN + place % 5 * 150
        at = top + place // 5 * 20
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        parts.append(f'<path d="M{left} {at}h22" stroke="{colour}" stroke-width="2.5"{dashed}/>')
        label = "the verifier alone" if name == ALONE else name
        parts.append(f'<text x="{left + 28}" y="{at + 4}">{escape(label)}</text>')
    parts.append(f'<text x="{MARGIN}" y="{top + 40}">thick: the default of that world</text>')
    return "".join(parts)
