"""A program in a file, with its language told by the file's name."""

from __future__ import annotations

from pathlib import Path, PurePath

from mars.errors import ConfigError, did_you_mean
from sandboxes import Program
from sandboxes.languages import LANGUAGES, language

# What files are called besides what `sandboxes` calls them.
_OTHER_ENDINGS = {
    ".cc": "cpp",
    ".cxx": "cpp",
    ".c++": "cpp",
    ".cjs": "javascript",
    ".mjs": "javascript",
    ".bash": "bash",
}


def read_program(path: Path, named: str | None = None, arguments: tuple[str, ...] = ()) -> Program:
    """Read a program from its file.

    Args:
        path: The file.
        named: Its language; None takes the one that the file's name ends like.
        arguments: Its command line's arguments.

    Raises:
        ConfigError: It cannot be read, or its language is unknown.
    """
    try:
        # Not as text, which would change its line ends.
        source = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read the program {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"the program {path} is not UTF-8 text: {error}") from error
    return Program(source, _language_of(path, named), arguments=arguments)


def _language_of(path: Path, named: str | None) -> str:
    names = [each.name for each in LANGUAGES]
    if named is not None:
        try:
            return language(named).name
        except ValueError:
            raise ConfigError(f"--language {named}: no such language.{did_you_mean(named, names)}") from None
    endings = {PurePath(each.source_name).suffix: each.name for each in LANGUAGES} | _OTHER_ENDINGS
    if path.suffix not in endings:
        raise ConfigError(f"which language is {path} in? Say it with --language. Known: {', '.join(names)}.")
    return endings[path.suffix]
