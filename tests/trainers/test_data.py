"""Problems from any source become the same rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from mars.errors import DataError
from mars.rows import Columns
from trainers.data import test_rows as held_out_rows
from trainers.data import training_rows
from trainers.settings import DataSettings

ROWS = [{"question": "1+1 in {braces}", "gold": "2", "level": 1}, {"question": "2+2", "gold": "4", "level": None}]
COLUMNS = Columns(prompt="question", reference="gold")


def jsonl(folder: Path, name: str = "data.jsonl") -> str:
    file = folder / name
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return str(file)


def parquet(folder: Path) -> str:
    file = folder / "data.parquet"
    Dataset.from_list(ROWS).to_parquet(str(file))
    return str(file)


def saved(folder: Path) -> str:
    Dataset.from_list(ROWS).save_to_disk(str(folder / "saved"))
    return str(folder / "saved")


@pytest.mark.parametrize("make", [jsonl, parquet, saved])
def test_files_and_folders_give_chat_prompts_and_keep_other_columns(make: Any, tmp_path: Path) -> None:
    row = training_rows(DataSettings(source=make(tmp_path)), COLUMNS)[0]
    assert row["prompt"] == [{"role": "user", "content": "1+1 in {braces}"}]
    sample = Columns().to_sample({**row, "completion": "2"})
    assert (sample.reference, sample.meta) == ("2", {"level": 1})


def test_a_template_and_a_system_message_are_put_around_the_prompt(tmp_path: Path) -> None:
    settings = DataSettings(source=jsonl(tmp_path), template="Solve {prompt} in {x}.", system="Be brief.")
    assert training_rows(settings, COLUMNS)[1]["prompt"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Solve 2+2 in {x}."},
    ]


def test_plain_text_prompts_stay_text(tmp_path: Path) -> None:
    settings = DataSettings(source=jsonl(tmp_path), chat=False)
    assert training_rows(settings, COLUMNS)["prompt"][1] == "2+2"


def test_chat_messages_in_the_data_are_kept_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "chat.jsonl"
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    file.write_text(json.dumps({"prompt": messages, "reference": "1"}) + "\n")
    assert training_rows(DataSettings(source=str(file)), Columns())[0]["prompt"] == messages


def test_a_named_problem_set_is_generated(tmp_path: Path) -> None:
    rows = training_rows(DataSettings(source="tiny", size=10, seed=3), Columns())
    assert len(rows) == 10
    assert {"prompt", "reference", "task", "steps"} <= set(rows.column_names)


def test_size_takes_the_first_rows(tmp_path: Path) -> None:
    assert len(training_rows(DataSettings(source=jsonl(tmp_path), size=1), COLUMNS)) == 1


def test_a_single_file_is_not_its_own_test(tmp_path: Path) -> None:
    assert held_out_rows(DataSettings(source=jsonl(tmp_path)), COLUMNS) is None


def test_held_out_problems_come_from_where_the_recipe_says(tmp_path: Path) -> None:
    settings = DataSettings(source=jsonl(tmp_path), test=jsonl(tmp_path, "held.jsonl"), test_size=1)
    rows = held_out_rows(settings, COLUMNS)
    assert rows is not None and len(rows) == 1


@pytest.mark.parametrize(
    ("settings", "columns", "message"),
    [
        ({"source": "no/such.jsonl"}, {}, "no file no/such.jsonl"),
        ({"source": "nobody/nothing"}, {}, "cannot load 'nobody/nothing'"),
        ({}, {"prompt": "ask"}, r"no column 'ask' to be the prompt.*'question'"),
        ({}, {"prompt": "question", "reference": "answer"}, "no column 'answer' to be the reference"),
    ],
    ids=["missing file", "unknown name", "missing prompt", "missing reference"],
)
def test_what_cannot_be_loaded_is_named(
    settings: dict[str, Any], columns: dict[str, str], message: str, tmp_path: Path
) -> None:
    chosen = DataSettings.model_validate({"source": jsonl(tmp_path)} | settings)
    with pytest.raises(DataError, match=message):
        training_rows(chosen, Columns(**columns))
