"""Whose turn it is in a conversation: what waits for the other side uses up none of its time by the clock."""

from __future__ import annotations

import time


class Turns:
    """Counts the records that one side says and hears, and the seconds in which it is not its turn."""

    def __init__(self, asks: bool):
        """`asks` says whether this side asks and waits for answers, or answers and waits for questions."""
        self._asks = asks
        self._said, self._heard = Records(), Records()
        self._over = False
        self._waited_s = 0.0
        self._since: float | None = None

    def say(self, data: bytes) -> None:
        """This side has said so much."""
        self._said.feed(data)
        self._turn()

    def hear(self, data: bytes) -> None:
        """This side was told so much."""
        self._heard.feed(data)
        self._turn()

    def end(self) -> None:
        """The other side has nothing more to say."""
        self._over = True
        self._turn()

    @property
    def ahead(self) -> bool:
        """Whether this side, which only answers, has said more than it was asked."""
        return not self._asks and self._said.whole > self._heard.whole

    def waited_s(self) -> float:
        """Seconds so far in which this side could only wait."""
        return self._waited_s + (time.monotonic() - self._since if self._since is not None else 0.0)

    def _turn(self) -> None:
        self._waited_s, self._since = self.waited_s(), None
        if not self._over and self._said.whole - self._heard.whole >= self._asks:
            self._since = time.monotonic()


class Records:
    """Counts the whole records in a stream: each has its length before it.

    Attributes:
        whole: How many there were.
    """

    def __init__(self):
        self.whole = 0
        self._head = b""
        self._left = 0

    def feed(self, data: bytes) -> None:
        """Go on with what has arrived."""
        at = 0
        while at < len(data):
            if not self._left:
                piece = data[at : at + 4 - len(self._head)]
                self._head += piece
                at += len(piece)
                if len(self._head) < 4:
                    return
                self._left, self._head = int.from_bytes(self._head, "big"), b""
                self.whole += not self._left
            else:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
                self.whole += not self._left
