"""Problem sets by name: what is found, and what a user is told when it is not."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from mars.errors import ConfigError
from mars.problems import GROUP, names, problems


def numbers(split: str, size: int | None = None, seed: int = 0) -> Any:
    """A set as a package would offer it."""
    if split == "none":
        return []
    if split == "wrong":
        return "rows"
    if split != "train":
        raise ValueError(f"no split {split!r}")
    return [{"prompt": str(seed + i)} for i in range(size or 3)]


NOT_A_FUNCTION = 7


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    here = __name__
    entries = importlib.metadata.EntryPoints(
        EntryPoint(name, value, GROUP)
        for name, value in [
            ("numbers", f"{here}:numbers"),
            ("numbers", f"{here}:numbers"),  # an editable install beside a built one
            ("absent", "no_such_package.module:problems"),
            ("constant", f"{here}:NOT_A_FUNCTION"),
            ("contested", "one:problems"),
            ("contested", "other:problems"),
        ]
    )
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **wanted: entries.select(**wanted))


def test_the_embedded_set_is_installed() -> None:
    assert "tiny" in names()
    rows = problems("tiny", "test", size=5)
    assert len(rows) == 5
    assert all(row["prompt"] and row["reference"] and row["task"] in ("easy", "hard") for row in rows)


@pytest.mark.usefixtures("offered")
def test_arguments_reach_the_set() -> None:
    assert names() == ["absent", "constant", "contested", "numbers"]
    assert problems("numbers", "train") == [{"prompt": "0"}, {"prompt": "1"}, {"prompt": "2"}]
    assert problems("numbers", "train", size=1, seed=9) == [{"prompt": "9"}]


MISTAKES = [
    ("numbrs", "train", "there are no problems called 'numbrs'. Did you mean 'numbers'?"),
    ("zzz", "train", "Known: absent, constant, contested, numbers."),
    ("numbers", "dev", "problems 'numbers': no split 'dev'"),
    ("numbers", "none", "problems 'numbers': there are none in the split 'none'"),
    ("numbers", "wrong", "must be a list of rows (dicts), got str"),
    ("absent", "train", "no_such_package.module:problems does not load: ModuleNotFoundError"),
    ("constant", "train", "must be a function, got int"),
    ("contested", "train", "several packages offer them: one:problems, other:problems"),
]


@pytest.mark.usefixtures("offered")
@pytest.mark.parametrize(("name", "split", "told"), MISTAKES)
def test_mistakes_are_told(name: str, split: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        problems(name, split)
    assert told in str(error.value)


def test_an_unknown_split_of_the_embedded_set_is_told() -> None:
    with pytest.raises(ConfigError, match=r"problems 'tiny': the tiny task has the splits 'train' and 'test'"):
        problems("tiny", "validation")
