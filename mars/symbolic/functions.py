"""The functions of one variable that have a value: by the names of the tree, in floats and in many digits."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b

HALF_PI = math.pi / 2

FLOATS: dict[str, tuple[Callable[[float], float], Callable[[complex], complex] | None]] = {
    "sin": (math.sin, cmath.sin),
    "cos": (math.cos, cmath.cos),
    "tan": (math.tan, cmath.tan),
    "cot": (lambda x: 1 / math.tan(x), lambda z: 1 / cmath.tan(z)),
    "sec": (lambda x: 1 / math.cos(x), lambda z: 1 / cmath.cos(z)),
    "csc": (lambda x: 1 / math.sin(x), lambda z: 1 / cmath.sin(z)),
    "arcsin": (math.asin, cmath.asin),
    "arccos": (math.acos, cmath.acos),
    "arctan": (math.atan, cmath.atan),
    "arccot": (lambda x: HALF_PI - math.atan(x), lambda z: HALF_PI - cmath.atan(z)),
    "arcsec": (lambda x: math.acos(1 / x), lambda z: cmath.acos(1 / z)),
    "arccsc": (lambda x: math.asin(1 / x), lambda z: cmath.asin(1 / z)),
    "sinh": (math.sinh, cmath.sinh),
    "cosh": (math.cosh, cmath.cosh),
    "tanh": (math.tanh, cmath.tanh),
    "coth": (lambda x: 1 / math.tanh(x), lambda z: 1 / cmath.tanh(z)),
    "sech": (lambda x: 1 / math.cosh(x), lambda z: 1 / cmath.cosh(z)),
    "csch": (lambda x: 1 / math.sinh(x), lambda z: 1 / cmath.sinh(z)),
    "arsinh": (math.asinh, cmath.asinh),
    "arcosh": (math.acosh, cmath.acosh),
    "artanh": (math.atanh, cmath.atanh),
    "exp": (math.exp, cmath.exp),
    "ln": (math.log, cmath.log),
    "log": (math.log, cmath.log),
    "lg": (math.log10, cmath.log10),
    "floor": (lambda x: float(math.floor(x)), None),
    "ceil": (lambda x: float(math.ceil(x)), None),
    "round": (lambda x: float(math.floor(x + 0.5)), None),
    "fractional": (lambda x: x - math.floor(x), None),
    "sign": (lambda x: float((x > 0) - (x < 0)), None),
    "factorial": (lambda x: math.gamma(x + 1), None),
    "gamma": (math.gamma, None),
}
"""The real function, which raises `ValueError` outside its domain, and the complex one."""

_PLAIN = "sin cos tan cot sec csc sinh cosh tanh coth sech csch exp"
DIGITS = {
    **{name: name for name in _PLAIN.split()},
    **{"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsec": "asec", "arccsc": "acsc"},
    **{"arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh", "ln": "ln", "log": "ln", "lg": "log10"},
    **{"factorial": "factorial", "gamma": "gamma", "zeta": "zeta"},
}
"""Names of `mpmath` functions."""

SLOW = frozenset({"factorial", "gamma", "zeta"})
"""Functions whose cost explodes with the number of digits."""

GROWING = frozenset({"exp", "sinh", "cosh", "tanh", "coth", "sech", "csch"})
"""Functions that raise e to their argument."""

PARTS = frozenset({"abs", "re", "Re", "im", "Im", "conj"})
"""Functions that take a complex number apart."""

SEVERAL = frozenset(
    {
        "log",
        "binomial",
        "permutations",
        "gcd",
        "lcm",
        "mod",
        "max",
        "min",
        "sup",
        "inf",
        "arg",
        "det",
        "deg",
        "double_factorial",
    }
)
KNOWN = frozenset(FLOATS) | frozenset(DIGITS) | PARTS | SEVERAL | {"arccot"}
"""Every name that is not an unknown function."""

JUMPING = frozenset({"abs", "floor", "ceil", "round", "fractional", "sign", "mod", "max", "min", "sup", "inf"})
"""Functions that may look like another one on most of the line, and are looked at in more points."""


@lru_cache(maxsize=1024)
def unknown(name: str, count: int) -> tuple[float, ...]:
    """Return what an unknown function is made of: a phase, and a slope between 1/2 and 3/2 for each argument.

    An unknown `f(x, y)` stands for one smooth function t + 2 sin(3t), t = phase + slope * x + slope * y, which is as
    good as any: an equation that holds for it and not for every f would have to know the slopes.
    """
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=64).digest()
    drawn = [int.from_bytes(digest[4 * k % 60 : 4 * k % 60 + 4], "big") / 2**32 + k // 15 for k in range(count + 1)]
    return tuple(value + 0.5 for value in drawn)
