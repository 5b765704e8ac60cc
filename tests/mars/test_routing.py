from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.combining import Route
from mars.routing import Router


def _router(*tasks: str) -> Router:
    return Router([Route(task, ("a",), None, None) for task in tasks])


@pytest.mark.parametrize(
    ("tasks", "task", "found", "why"),
    [
        (["math", "chat"], "math", "math", "its own name"),
        (["math"], "Math", None, "names are exact"),
        (["math/*"], "math/algebra", "math/*", "a pattern"),
        (["math/*"], "math", None, "that must match"),
        (["math/*", "*"], "math/algebra", "math/*", "patterns in the order written"),
        (["*", "math/*"], "math/algebra", "*", "patterns in the order written"),
        (["*", "math"], "math", "math", "a name before any pattern"),
        (["level[12]"], "level2", "level[12]", "a class of characters"),
        (["level[12]"], "level[12]", "level[12]", "a pattern is also a name"),
        (["math", "default"], "chat", "default", "the default for the rest"),
        (["default", "m*"], "math", "m*", "which comes last, wherever it is written"),
        (["math"], "chat", None, "or nothing"),
        (["*"], "", "*", "even without a name"),
    ],
)
def test_the_route_of_a_task(tasks: list[str], task: str, found: str | None, why: str) -> None:
    router = _router(*tasks)
    for _ in range(2):  # the second answer is remembered
        route = router.route(task)
        assert (route.task if route else None) == found


@given(st.lists(st.text(), max_size=4, unique=True), st.text())
def test_any_text_may_be_a_task_and_a_pattern(tasks: list[str], task: str) -> None:
    route = _router(*tasks).route(task)
    assert route is None or route.task in tasks
    assert [route.task for route in _router(*tasks)] == tasks
