"""The fixtures of `mars verify`, which `mars audit` shares."""

from tests.mars.verifying.conftest import command, moody, write

__all__ = ["command", "moody", "write"]
