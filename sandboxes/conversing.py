"""Two programs in two sandboxes that speak with each other, with the trusted process between them."""

from __future__ import annotations

import select
import time
from dataclasses import replace

from sandboxes.errors import InternalError
from sandboxes.inside import conversation
from sandboxes.types import Job, Outcome
from sandboxes.worker import Worker

_PATIENCE_S = 30.0
_LONGEST_WALL = 4  # the supervisor's own bound, in wall limits; see sandboxes.inside.supervisor
_MOST_BYTES = 256 << 20


def converse(first: Worker, job: Job, second: Worker, examiner: Job) -> tuple[Outcome, Outcome]:
    """Run a program and its examiner, passing on what each says to the other.

    What the examiner says is its own: records that ask go to the program, the one that tells the result stays here,
    as the `reply` of its outcome. What the program says is passed on unread.

    Returns:
        The outcomes of the program and of the examiner.

    Raises:
        InternalError: A worker failed.
    """
    second.begin(examiner, interactive=True)
    first.begin(job, interactive=True)
    talk = _Talk(first, second)
    # Neither clock runs while the other side is to speak.
    deadline = time.monotonic() + _LONGEST_WALL * (job.limits.wall + examiner.limits.wall) + _PATIENCE_S
    poller = select.poll()
    by_descriptor = {worker.fileno(): worker for worker in (first, second)}
    for descriptor in by_descriptor:
        poller.register(descriptor, select.POLLIN)
    while not talk.over:
        if time.monotonic() > deadline:
            raise InternalError("a conversation does not end")
        ready = [worker for worker in by_descriptor.values() if worker.pending()]
        ready = ready or [by_descriptor[descriptor] for descriptor, _ in poller.poll(1000)]
        for worker in ready:
            talk.hear(worker)
    return talk.outcomes()


class _Talk:
    def __init__(self, program: Worker, examiner: Worker):
        self._program, self._examiner = program, examiner
        self._ended: dict[Worker, Outcome] = {}
        self._unread = bytearray()
        self._result = b""
        self._passed_on = 0

    @property
    def over(self) -> bool:
        return len(self._ended) == 2

    def hear(self, worker: Worker) -> None:
        if worker in self._ended:
            return
        other = self._examiner if worker is self._program else self._program
        for event in worker.events():
            if isinstance(event, Outcome):
                self._ended[worker] = event
                if other not in self._ended:
                    other.hush()
            elif worker is self._examiner:
                self._take_record(event)
            elif other not in self._ended:
                self._pass_on(other, event)

    def _take_record(self, piece: bytes) -> None:
        """The examiner speaks in records: a length, a letter, a body."""
        self._unread += piece
        while len(self._unread) >= 5:
            size = int.from_bytes(self._unread[:4], "big")
            if len(self._unread) < 4 + size:
                return
            record = bytes(self._unread[4 : 4 + size])
            del self._unread[: 4 + size]
            if record[:1] == conversation.DONE:
                self._result = record[1:]
                if self._program not in self._ended:
                    self._program.hush()
            elif self._program not in self._ended:
                body = record[1:]
                self._pass_on(self._program, len(body).to_bytes(4, "big") + body)

    def _pass_on(self, to: Worker, data: bytes) -> None:
        self._passed_on += len(data)
        if self._passed_on > _MOST_BYTES:
            raise InternalError("a conversation is too long")
        to.say(data)

    def outcomes(self) -> tuple[Outcome, Outcome]:
        return self._ended[self._program], replace(self._ended[self._examiner], reply=self._result)
