"""Tables: for each strategy the means over seeds with intervals, beside the static sum of the same seeds.

Runs of one seed start from the same model and see the same problems in the same order, so strategies are compared seed
by seed: the interval is Student's, of the mean of the differences.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

from benchmarks.weighting.results import Run
from benchmarks.weighting.worlds import ALONE, BASELINE, World

TARGET = 0.8
"""The accuracy on hard problems to which steps are counted."""

_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""The 97.5% quantile of Student's t for 1 to 9 degrees of freedom."""

Table = tuple[list[str], list[list[str]]]


@dataclass(frozen=True)
class OverSeeds:
    """A mean over seeds with its 95% interval; without a width where there is one seed only.

    Attributes:
        mean: The mean.
        low: Lower end.
        high: Upper end.
    """

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> OverSeeds:
        """Estimate the mean of what seeds gave, which are independent."""
        mean = fmean(values)
        if len(values) < 2:
            return cls(mean, -math.inf, math.inf)
        half = student(len(values) - 1) * stdev(values) / math.sqrt(len(values))
        return cls(mean, mean - half, mean + half)

    def verdict(self) -> str:
        """Say what a difference of which more is better comes to."""
        return "better" if self.low > 0 else "worse" if self.high < 0 else "not distinguishable"


def student(freedom: int) -> float:
    """Return the 97.5% quantile of Student's t distribution.

    Args:
        freedom: Degrees of freedom, 1 or more. Above 9 by the expansion of Cornish and Fisher, good to 0.001.
    """
    if freedom <= len(_T):
        return _T[freedom - 1]
    z = NormalDist().inv_cdf(0.975)
    terms = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))


@dataclass(frozen=True)
class Comparison:
    """A strategy beside the static sum in one world, over the seeds that both have.

    Attributes:
        end: The difference in accuracy on hard problems at the end.
        on_the_way: The difference in the same, averaged over the run.
        seeds: How many seeds.
    """

    end: OverSeeds
    on_the_way: OverSeeds
    seeds: int

    @classmethod
    def of(cls, runs: Mapping[int, Run], baseline: Mapping[int, Run]) -> Comparison | None:
        """Compare runs by seed; `None` where no seed is in both."""
        seeds = sorted(set(runs) & set(baseline))
        if not seeds:
            return None
        end = [runs[seed].end.hard - baseline[seed].end.hard for seed in seeds]
        way = [runs[seed].on_the_way - baseline[seed].on_the_way for seed in seeds]
        return cls(OverSeeds.of(end), OverSeeds.of(way), len(seeds))

    def verdict(self) -> str:
        """Return better or worse where one of the two measures says so and the other does not contradict."""
        said = {self.end.verdict(), self.on_the_way.verdict()} - {"not distinguishable"}
        return "mixed" if len(said) > 1 else said.pop() if said else "not distinguishable"


def by_strategy(runs: Sequence[Run]) -> dict[str, dict[int, Run]]:
    """Return runs of one world by strategy, then by seed."""
    found: dict[str, dict[int, Run]] = {}
    for run in runs:
        found.setdefault(run.strategy, {})[run.seed] = run
    return found


def world_table(world: World, runs: Sequence[Run], default: str) -> Table:
    """Return the table of one world, a row a strategy.

    Args:
        world: The world.
        runs: Its runs, in the order of the rows.
        default: The strategy that `auto` is here.
    """
    header = ["strategy", "hard, end", "hard, mean of run", f"steps to {TARGET:.0%}", _HEADERS[world.measure]]
    if world.limit:
        header.append("outside the limit: end, last third")
    header += ["end beside static", "mean of run beside static", "verdict"]
    found = by_strategy(runs)
    baseline = found.get(BASELINE, {})
    rows = []
    for strategy, seeds in found.items():
        of_seeds = list(seeds.values())
        row = [_name(strategy, default)]
        row += [_percent(run.end.hard for run in of_seeds), _percent(run.on_the_way for run in of_seeds)]
        row += [_steps(of_seeds), _measure(world.measure, of_seeds)]
        if world.limit:
            row.append(_outside(world, of_seeds))
        rows.append(row + _beside(strategy, Comparison.of(seeds, baseline)))
    return header, rows


