"""The other side of the pool: a process that scores what it is sent, one item at a time, until it is killed.

A fresh interpreter that shares nothing with the trainer, so that killing it can hurt nobody. Answers go back as JSON:
whatever model text did to this process, its parent never unpickles from it.
"""

from __future__ import annotations

import json
import os
import pickle
from multiprocessing.connection import Connection
from typing import Any

from mars.execution.call import Call, failure, run_batch, run_each
from mars.registry import BoundSource
from mars.types import Score, Status
from sandboxes.limits import die_with_parent, lift_memory_limit, limit_memory_growth, no_core_dumps

IN_WORKER = "MARS_IN_WORKER"


def main(descriptor: int, parent: int) -> None:
    """Serve requests from the pipe `descriptor` until it closes or the process `parent` ends."""
    connection = Connection(descriptor)
    die_with_parent(parent)
    no_core_dumps()
    os.dup2(2, 1)  # a source that prints must not write into a program's piped output
    sources: dict[int, BoundSource] = {}
    while True:
        try:
            request = connection.recv()
        except EOFError:
            return
        if request[0] == "load":
            connection.send_bytes(_load(sources, *request[1:]))
        else:
            _run(connection, sources[request[1]], request[2])


def _load(sources: dict[int, BoundSource], key: int, pickled: bytes) -> bytes:
    try:
        sources[key] = pickle.loads(pickled)
    except BaseException as error:
        return json.dumps(failure(error, 0.0).reason).encode()
    return b"null"


def _run(connection: Connection, bound: BoundSource, calls: list[Call]) -> None:
    limit_memory_growth(bound.source.memory_mb << 20)
    if bound.source.signature.batch:
        connection.send_bytes(encode(_guarded(bound, lambda: run_batch(bound, calls), len(calls))))
    else:
        for call in calls:
            connection.send_bytes(encode(_guarded(bound, lambda call=call: [run_each(bound, call)], 1)))
    lift_memory_limit()


def _guarded(bound: BoundSource, work: Any, count: int) -> list[Score]:
    try:
        scores = work()
    except BaseException as error:
        scores = [failure(error, 0.0)] * count
    if any(score.reason.startswith("MemoryError") for score in scores if score.status is Status.ERROR):
        return [out_of_memory(bound)] * count
    return scores


def out_of_memory(bound: BoundSource) -> Score:
    """The score of a call that hit its memory limit."""
    return Score.failed(Status.ERROR, f"out of memory: needs more than {bound.source.memory_mb} MiB")


def encode(scores: list[Score]) -> bytes:
    """Write scores as the JSON that `decode` reads."""
    rows = [(s.value, s.status, s.reason, dict(s.details), s.seconds) for s in scores]
    return json.dumps(rows, default=str).encode()


def decode(payload: bytes) -> list[Score]:
    """Read scores from a worker's JSON.

    Raises:
        ValueError: When the payload is not what `encode` writes.
    """
    return [
        Score(value, Status(status), reason, details, seconds)
        for value, status, reason, details, seconds in json.loads(payload)
    ]
