from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mars import ConfigError, registry
from mars.loading import load_module

SOURCE = "from mars import reward\n\n@reward({name!r})\ndef scored(completion: str) -> float:\n    return 1.0\n"


@pytest.fixture(autouse=True)
def forget_modules() -> Iterator[None]:
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def test_a_file_is_imported_from_the_recipes_folder(tmp_path: Path) -> None:
    (tmp_path / "rewards_of_mine.py").write_text(SOURCE.format(name="mine"))
    load_module("rewards_of_mine.py", tmp_path)
    assert registry.get("mine").origin == "rewards_of_mine.scored"
    assert str(tmp_path) in sys.path  # so that worker processes find it too


def test_a_file_is_found_from_the_working_folder_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rewards_here.py").write_text(SOURCE.format(name="here"))
    monkeypatch.chdir(tmp_path)
    load_module("rewards_here.py", tmp_path / "elsewhere")
    assert registry.get("here")


def test_a_module_is_imported_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rewards_package").mkdir()
    (tmp_path / "rewards_package" / "inner.py").write_text(SOURCE.format(name="inner"))
    monkeypatch.chdir(tmp_path)
    load_module("rewards_package.inner")
    assert registry.get("inner")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 +", "does not import: SyntaxError"),
        ("import no_such_module_anywhere", "does not import: ModuleNotFoundError"),
        ("raise OSError('no')", "does not import: OSError: no"),
        ("import sys\nsys.exit(3)", "does not import: SystemExit: 3"),
    ],
)
def test_a_file_that_does_not_import_is_a_config_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "rewards_broken.py").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_module("rewards_broken.py", tmp_path)


@pytest.mark.parametrize("place", ["no_such.py", "no.such.module", "", "..", ".relative"])
def test_what_does_not_exist_is_a_config_error(place: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="imports: "):
        load_module(place, tmp_path)


def test_a_file_must_not_have_the_name_of_a_module_that_is_imported_already(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("")
    with pytest.raises(ConfigError, match=r"a module called 'json' is imported from .* already; rename the file"):
        load_module("json.py", tmp_path)


def test_an_error_of_registration_comes_through_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "rewards_twice.py").write_text(SOURCE.format(name="math"))
    with pytest.raises(registry.RegistryError, match="'math' is registered twice"):
        load_module("rewards_twice.py", tmp_path)
