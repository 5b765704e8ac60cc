"""The contract that every reward source keeps, as a test that anyone can run: `mars check NAME`.

From a source's own example it makes normal, hostile and mass input, runs them the way a trainer would, and reports what
it saw. A check fails only on what was seen, never on style.
"""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mars.execution.engine import Engine
from mars.registry import BoundSource
from mars.signature import MissingInputError
from mars.types import Sample, Score, Status

GARBAGE: dict[str, str] = {
    "empty": "",
    "white space": " \t\r\n\u00a0\u2028",
    "NUL": "a\x00b\x00",
    "lone surrogate": "\ud800 answer \udfff",
    "emoji and right-to-left": "👩‍👩‍👧‍👦 \u202eabc\u202c ١٢٣",
    "1 MB of text": "the answer is 4 " * 65536,
    "1 MB of one character": "9" * (1 << 20),
    "10,000 open braces": "\\boxed" + "{" * 10_000,
    "10,000 nested tags": "<think>" * 10_000,
    "10,000 closed tags": "</think>" * 10_000,
    "unfinished box": "\\boxed{\\frac{1}{2}",
    "a tower of powers": "\\boxed{9^{9^{9^{9}}}}",
    "format characters": "{answer} %s %(x)s ${y} {{}} \\1",
}
"""Completions that a policy under training does produce, and what attackers of graders try first."""

