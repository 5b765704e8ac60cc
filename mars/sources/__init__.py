"""The built-in reward sources, one a file. Importing this package registers them all."""

from mars.sources import exact, format, length, math, numeric, repetition

__all__ = ["exact", "format", "length", "math", "numeric", "repetition"]
