"""What a supervisor reads and says: nothing of it blocks another, and speaking out of turn is noticed."""

from __future__ import annotations

import os
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.inside.streams import Hung, Link, Pipe
from sandboxes.inside.turns import Records, Turns
from sandboxes.inside.wire import frame

SIZE = 4 << 20  # more than any socket keeps


def linked() -> tuple[Link, Link, tuple[socket.socket, socket.socket]]:
    ends = socket.socketpair()
    first, second = (Link(end.fileno(), end.fileno()) for end in ends)
    return first, second, ends


def test_two_sides_that_speak_at_once_hear_each_other():
    first, second, ends = linked()

    def speak(link: Link) -> None:
        for _ in range(4):
            link.send({"is": "said"}, bytes(SIZE))

    threads = [threading.Thread(target=speak, args=(link,)) for link in (first, second)]
    heard = {first: 0, second: 0}
    for thread in threads:
        thread.start()
    # Each takes what arrives while it sends; what is left when it has sent all is still to be taken.
    while any(thread.is_alive() for thread in threads):
        for thread, link in zip(threads, (first, second), strict=True):
            if not thread.is_alive():
                link.pull()
    for link in (first, second):
        for _ in range(10):
            link.pull()
        while (message := link.next()) is not None:
            heard[link] += len(message[1][0])
    assert set(heard.values()) == {4 * SIZE}
    for end in ends:
        end.close()


def test_taking_what_has_arrived_does_not_wait_for_more():
    first, second, ends = linked()
    second.pull()
    assert second.next() is None
    first.send({"do": "say"}, b"x")
    second.wait()
    second.pull()
    second.pull()
    assert second.next() == ({"do": "say", "parts": [1]}, [b"x"])
    for end in ends:
        end.close()


def test_the_end_of_the_other_side_is_noticed_in_reading_and_in_writing():
    first, second, ends = linked()
    ends[0].close()
    with pytest.raises(Hung):
        second.pull()
    with pytest.raises(Hung):
        second.send({}, bytes(SIZE))
    ends[1].close()
    del first


def test_a_pipe_keeps_so_much_and_tells_that_there_was_more():
    read, write = os.pipe()
    os.set_blocking(read, False)
    pipe = Pipe(read, 10)
    os.write(write, b"x" * 8)
    pipe.read()
    assert (pipe.take(), bytes(pipe.data), pipe.overflow) == (b"x" * 8, b"", False)
    os.write(write, b"y" * 8)
    pipe.read()
    assert (bytes(pipe.data), pipe.overflow) == (b"yy", True), "what was taken out counts too"
    os.close(write)
    pipe.read()
    assert not pipe.open
    pipe.close()


@given(st.lists(st.binary(max_size=20)), st.lists(st.integers(1, 7)))
def test_records_are_counted_however_they_are_cut(records: list[bytes], steps: list[int]):
    data = b"".join(map(frame, records))
    counted = Records()
    at = 0
    for step in [*steps, len(data)]:
        counted.feed(data[at : at + step])
        at += step
    assert counted.whole == len(records)


@given(st.integers(0, 5), st.integers(0, 5))
def test_who_answers_more_than_was_asked_is_ahead_and_who_asks_never_is(said: int, heard: int):
    for asks in (True, False):
        turns = Turns(asks)
        turns.hear(frame(b"x") * heard)
        turns.say(frame(b"x") * said)
        assert turns.ahead == (not asks and said > heard)
