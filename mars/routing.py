"""Which route a sample takes, by its task."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from mars.combining import Route


class Router:
    """Finds the route of a task: the exact name first, then patterns in the order written, then `default`.

    Args:
        routes: The routes of the recipe, in order. A pattern is a name with `*`, `?` or `[...]`, as in `math/*`.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = {route.task: route for route in routes}
        self._found: dict[str, Route | None] = {}

    def route(self, task: str) -> Route | None:
        """Return the route of a task, or `None` when the recipe has none for it."""
        if task not in self._found:
            self._found[task] = self._find(task)
        return self._found[task]

    def _find(self, task: str) -> Route | None:
        if task in self._routes:
            return self._routes[task]
        matching = (route for pattern, route in self._routes.items() if fnmatch.fnmatchcase(task, pattern))
        return next(matching, self._routes.get("default"))

    def __iter__(self):
        """Iterate over the routes, in order."""
        return iter(self._routes.values())
