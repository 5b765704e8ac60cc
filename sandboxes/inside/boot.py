"""Starts a supervisor where no file of this package is, in a container of any image: `python -s -c THIS`.

It reads a length and JSON from standard input: the environment to have, and the source of each module of this folder.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.machinery import ModuleSpec

_PACKAGES = ("sandboxes", "sandboxes.inside")


class Given:
    """Imports the modules whose source came over standard input."""

    def __init__(self, sources):
        self._sources = sources

    def find_spec(self, name, path=None, target=None):
        """As of any finder."""
        return ModuleSpec(name, self, is_package=name in _PACKAGES) if name in self._sources else None  # type: ignore[arg-type]

    def create_module(self, spec):
        """A plain one will do."""

    def exec_module(self, module):
        """Run the source as the module."""
        name = module.__name__
        exec(compile(self._sources[name], f"<{name}>", "exec", dont_inherit=True), vars(module))


def read(size):
    """So many bytes of standard input, and none of what follows."""
    data = b""
    while len(data) < size:
        piece = os.read(0, size - len(data))
        if not piece:
            sys.exit("standard input ended before the sources did")
        data += piece
    return data


given = json.loads(read(int.from_bytes(read(4), "big")))
path = os.environ.get("PATH", os.defpath)
os.environ.clear()
os.environ.update({"PATH": path, **given["environment"]})
sys.path[:] = filter(None, sys.path)
finder = Given({**dict.fromkeys(_PACKAGES, ""), **given["sources"]})
sys.meta_path.insert(0, finder)

from sandboxes.inside.launch import main  # noqa: E402 - only now it can be found

sys.meta_path.remove(finder)
main(0, 1, None)
