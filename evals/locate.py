"""Where a model is: in a folder or on the hub. Apart from loading, so that a mistyped path costs no import of torch."""

from __future__ import annotations

import re
from pathlib import Path

from mars.errors import ConfigError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def locate(model: str) -> str:
    """Return the folder or the hub id that a name means.

    Args:
        model: A folder that `save_pretrained` wrote, or a hub id.

    Raises:
        ConfigError: When it is a path, and there is no model.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise ConfigError(f"--model {model}: this folder holds no saved model: it has no config.json")
        return str(folder)
    if folder.exists():
        raise ConfigError(f"--model {model}: is a file; give the folder that holds the model")
    # `runs/x` could be a hub id, but where there is a folder `runs` it is a mistyped path: no use to ask the hub.
    if not _HUB_ID.fullmatch(model) or ("/" in model and Path(folder.parts[0]).is_dir()):
        raise ConfigError(f"--model {model}: there is no such folder")
    return model
