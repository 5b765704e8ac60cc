"""What a source needs once is done before the first call, and no deadline pays for it."""

from __future__ import annotations

from mars import Sample, Status, registry
from mars.execution.engine import Engine
from tests.mars.execution import warm_sources


def test_a_slow_start_is_not_the_first_samples_fault() -> None:
    bound = registry.get(warm_sources.warm_slow.__name__).configure()
    engine = Engine(workers=1)
    scores = engine.submit(bound, [Sample(str(number)) for number in range(3)]).result()
    engine.close()
    assert [score.value for score in scores] == [1.0, 1.0, 1.0], [score.reason for score in scores]


def test_a_start_that_fails_says_so_for_every_sample() -> None:
    engine = Engine(workers=1)
    scores = engine.submit(registry.get("warm_broken").configure(), [Sample("a"), Sample("b")]).result()
    engine.close()
    assert [score.status for score in scores] == [Status.ERROR, Status.ERROR]
    assert all("no grammar to be found" in score.reason for score in scores)
