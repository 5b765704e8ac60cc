"""Pages are whole, stand alone, and show model text without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mars.page import Series, chart, render


@pytest.fixture
def template(tmp_path: Path) -> Path:
    file = tmp_path / "page.html.j2"
    file.write_text("<script>{{ plotly | safe }}</script><p>{{ text }}</p>{{ figure | safe }}")
    return file


def test_text_is_escaped_and_charts_are_not(template: Path, tmp_path: Path) -> None:
    figure = chart([Series("a <b>", [0, 1], [0.5, 0.7])], y="accuracy", percent=True)
    render(template, tmp_path / "page.html", {"text": "<script>alert(1)</script>\ud800", "figure": figure})
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<p>&lt;script&gt;alert(1)&lt;/script&gt;?</p>" in page
    assert 'class="plotly-graph-div"' in page


def test_a_page_that_cannot_be_made_leaves_the_old_one(template: Path, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    target.write_text("old")
    with pytest.raises(Exception, match="figure"):
        render(template, target, {"text": "no figure given"})
    assert target.read_text() == "old"
