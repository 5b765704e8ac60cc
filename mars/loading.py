"""Importing the modules and files in which users register sources."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from mars.errors import ConfigError, MarsError


def load_module(place: str, base: Path | None = None) -> None:
    """Import a module, or a `.py` file, for the sources that it registers.

    A file is imported under its own name with its folder on the import path, so that worker processes can import it
    too.

    Args:
        place: `package.module`, or the path of a file.
        base: The folder that a relative path starts from; by default the working folder.

    Raises:
        ConfigError: When it does not exist, fails to import, or its name is taken by another module.
    """
    file = (base or Path()) / place if place.endswith(".py") else None
    if file is not None and not file.is_file() and Path(place).is_file():
        file = Path(place)
    if file is not None and not file.is_file():
        raise ConfigError(f"imports: there is no file {place} (looked in {(base or Path()).resolve()} too)")
    folder, name = (file.resolve().parent, file.stem) if file else (Path.cwd(), place)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module(name)
    except MarsError:
        raise
    except (Exception, SystemExit) as error:
        raise ConfigError(f"imports: {place} does not import: {type(error).__name__}: {error}") from error
    found = getattr(module, "__file__", None)
    if file is not None and (found is None or Path(found).resolve() != file.resolve()):
        raise ConfigError(
            f"imports: {place}: a module called {name!r} is imported from {found} already; rename the file"
        )
