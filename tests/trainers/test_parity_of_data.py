"""A JSONL file means the same to the trainer as to the scorer, whatever is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mars import DataError, RewardSystem
from mars.adapters.trl import reward_functions
from mars.rows import Columns
from mars.scoring import Job, score_file
from mars.types import Reward
from trainers.data import test_rows as held_out_rows
from trainers.data import training_rows
from trainers.settings import DataSettings

# References that a typed table would change: dates, mixed numbers, long integers, numbers that are text, nested lists.
REFERENCES: list[Any] = ["2024-01-05", 5, 2.5, "1.50", ["3", "4"], 12345678901234567890123, True, "007", None]


def rows() -> list[dict[str, Any]]:
    return [
        {"question": f"q{i}", "gold": gold, "completion": str(gold), "note": {"i": i}}
        for i, gold in enumerate(REFERENCES)
    ]


def test_the_trainer_sees_every_reference_as_the_scorer_does(tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows()))
    columns = Columns(prompt="question", reference="gold")
    with RewardSystem({"sources": {"exact": 1.0}}) as system:
        score_file(Job(system, file, tmp_path / "out.jsonl", columns))
        scored = [Reward.from_dict(json.loads(line)["mars"]) for line in (tmp_path / "out.jsonl").open()]
        data = training_rows(DataSettings(source=str(file)), columns)
        [function] = reward_functions(system)
        extra = {name: list(data[name]) for name in data.column_names if name != "prompt"}
        function(prompts=list(data["prompt"]), completions=[row["completion"] for row in rows()], **extra)
    assert function.scorer.rewards == scored
    assert [reward.total for reward in scored[:4]] == [1.0, 1.0, 1.0, 1.0]
    assert function.scorer.samples[5].reference == REFERENCES[5]
    assert function.scorer.samples[2].meta == {"note": {"i": 2}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"prompt": "a"}\n{"prompt": ', r"data.jsonl:2: not JSON"),
        ("[1]\n", r"data.jsonl:1: a row is a JSON object, got list"),
        ("\n\n", "has no rows"),
        ('{"prompt": null}\n', "prompt is null"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text(text)
    with pytest.raises(DataError, match=message):
        training_rows(DataSettings(source=str(tmp_path / "data.jsonl")), Columns())


def test_a_file_cannot_pass_for_its_own_test(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text('{"prompt": "a"}\n')
    with pytest.raises(DataError, match="has no splits"):
        held_out_rows(DataSettings(source=str(tmp_path / "data.jsonl"), test_split="test"), Columns())


def test_a_saved_data_set_without_splits_has_no_test(tmp_path: Path) -> None:
    from datasets import Dataset

    Dataset.from_list([{"prompt": "a"}]).save_to_disk(str(tmp_path / "saved"))
    assert held_out_rows(DataSettings(source=str(tmp_path / "saved")), Columns()) is None
