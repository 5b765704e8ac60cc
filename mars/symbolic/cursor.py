"""A place in a run of tokens, with the bounds that keep reading safe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from mars.symbolic.lexer import Token, TooLong, Unreadable
from mars.symbolic.tree import Node

MOST_DEPTH = 40
"""Brackets within brackets; each level costs some ten frames of Python's stack of 1,000."""
_LONGEST_CONDITION = 60
"""Tokens of a condition in brackets."""
END = Token("end", "")


class Cursor:
    """Reads tokens from left to right.

    Args:
        tokens: What to read.
        listing: The grammar of what stands between two brackets: items and what parts them.
        expression: The grammar of one expression.
        factor: The grammar of one factor of a product.
    """

    def __init__(
        self,
        tokens: Sequence[Token],
        listing: Callable[[Cursor], list[Node]],
        expression: Callable[[Cursor], Node],
        factor: Callable[[Cursor], Node],
    ) -> None:
        self._tokens = list(tokens)
        self.listing = lambda: listing(self)
        self.expression = lambda: expression(self)
        self.factor = lambda: factor(self)
        self.position = 0
        self.depth = 0
        self.bars = 0
        """How many absolute values are open: only then may a bar close one."""
        self.bars_separate = False
        """Whether a bar ends an expression, as in `{x | x > 2}`."""

        self.in_rows = False
        """Whether a double backslash ends a row of a matrix rather than an item of a list."""

    def peek(self, ahead: int = 0) -> Token:
        """Return a token without consuming it; behind the last there are `END`s."""
        place = self.position + ahead
        return self._tokens[place] if place < len(self._tokens) else END

    def take(self) -> Token:
        """Consume a token."""
        token = self.peek()
        self.position += 1
        return token

    def accept(self, kind: str, *texts: str) -> Token | None:
        """Consume the next token if it is of a kind (and says one of these texts)."""
        token = self.peek()
        if token.kind == kind and (not texts or token.text in texts):
            self.position += 1
            return token
        return None

    def expect(self, kind: str) -> Token:
        """Consume a token of a kind.

        Raises:
            Unreadable: Something else comes next.
        """
        token = self.accept(kind)
        if token is None:
            found = self.peek().text or "the end"
            raise Unreadable(f"expected {kind!r} and found {found!r}")
        return token

    def split_number(self) -> None:
        """Part the first digit of the number that comes next from the others."""
        token = self.peek()
        rest = Token("number", token.text[1:], False, token.upright)
        self._tokens[self.position : self.position + 1] = [Token("number", token.text[0], token.spaced), rest]

    def holds_relation(self) -> bool:
        """Whether the bracket that opens here holds a relation of its own, as `(0 < x < 4)` does."""
        depth = 0
        for ahead in range(_LONGEST_CONDITION):
            token = self.peek(ahead)
            if token.kind in ("(", "[", "{", "\\{"):
                depth += 1
            elif token.kind in (")", "]", "}", "\\}", "end"):
                depth -= 1
                if depth == 0 or token.kind == "end":
                    return False
            elif token.kind == "relation" and depth == 1:
                return True
        return False

    def skip_region(self) -> None:
        """Move to the bracket that closes the region that the cursor is in, or to the end."""
        depth = 0
        while (token := self.peek()).kind != "end":
            if token.kind in ("(", "[", "{", "\\{"):
                depth += 1
            elif token.kind in (")", "]", "}", "\\}"):
                if depth == 0:
                    return
                depth -= 1
            self.position += 1

    @contextmanager
    def nested(self) -> Iterator[None]:
        """Count one level of brackets; bars outside do not close inside.

        Raises:
            TooLong: The brackets are too deep.
        """
        if self.depth >= MOST_DEPTH:
            raise TooLong(f"more than {MOST_DEPTH} brackets within each other")
        saved = self.bars, self.bars_separate, self.in_rows
        self.depth += 1
        self.bars, self.bars_separate, self.in_rows = 0, False, False
        yield
        self.depth -= 1
        self.bars, self.bars_separate, self.in_rows = saved
