"""Sources that are slow to start, for the tests of `warm_up`; in a module of their own, for workers import them."""

from __future__ import annotations

import time

from mars import reward

_ready: list[bool] = []


def start_slowly() -> None:
    """Take longer than the deadline of the source that it is for."""
    time.sleep(1.5)
    _ready.append(True)


def fail_to_start() -> None:
    """Fail as a missing library does."""
    raise ImportError("no grammar to be found")


@reward("warm_slow", isolated=True, deadline=1.0, warm_up=start_slowly)
def warm_slow(completion: str) -> bool:
    """1 when the warm-up ran in this very process, once."""
    return _ready == [True]


@reward("warm_broken", isolated=True, deadline=1.0, warm_up=fail_to_start)
def warm_broken(completion: str) -> bool:
    """Never called."""
    return True
