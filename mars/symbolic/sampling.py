"""Points to compare two expressions at: the same ones every time, varied in size and sign."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from zlib import crc32

from mars.symbolic.evaluation import INTEGER_CALLS
from mars.symbolic.tree import Call, Fold, Node, Number, Power, children, symbols

POINTS = 60
"""Points that are tried before a pair is given up, most of which may lie outside the domain."""
_SPANS = {"a": (1, 4), "b": (0, 1), "c": (4, 50), "d": (-4, 0), "e": (-1, 0), "f": (50, 3000), "g": (-60, -4)}
_PATTERN = ("a", "b", "abc", "d", "abde", "c", "b", "be", "abc", "f", "e", "abcdeg")  # each variable draws one of them
_INTEGERS = (4, 7, 3, 9, 2, 5, 12, 6, 1, 8, 17, 10, 25, 11, 0, 40)
_BITS = 16


def points(names: Iterable[str], integers: frozenset[str]) -> Iterator[dict[str, Fraction]]:
    """Yield points; one, empty, where there are no variables.

    Args:
        names: The variables.
        integers: Those of them that are integers.
    """
    ordered = sorted(names)
    for index in range(POINTS if ordered else 1):
        yield {name: _integer(name, index) if name in integers else _real(name, index) for name in ordered}


@lru_cache(maxsize=8192)
def _real(name: str, index: int) -> Fraction:
    """Return a dyadic fraction, which floats hold exactly."""
    drawn = _mixed(name, index)
    spans = _PATTERN[index % len(_PATTERN)]
    low, high = _SPANS[spans[drawn % len(spans)]]
    part = drawn >> 8 & (1 << _BITS) - 1 | 1  # odd: never an integer
    return Fraction((low << _BITS) + (high - low) * part, 1 << _BITS)


@lru_cache(maxsize=8192)
def _integer(name: str, index: int) -> Fraction:
    """Return a small natural number; every variable goes through all of them in its own order."""
    around, place = divmod(index, len(_INTEGERS))
    order = random.Random(f"{crc32(name.encode('utf-8', 'surrogatepass'))} {around}").sample(_INTEGERS, len(_INTEGERS))
    return Fraction(order[place])


def _mixed(name: str, index: int) -> int:
    """Return 64 mixed bits (splitmix64): quicker than a generator for every point."""
    state = (crc32(name.encode("utf-8", "surrogatepass")) * 0x9E3779B97F4A7C15 + index * 0xD1B54A32D192ED03) % 2**64
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    state = (state ^ state >> 27) * 0x94D049BB133111EB % 2**64
    return state ^ state >> 31


def integer_names(node: Node) -> frozenset[str]:
    """Return the variables that only integers can be meant for: in factorials, bounds, powers of negative numbers."""
    found: frozenset[str] = frozenset()
    match node:
        case Call(name, arguments) if name in INTEGER_CALLS:
            found = found.union(*map(symbols, arguments))
        case Call(name, arguments) if name.endswith("_"):  # an indexed unknown, `F_{n-1}`
            found = found.union(*map(symbols, arguments))
        case Fold("sum" | "product", _, low, high, _):
            found = found.union(*(symbols(bound) for bound in (low, high) if bound is not None))
        case Power(Number(value), exponent) if value < 0:
            found = symbols(exponent)
    for child in children(node):
        found |= integer_names(child)
    return found - {node.variable} if isinstance(node, Fold) else found
