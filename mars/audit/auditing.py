"""Auditing: a verifier's verdicts on labelled answers beside the labels, and beside another verifier's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from mars.audit.measures import Item, Trial
from mars.errors import DataError
from mars.types import Sample
from mars.verifying.rows import Fields, Row, chunks, find_field, find_fields, read_rows
from mars.verifying.verifier import DEFAULT, Verifier, explained

LABEL = ("expected", "adjudicated", "official_correct", "is_correct")
"""Where a label is looked for when no field is named: the first that the file has."""
SUSPECT = ("suspect_label", "suspect")
"""Keys that say that a label is doubtful: such rows are left out and counted."""


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        file: The labelled answers.
        fields: Which key is the reference and which the answer.
        label: Which key is the label.
        trial: The verifier's verdicts.
        against: Another verifier's on the same answers, if one was asked for.
        left_out: How many rows were left out, by the reason.
        workers: Worker processes that each verifier had.
    """

    file: Path
    fields: Fields
    label: str
    trial: Trial
    against: Trial | None
    left_out: Mapping[str, int]
    workers: int

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The verifier's trial, then the other's."""
        return (self.trial,) if self.against is None else (self.trial, self.against)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: the verifier's measures at the top, the other's under `against`."""
        return {
            "file": str(self.file),
            "fields": {"gold": self.fields.gold, "answer": self.fields.answer, "label": self.label},
            "left_out": dict(self.left_out),
            "workers": self.workers,
            **self.trial.to_dict(),
            "against": None if self.against is None else self.against.to_dict(),
        }


def audit(
    file: Path | str,
    source: str = DEFAULT,
    settings: Mapping[str, Any] | None = None,
    *,
    gold_field: str | None = None,
    answer_field: str | None = None,
    label_field: str | None = None,
    against: str | None = None,
    workers: int = 1,
    advance: Callable[[int], None] = lambda size: None,
) -> Audit:
    """Audit a verifier on labelled answers.

    Rows whose label is not true or false, or is marked as suspect, are left out and counted.

    Args:
        file: A JSONL file.
        source: The verifier: any registered source, or `math-verify`.
        settings: Its settings.
        gold_field: The key of the reference; by default the first of `gold`, `reference`, `answer`.
        answer_field: The key of the answer; by default the first of `pred`, `response`, `completion`.
        label_field: The key of the label; by default the first of `LABEL`.
        against: Another verifier to run on the same answers, with its defaults.
        workers: Worker processes; with one, times are those of a verifier that shares its core with no other.
        advance: Told how many bytes were dealt with; the file is read once a verifier.

    Raises:
        DataError: When a row cannot be read or lacks a field, or no row has a usable label.
        RegistryError: When there is no such verifier.
        ConfigError: When a setting is wrong.
    """
    from mars.audit import peers  # registers the peers' verifiers

    peers.require((source, against))
    file = Path(file)
    fields = find_fields(file, gold_field, answer_field)
    label = find_field(file, label_field, LABEL, "--label-field")
    left_out: Counter[str] = Counter()
    with Verifier(source, settings, workers) as verifier:
        other = None if against is None else Verifier(against, None, workers)
        trial = run_trial(verifier, _items(file, fields, label, left_out, advance), settings or {})
    if not trial.measures().n:
        raise DataError(f"{file}: no row has true or false in {label!r}; left out: {dict(left_out)}")
    peer = None
    if other is not None:
        with other:
            peer = run_trial(other, _items(file, fields, label, Counter(), advance))
    return Audit(file, fields, label, trial, peer, left_out, workers)


def run_trial(
    verifier: Verifier,
    batches: Iterable[Sequence[Item]],
    settings: Mapping[str, Any] | None = None,
    trial: Trial | None = None,
) -> Trial:
    """Run a verifier on labelled answers.

    Args:
        verifier: The verifier.
        batches: The answers, in batches.
        settings: What the trial says of the verifier's settings.
        trial: A trial to go on with, such as one of the same verifier with other settings.
    """
    trial = Trial(verifier.bound.alias, dict(settings or {})) if trial is None else trial
    verifier.wake()
    start = perf_counter()
    asked: Iterator[tuple[Sequence[Item], list[Sample]]] = (
        (batch, [item.sample for item in batch]) for batch in batches
    )
    for batch, scores in verifier.stream(asked):
        for item, score in zip(batch, scores, strict=True):
            trial.add(item, explained(verifier.bound, score))
    trial.wall_s += perf_counter() - start
    return trial


def why_left_out(data: Mapping[str, Any], label: str) -> str | None:
    """Return why a row cannot be audited, or `None` when it can.

    Args:
        data: The row.
        label: The key of its label.
    """
    if any(data.get(key) for key in SUSPECT):
        return "the label is suspect"
    if not isinstance(data.get(label), bool):
        return "the label is not true or false" if label in data else "no label"
    return None


def _items(
    file: Path, fields: Fields, label: str, left_out: Counter[str], advance: Callable[[int], None]
) -> Iterator[list[Item]]:
    for chunk in chunks(read_rows(file)):
        batch: list[Item] = []
        for row in chunk:
            if (why := why_left_out(row.data, label)) is None:
                batch.append(item_of(row, fields, row.data[label]))
            else:
                left_out[why] += 1
        yield batch
        advance(sum(row.size for row in chunk))


def item_of(row: Row, fields: Fields, expected: bool) -> Item:
    """Make a labelled answer of a row.

    Raises:
        DataError: When the row lacks a field, or its answer is no text.
    """
    return Item(row.line, row.id, expected, fields.sample(row))