COPIES = 16
GRACE = 2.0
"""Seconds beyond its deadline in which a call must have been answered for (a busy machine starts a worker slowly)."""


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes:
        check: What was checked.
        passed: Whether the contract holds.
        seen: What was seen, in a line.
    """

    check: str
    passed: bool
    seen: str


def check_source(bound: BoundSource, example: Sample | None = None) -> list[Finding]:
    """Run the contract test on a source.

    Args:
        bound: The source with its settings.
        example: A sample that it can score; by default the one it was registered with.
    """
    example = example or bound.source.example or Sample("The answer is \\boxed{4}.", prompt="2+2", reference="4")
    try:
        bound.source.signature.extractor()(example)
    except MissingInputError as missing:
        return [Finding("has an example", False, f"{missing}; register it with @reward(..., example=Sample(...))")]
    engine = Engine(workers=2)
    try:
        bench = _Bench(bound, example, engine)
        return [bench.run(check) for check in _CHECKS]
    finally:
        engine.close()


class _Bench:
    """A source on the bench: ways to run it, and the reference scores that checks compare with."""

    def __init__(self, bound: BoundSource, example: Sample, engine: Engine) -> None:
        self.bound = bound
        self.example = example
        self.engine = engine
        self.samples = [example, *(replace(example, completion=text) for text in ("", "no", example.completion * 2))]
        self.first = self.score(self.samples)

    def score(self, samples: Sequence[Sample], bound: BoundSource | None = None) -> list[Score]:
        """Score samples as a system would."""
        return self.engine.submit(bound or self.bound, samples).result()

    def run(self, check: Callable[[_Bench], str]) -> Finding:
        """Run a check: it returns what it saw, or raises `_BrokenError` with it."""
        name = (check.__doc__ or "").rstrip(".")
        try:
            return Finding(name, True, check(self))
        except _BrokenError as broken:
            return Finding(name, False, str(broken))


class _BrokenError(Exception):
    """The contract does not hold; the message says what was seen."""


def _scores_its_example(bench: _Bench) -> str:
    """Scores its example."""
    score = bench.first[0]
    if score.status.failed:
        raise _BrokenError(f"{score.status.value}: {score.reason}")
    return f"{score.status.value if score.value is None else f'{score.value:g}'}: {score.reason}"[:100]


def _is_deterministic(bench: _Bench) -> str:
    """Says the same of the same, again and in another order."""
    again = bench.score(bench.samples)
    backwards = bench.score(bench.samples[::-1])[::-1]
    # A batch function may look at its neighbours, so another order is another input.
    runs = [again, backwards] if bench.bound.source.independent else [again]
    for run in runs:
        for before, now, sample in zip(bench.first, run, bench.samples, strict=True):
            if before != now:
                raise _BrokenError(f"{sample.completion!r:.40}: first {before}, then {now}"[:200])
    return f"{len(runs) + 1} runs agree"


def _is_thread_safe(bench: _Bench) -> str:
    """Says the same from several threads at once."""
    results: list[list[Score]] = [[] for _ in range(4)]

    def work(place: int) -> None:
        # Each thread in an order of its own, so that they meet in different places.
        turn = place % len(bench.samples) if bench.bound.source.independent else 0
        order = bench.samples[turn:] + bench.samples[:turn]
        for _ in range(5):
            scores = bench.score(order)
            results[place] = scores[len(scores) - turn :] + scores[: len(scores) - turn]

    threads = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if any(result != bench.first for result in results):
        raise _BrokenError("a thread got other scores than a call alone")
    return "4 threads agree"


def _pickles(bench: _Bench) -> str:
    """Pickles, so that other processes and asynchronous trainers can have it."""
    try:
        copy = pickle.loads(pickle.dumps(bench.bound))
    except Exception as error:
        raise _BrokenError(f"{type(error).__name__}: {error}") from error
    if bench.score(bench.samples, copy) != bench.first:
        raise _BrokenError("its copy gives other scores")
    return "and its copy agrees"


def _keeps_length_and_order(bench: _Bench) -> str:
    """Returns one score a sample, in order."""
    # Every sample is made different, so that nothing is answered from another's score.
    samples = [replace(bench.example, completion=f"{bench.example.completion}{' ' * i}") for i in range(COPIES)]
    if not bench.bound.source.independent:
        mixed = [*samples[: COPIES // 2], *bench.samples]
        scores = bench.score(mixed)
        # Both, since a function that reverses its batch is blind to the one, and one that shifts it to the other.
        backwards, shifted = bench.score(mixed[::-1]), bench.score([*mixed[1:], mixed[0]])
        if any(score.reason.startswith("returned ") and "scores for" in score.reason for score in scores):
            raise _BrokenError(scores[0].reason)
        if backwards[::-1] != scores or [shifted[-1], *shifted[:-1]] != scores:
            raise _BrokenError("the same batch in another order does not get the same scores in that order")
        return f"{len(mixed)} samples, in three orders"
    mixed = [
        sample for pair in zip(samples, bench.samples * (COPIES // len(bench.samples)), strict=True) for sample in pair
    ]
    if bench.score(mixed)[1::2] != bench.first * (COPIES // len(bench.samples)):
        raise _BrokenError("among other samples, a sample's score is not where the sample is")
    return f"{len(mixed)} mixed samples"


def _is_bounded(bench: _Bench) -> str:
    """Stays finite and inside its declared range."""
    scores = [*bench.first, *bench.score(_garbage(bench.example))]
    for score in scores:
        if score.status is Status.ERROR and ("outside its range" in score.reason or "no score" in score.reason):
            raise _BrokenError(score.reason)
    values = [score.value for score in scores if score.value is not None]
    low, high = bench.bound.source.range
    return f"{min(values):g} to {max(values):g} in {low:g} to {high:g}" if values else "no values"


def _survives_garbage(bench: _Bench) -> str:
    """Answers garbage with a status, not a fault."""
    scores = bench.score(_garbage(bench.example))
    faults = [
        f"{name}: {score.reason}"
        for name, score in zip(GARBAGE, scores, strict=True)
        if score.status is Status.ERROR and not score.reason.startswith("out of memory")
    ]
    if faults:
        raise _BrokenError("; ".join(faults)[:300])
    slow = [name for name, score in zip(GARBAGE, scores, strict=True) if score.status is Status.TIMEOUT]
    return f"{len(scores)} kinds" + (f"; timed out on {', '.join(slow)}" if slow else "")


def _keeps_its_deadline(bench: _Bench) -> str:
    """Is answered for within its deadline, whatever it is given."""
    limit = bench.bound.source.deadline
    # What runs in line has promised to be quick; a second for the worst megabyte is the most that a step can spare.
    allowed = (limit or 1.0) + GRACE
    slowest = ("", 0.0)
    for name, sample in zip(GARBAGE, _garbage(bench.example), strict=True):
        start = time.monotonic()
        bench.score([sample])
        slowest = max(slowest, (name, time.monotonic() - start), key=lambda pair: pair[1])
    if slowest[1] > allowed:
        raise _BrokenError(f"{slowest[0]} took {slowest[1]:.1f} s of {allowed - GRACE:g}")
    return f"slowest: {slowest[0]}, {slowest[1]:.2f} s"


def _garbage(example: Sample) -> list[Sample]:
    return [replace(example, completion=text) for text in GARBAGE.values()]


_CHECKS: tuple[Callable[[_Bench], str], ...] = (
    _scores_its_example,
    _is_deterministic,
    _is_thread_safe,
    _pickles,
    _keeps_length_and_order,
    _is_bounded,
    _survives_garbage,
    _keeps_its_deadline,
)
