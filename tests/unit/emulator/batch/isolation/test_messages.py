"""What a node answers, which the emulator takes for no more than it is."""

from __future__ import annotations

import socket
import threading
from contextlib import closing

import pytest

from runner.emulator.batch.isolation.messages import (
    Answer,
    ClosedError,
    Ending,
    receive_answer,
    send_answer,
)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(Ending.EXIT, 0),
        Answer(Ending.EXIT, -9),
        Answer(Ending.SYSTEM_ERROR, 2),
        Answer(Ending.REFUSED, 0, "embedded null byte"),
        Answer(Ending.REFUSED, 0, "ä" * 2048),
    ],
)
def test_answers_arrive_at_once_and_in_pieces(answer: Answer) -> None:
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        send_answer(theirs, answer)
        content = ours.recv(65536)
        theirs.sendall(content)
        at_once = receive_answer(ours)
        theirs.sendall(content[:3])
        sending = threading.Timer(0, theirs.sendall, [content[3:]])
        sending.start()
        in_pieces = receive_answer(ours)
        sending.join()
    assert [at_once, in_pieces] == [answer, answer]


def test_a_long_message_is_cut() -> None:
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        send_answer(theirs, Answer(Ending.REFUSED, 0, "x" * 100_000))
        assert receive_answer(ours) == Answer(Ending.REFUSED, 0, "x" * 4096)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\0",
        b"\7\0\0\0\0\0\0\0\0",
        b"\2\0\0\0\0\xff\xff\xff\xff" + b"x" * 100,
        b"\2\0\0\0\0\0\0\0\2x",
    ],
    ids=["nothing", "cut off", "unknown", "too long", "message cut off"],
)
def test_what_is_no_answer_is_the_end_of_the_line(content: bytes) -> None:
    ours, theirs = socket.socketpair()
    with closing(ours):
        with closing(theirs):
            theirs.sendall(content)
        with pytest.raises(ClosedError):
            receive_answer(ours)
