"""The programs that a sandbox has compiled lately, so that none is compiled for each of its runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from sandboxes.types import Job, Outcome

_MOST_PROGRAMS = 16
_LARGEST_PROGRAM = 16 << 20


class Compiled:
    """Keeps the outcomes of compile steps that succeeded, for the same step to be spared. For any thread.

    It needs no lock, which a fork could leave held: each operation on the dictionary is whole.
    """

    def __init__(self):
        self._kept: dict[bytes, Outcome] = {}

    def get(self, job: Job) -> Outcome | None:
        """The outcome of the same compile step, if it is still known."""
        return self._kept.get(_key(job))

    def keep(self, job: Job, outcome: Outcome) -> None:
        """Remember an outcome, unless the program failed to compile (maybe for want of time) or is large."""
        small = sum(map(len, outcome.fetched.values())) <= _LARGEST_PROGRAM
        if not small or outcome.ending != "exited" or outcome.exit_code != 0:
            return
        self._kept[_key(job)] = outcome
        for oldest in list(self._kept)[:-_MOST_PROGRAMS]:
            self._kept.pop(oldest, None)


def _key(job: Job) -> bytes:
    """Differs where anything differs that the compiler sees."""
    digest = hashlib.sha256()
    for part in _parts(job):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def _parts(job: Job) -> Iterator[bytes]:
    yield repr((job.command, sorted(job.environment.items()), job.fetch, job.limits)).encode()
    for name, content in sorted(job.files.items()):
        yield name.encode()
        yield content