def accuracy_table(runs: Sequence[Run], default: str, every: int = 10) -> Table:
    """Return the accuracy on hard problems at equal steps, of the runs of one world, as means over seeds."""
    steps = sorted({step for run in runs for step in run.graded if step % every == 0})
    rows = []
    for strategy, seeds in by_strategy(runs).items():
        means = [[run.graded[step].hard for run in seeds.values() if step in run.graded] for step in steps]
        rows.append([_name(strategy, default), *(f"{fmean(values):.1%}" if values else "" for values in means)])
    return ["strategy", *(f"step {step}" for step in steps)], rows


def weights_table(world: World, runs: Sequence[Run], default: str, every: int = 10) -> Table:
    """Return the other source's share of the weight at equal steps, of the runs of one world, as means over seeds."""
    steps = sorted({step for run in runs for step in run.weights if step % every == 0})
    rows = []
    for strategy, seeds in by_strategy(runs).items():
        of_step = [[run for run in seeds.values() if step in run.weights] for step in steps]
        shares = [
            f"{other_share(world, runs, step):.2f}" if runs else "" for step, runs in zip(steps, of_step, strict=True)
        ]
        rows.append([_name(strategy, default), *shares])
    return ["strategy", *(f"step {step}" for step in steps)], rows


def other_share(world: World, runs: Sequence[Run], step: int) -> float:
    """Return the share of the weight that the source beside the verifier has, as a mean over runs."""
    return fmean(run.weights[step][world.other] / sum(run.weights[step].values()) for run in runs)


def verdict_table(worlds: Mapping[str, World], runs: Sequence[Run], defaults: Mapping[str, str]) -> Table:
    """Return each strategy's verdict in each world, the default of a world marked."""
    strategies = [name for name in dict.fromkeys(run.strategy for run in runs) if name not in (BASELINE, ALONE)]
    rows = []
    for strategy in strategies:
        row = [strategy]
        for name in worlds:
            found = by_strategy([run for run in runs if run.world == name])
            comparison = Comparison.of(found.get(strategy, {}), found.get(BASELINE, {}))
            mark = " (auto)" if defaults[name] == strategy else ""
            row.append("" if comparison is None else comparison.verdict() + mark)
        rows.append(row)
    return ["strategy", *(world.title for world in worlds.values())], rows


def markdown(table: Table) -> str:
    """Return a table as Markdown."""
    header, rows = table
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


_HEADERS = {
    "format": "ends in a full stop",
    "easy": "easy, end",
    "praise": "flatters",
    "thinking": "characters of thinking",
}


def _name(strategy: str, default: str) -> str:
    if strategy == ALONE:
        return "(the verifier alone)"
    return f"{strategy} (auto)" if strategy == default else strategy


def _percent(values: Iterable[float]) -> str:
    found = OverSeeds.of(list(values))
    return f"{found.mean:.1%}" + ("" if math.isinf(found.low) else f" ± {100 * (found.high - found.mean):.1f}")


def _measure(measure: str, runs: Sequence[Run]) -> str:
    values = [getattr(run.end, measure) for run in runs]
    return f"{fmean(values):.2f}" if measure == "thinking" else _percent(values)


def _steps(runs: Sequence[Run]) -> str:
    found = [steps for run in runs if (steps := run.steps_to(TARGET)) is not None]
    missed = len(runs) - len(found)
    never = f"{missed} of {len(runs)} never"
    return never if not found else f"{fmean(found):.0f}" + (f", {never}" if missed else "")


def _outside(world: World, runs: Sequence[Run]) -> str:
    assert world.limit is not None
    limit = world.limit
    end = sum(not limit.holds(getattr(run.end, limit.measure)) for run in runs)
    late = [not limit.holds(getattr(graded, limit.measure)) for run in runs for graded in run.last_third()]
    return f"{end} of {len(runs)}, {fmean(late):.0%}"


def _beside(strategy: str, comparison: Comparison | None) -> list[str]:
    if comparison is None or strategy == BASELINE:
        return ["", "", ""]
    return [_points(comparison.end), _points(comparison.on_the_way), comparison.verdict()]


def _points(difference: OverSeeds) -> str:
    said = f"{100 * difference.mean:+.1f}"
    return said if math.isinf(difference.low) else f"{said} [{100 * difference.low:+.1f}, {100 * difference.high:+.1f}]"
