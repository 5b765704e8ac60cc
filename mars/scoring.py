"""Scoring a JSONL file of any size: in bounded memory, with nothing lost when it is stopped, resumed where it stopped.

Each output row is the input row with one more key, `mars`: the reward, the line it came from, and two fingerprints by
which a resumed run knows that it goes on with the same input and the same recipe.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from mars.errors import DataError
from mars.rows import Columns
from mars.system import RewardSystem
from mars.tally import Tally
from mars.types import Reward, Sample, Status

KEY = "mars"
CHUNK = 256
"""Rows scored and written at a time."""


@dataclass
class Agreement:
    """Verdicts beside labels. A sample without a verdict agrees with nothing and is counted apart."""

    right_accepted: int = 0
    right_rejected: int = 0
    wrong_accepted: int = 0
    wrong_rejected: int = 0
    no_verdict: int = 0
    unlabelled: int = 0

    def add(self, label: Any, verdict: bool | None) -> None:
        """Count one sample; a label that is not true or false leaves it out."""
        if not isinstance(label, bool):
            self.unlabelled += 1
        elif verdict is None:
            self.no_verdict += 1
        elif label:
            self.right_accepted += verdict
            self.right_rejected += not verdict
        else:
            self.wrong_accepted += verdict
            self.wrong_rejected += not verdict

    @property
    def labelled(self) -> int:
        """Samples with a usable label."""
        return self.decided + self.no_verdict

    @property
    def decided(self) -> int:
        """Samples with a label and a verdict."""
        return self.right_accepted + self.right_rejected + self.wrong_accepted + self.wrong_rejected

    @property
    def rate(self) -> float | None:
        """Share of the labelled samples on which verdict and label agree."""
        return (self.right_accepted + self.wrong_rejected) / self.labelled if self.labelled else None


@dataclass
class Summary:
    """What a run over a file came to."""

    tally: Tally = field(default_factory=Tally)
    agreement: Agreement = field(default_factory=Agreement)
    resumed: int = 0
    bad: int = 0


@dataclass(frozen=True)
class Job:
    """What to score and how.

    Attributes:
        system: Gives the rewards.
        source: The JSONL file to read.
        target: The JSONL file to write.
        columns: Which column plays which role.
        prefix: Put in front of every completion (what a chat template wrote of it).
        label: A column of true and false to compare verdicts with.
        skip_bad: Write rows that cannot be read with the status `error` instead of stopping at the first.
    """

    system: RewardSystem
    source: Path
    target: Path
    columns: Columns = field(default_factory=Columns)
    prefix: str = ""
    label: str | None = None
    skip_bad: bool = False


def score_file(job: Job, *, overwrite: bool = False, advance: Callable[[int], None] = lambda n: None) -> Summary:
    """Score a file, going on from where an earlier run stopped.

    Args:
        job: What to score and how.
        overwrite: Start anew even when the target exists.
        advance: Called with the number of bytes of input that were dealt with.

    Returns:
        Counts over the whole file, rows of earlier runs included.

    Raises:
        DataError: When a row cannot be read (the message names the line), or the target is of another run.
    """
    summary = Summary()
    recipe = job.system.fingerprint()
    with job.source.open("rb") as source:
        if job.target.exists() and not overwrite:
            _replay(job, source, recipe, summary, advance)
        mode = "ab" if summary.resumed else "wb"
        with job.target.open(mode) as target:
            lines = enumerate(source, start=summary.resumed + 1)
            while chunk := list(islice(lines, CHUNK)):
                _score_chunk(job, chunk, recipe, target, summary)
                advance(sum(len(line) for _, line in chunk))
    return summary


def _score_chunk(job: Job, chunk: list[tuple[int, bytes]], recipe: str, target: IO[bytes], summary: Summary) -> None:
    """Score rows and write them. Before a bad row stops the run, those above it are kept."""
    rows: list[dict[str, Any]] = []
    samples: list[Sample] = []
    bad: dict[int, Reward] = {}
    stop: DataError | None = None
    for number, line in chunk:
        row: dict[str, Any] = {}
        try:
            row = _parse(line)
            samples.append(job.columns.to_sample(row, job.prefix))
        except DataError as error:
            if not job.skip_bad:
                stop = DataError(f"{job.source}:{number}: {error}. Mend the line and run again, or use --skip-bad")
                break
            bad[len(rows)] = Reward(None, Status.ERROR, str(error), (), "default")
        rows.append(row)
    scored = iter(job.system.score(samples))
    for index, (row, (number, line)) in enumerate(zip(rows, chunk, strict=False)):
        reward = bad[index] if index in bad else next(scored)
        record = row | {KEY: {"line": number, "input": _digest(line), "recipe": recipe} | reward.to_dict()}
        target.write(json.dumps(record).encode() + b"\n")
        summary.bad += index in bad
        _count(job, row, reward, summary)
    target.flush()
    if stop:
        raise stop


def _count(job: Job, row: dict[str, Any], reward: Reward, summary: Summary) -> None:
    summary.tally.add(reward)
    if job.label is not None:
        summary.agreement.add(row.get(job.label), job.system.is_correct(reward))


def _parse(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON ({error})") from error
    if not isinstance(row, dict):
        raise DataError(f"a row is a JSON object, got {type(row).__name__}")
    return row


def _digest(line: bytes) -> str:
    return hashlib.sha256(line.rstrip(b"\r\n")).hexdigest()[:12]


def _replay(job: Job, source: IO[bytes], recipe: str, summary: Summary, advance: Callable[[int], None]) -> None:
    """Check that an earlier run's rows are of this input and recipe, count them, cut a half-written last one."""
    whole = 0
    with job.target.open("rb") as target:
        for number, (written, line) in enumerate(_pairs(target, source), start=1):
            stamp = _stamp(job, written, number)
            if stamp["recipe"] != recipe:
                raise DataError(_foreign(job, number, "was scored with another recipe or version of it"))
            if stamp["input"] != _digest(line):
                raise DataError(_foreign(job, number, f"is not of line {number} of {job.source}"))
            row = json.loads(written)
            _count(job, row, Reward.from_dict(row.pop(KEY)), summary)
            whole += len(written)
            summary.resumed += 1
            advance(len(line))
    with job.target.open("rb+") as target:
        target.truncate(whole)


def _pairs(target: IO[bytes], source: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    for written in target:
        if not written.endswith(b"\n"):
            return
        line = source.readline()
        if not line:
            raise DataError("the output has more rows than the input; use --overwrite to start anew")
        yield written, line


def _stamp(job: Job, written: bytes, number: int) -> dict[str, Any]:
    try:
        stamp = json.loads(written)[KEY]
        return {"recipe": stamp["recipe"], "input": stamp["input"]}
    except (ValueError, KeyError, TypeError):
        raise DataError(_foreign(job, number, "was not written by mars score")) from None


def _foreign(job: Job, number: int, what: str) -> str:
    return f"{job.target}:{number}: this row {what}; use --overwrite to start anew, or another output file"
