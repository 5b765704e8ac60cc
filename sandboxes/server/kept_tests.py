"""Tests that clients registered, so that they send them once and not with each program."""

from __future__ import annotations

from collections import OrderedDict

from sandboxes.types import TestCase


class KeptTests:
    """Keeps tests by the SHA-256 of the text they came as; the ones not used for longest go first.

    Args:
        most_bytes: How many bytes of text to keep.
    """

    def __init__(self, most_bytes: int):
        self.most_bytes = most_bytes
        self._kept: OrderedDict[str, tuple[tuple[TestCase, ...], int]] = OrderedDict()
        self._size = 0

    def put(self, digest: str, cases: tuple[TestCase, ...], size: int) -> None:
        """Keep tests that came as `size` bytes."""
        self._forget(digest)
        while self._kept and self._size + size > self.most_bytes:
            self._forget(next(iter(self._kept)))
        self._kept[digest] = (cases, size)
        self._size += size

    def get(self, digest: str) -> tuple[TestCase, ...] | None:
        """The tests, or None when they were never registered or had to go."""
        if digest not in self._kept:
            return None
        self._kept.move_to_end(digest)
        return self._kept[digest][0]

    def _forget(self, digest: str) -> None:
        _, size = self._kept.pop(digest, ((), 0))
        self._size -= size
