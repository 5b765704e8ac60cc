"""Rational functions at random points modulo large primes: an identity test whose numbers never grow.

Two polynomials of degree d that differ agree at a random residue with a probability below d / 2^126 (Schwartz and
Zippel), and residues that differ prove that the functions differ. `pi` and `e`, which satisfy no algebraic equation,
are points like any variable; `i` is a square root of -1.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b

from mars.symbolic.evaluation import Budget, Evaluator, Exhausted, NoValue, TooLarge, Undefined
from mars.symbolic.exact import rational
from mars.symbolic.tree import Call, Node, Number, Power

_FIELDS = (  # a prime of 127 bits, a square root of -1 modulo it
    (118658460037011408310010401355802785077, 76891690909467817472300973450678997049),
    (134648712792525321400772406149332832413, 59241483403663686373692846984222313116),
    (131948507657389087555235518550535965773, 100047152171926499626706873688534921644),
)
_TRIALS = 4
_AGREEMENTS = 2


def same_function(first: Node, second: Node, budget: Budget) -> bool | None:
    """Tell whether two rational functions are the same.

    Args:
        first: An expression of numbers, variables, sums, products and integer powers.
        second: Another.
        budget: The work that is left.

    Returns:
        Whether they are the same function; `None` if one is no rational function, or is defined nowhere.

    Raises:
        Exhausted: If the work is too much.
    """
    agreements = 0
    for trial in range(_TRIALS):
        try:
            one, other = (Residues(trial, budget).value(node) for node in (first, second))
        except Undefined:
            continue
        except Exhausted:
            raise
        except (NoValue, TooLarge):
            return None
        if one != other:
            return False
        agreements += 1
        if agreements == _AGREEMENTS:
            return True
    return None


class Residues(Evaluator[int]):
    """Arithmetic modulo a prime, every variable at its own random residue.

    Args:
        trial: Which prime and which point.
        budget: The work that evaluation may do.
    """

    def __init__(self, trial: int, budget: Budget) -> None:
        super().__init__({}, budget)
        self.trial = trial
        self.prime, self.root = _FIELDS[trial % len(_FIELDS)]

    def number(self, value: Fraction) -> int:
        """See `Evaluator`."""
        if value.denominator == 1:
            return value.numerator % self.prime
        return value.numerator * self.inverse(value.denominator) % self.prime

    def inverse(self, residue: int) -> int:
        """Return the reciprocal."""
        residue %= self.prime
        if residue == 0:
            raise Undefined("1/0")
        return pow(residue, -1, self.prime)

    def symbol(self, name: str) -> int:
        """See `Evaluator`."""
        if name in self.point:  # the variable of a fold
            return self.number(self.point[name])
        return random_residue(name, self.trial)

    def constant(self, name: str) -> int:
        """See `Evaluator`."""
        if name == "i":
            return self.root
        if name in ("pi", "e"):
            return random_residue(f" {name}", self.trial)
        raise NoValue(name)

    def total(self, values: list[int]) -> int:
        """See `Evaluator`."""
        return sum(values) % self.prime

    def product(self, values: list[int]) -> int:
        """See `Evaluator`."""
        result = 1
        for value in values:
            result = result * value % self.prime
        return result

    def power(self, base: Node, exponent: Node) -> int:
        """See `Evaluator`; integer exponents only, and rational powers of rational numbers that are rational."""
        power = self.exact(exponent)
        if power is None:
            raise NoValue("an exponent that is not a number")
        if power.denominator != 1:
            return self._root(base, power)
        value = self.value(base)
        self.budget.spend(power.numerator.bit_length() // 40)
        if power < 0:
            value, power = self.inverse(value), -power
        return pow(value, power.numerator, self.prime)

    def _root(self, base: Node, power: Fraction) -> int:
        value = self.exact(base)
        if value is None:
            raise NoValue("a root")
        root = self.exact(Power(Number(value), Number(power)))
        if root is None:
            raise NoValue("an irrational root")
        return self.number(root)

    def call(self, name: str, values: list[int]) -> int:
        """See `Evaluator`; functions are left to `_rarer`, which knows their arguments."""
        raise NoValue(name)

    def _rarer(self, node: Node) -> int:
        if isinstance(node, Call):
            value = self.exact(node)
            if value is None:
                raise NoValue(node.name)
            return self.number(value)
        return super()._rarer(node)

    def exact(self, node: Node) -> Fraction | None:
        """See `Evaluator`."""
        return rational(node, self.point, self.budget)


@lru_cache(maxsize=4096)
def random_residue(name: str, trial: int) -> int:
    """Return the residue that a variable stands at: a hash of its name."""
    digest = blake2b(f"{trial} {name}".encode("utf-8", "surrogatepass"), digest_size=15).digest()
    return int.from_bytes(digest, "big")
