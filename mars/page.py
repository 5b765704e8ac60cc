"""Self-contained pages: one HTML file that fetches nothing, with charts drawn by plotly and text escaped by jinja2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PALETTE = ("#2f6fed", "#e4572e", "#17a398", "#8f5fd7", "#d99a00", "#c2185b", "#5b6b7a", "#6a994e")


@dataclass(frozen=True)
class Series:
    """One line of a chart.

    Attributes:
        name: What the legend calls it.
        x: Where, the same unit for every line of a chart.
        y: What; as many as `x`.
        dashed: Draw it thin and dashed, in the colour of the line before it: a threshold.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    dashed: bool = False


def chart(series: Sequence[Series], *, y: str, x: str = "step", percent: bool = False) -> str:
    """Draw lines as an HTML fragment for `render`; there must be a chart to draw, so empty series are left out.

    Args:
        series: The lines.
        y: The title of the vertical axis.
        x: The title of the horizontal axis.
        percent: Show the values, which go from 0 to 1, in percent.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    drawn = 0
    for line in series:
        drawn += not line.dashed
        style = {"width": 1.5, "dash": "dash"} if line.dashed else {"width": 2.5}
        figure.add_scatter(
            x=list(line.x),
            y=list(line.y),
            name=line.name,
            mode="lines+markers" if len(line.x) < 20 and not line.dashed else "lines",
            line={"color": PALETTE[max(0, drawn - 1) % len(PALETTE)], **style},
        )
    figure.update_layout(
        template="plotly_white",
        height=300,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        font={"family": "system-ui, sans-serif", "size": 13, "color": "#3b4654"},
        legend={"orientation": "h", "y": -0.22, "x": 0},
        hovermode="x unified",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=True,
    )
    figure.update_xaxes(title=x, automargin=True)
    figure.update_yaxes(title=y, automargin=True)
    if percent:
        figure.update_yaxes(tickformat=".0%", range=[-0.02, 1.04])
    return figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        include_mathjax=False,
        config={"displayModeBar": False, "responsive": True},
    )


def render(template: Path, target: Path, context: Mapping[str, Any]) -> None:
    """Write a page.

    Everything in the context is escaped, so that model text is shown and never run; charts are passed as they are with
    the filter `safe`. The page appears whole or not at all.

    Args:
        template: A jinja2 template; `{{ plotly }}` in it is the script that the charts need.
        target: The HTML file.
        context: What the template speaks of.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=FileSystemLoader(template.parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"pct": "{:.1%}".format, "pct0": "{:.0%}".format}
    text = environment.get_template(template.name).render({**context, "plotly": get_plotlyjs()})
    part = target.with_suffix(".part")
    # A lone surrogate in model text has no UTF-8 form.
    part.write_text(text, encoding="utf-8", errors="replace")
    part.replace(target)
