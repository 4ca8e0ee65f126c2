"""Logs as they are shown: whole, behind names, as JSON; and what a terminal never gets."""

from __future__ import annotations

import json
from pathlib import Path

from typing_extensions import override

from runner.cli.log_output import Json, LogOutput, Plain, Prefixed
from tests.unit.cli.worlds import Memory, make_world

HOSTILE = b"a\x1b[2J\r\n\xe4\xb8\x96\xff\x07\rend\n"


class TerminalMemory(Memory):
    """A stream that keeps what is written to it, and that somebody looks at."""

    @override
    def isatty(self) -> bool:
        return True


def plain(folder: Path, memory: Memory, *, titled: bool) -> LogOutput:
    world, _, _ = make_world(folder)
    world.stdout = memory
    return Plain(world, titled=titled)


def test_a_pipe_gets_every_byte(tmp_path: Path) -> None:
    memory = Memory()
    output = plain(tmp_path, memory, titled=False)
    output.show("0001", "a.txt", "stdout", 0, HOSTILE)
    output.finish("0001")
    assert memory.content == HOSTILE


def test_a_terminal_is_not_steered_and_no_character_is_torn(tmp_path: Path) -> None:
    memory = TerminalMemory()
    output = plain(tmp_path, memory, titled=False)
    output.show("0001", "a.txt", "stdout", 0, HOSTILE[:9])
    output.show("0001", "a.txt", "stdout", 9, HOSTILE[9:])
    assert memory.content.decode() == "a\\x1b[2J\n世\\xff\\x07\nend\n"


def test_a_title_stands_above_each_log_and_where_another_begins(tmp_path: Path) -> None:
    memory = Memory()
    output = plain(tmp_path, memory, titled=True)
    output.show("0001", "a\n.txt", "stdout", 0, b"one\n")
    output.show("0001", "a\n.txt", "stdout", 4, b"two\n")
    output.show("0001", "", "stderr", 0, b"no\n")
    output.show("0001", "", "stdout", 8, b"three\n")
    assert memory.content == (
        b"==> task 0001 (a\\n.txt): stdout <==\none\ntwo\n==> task 0001: stderr <==\nno\n"
        b"==> task 0001: stdout <==\nthree\n"
    )


def test_lines_of_several_tasks_stand_behind_their_names(tmp_path: Path) -> None:
    world, memory, _ = make_world(tmp_path)
    output = Prefixed(world)
    output.show("0001", "", "stdout", 0, b"on")
    output.show("0002", "", "stderr", 0, b"no\nreally\x1b[1m")
    output.show("0001", "", "stdout", 2, b"e\ntw")
    output.finish("0002")
    output.show("0001", "", "stdout", 6, b"o")
    output.show("0001", "", "stdout", 0, b"again")
    output.finish("0001")
    assert memory.content.decode().splitlines() == [
        "0002 ! no",
        "0001 | one",
        "0002 ! really\\x1b[1m",
        "0001 | two",
        "0001 | again",
    ]


def test_a_line_without_an_end_is_shown_in_parts(tmp_path: Path) -> None:
    world, memory, _ = make_world(tmp_path)
    output = Prefixed(world)
    output.show("0001", "", "stdout", 0, b"x" * 70_000)
    assert memory.content == b"0001 | " + b"x" * 70_000 + b"\n"


def test_pieces_as_data(tmp_path: Path) -> None:
    world, memory, _ = make_world(tmp_path)
    output = Json(world, "demo-1")
    output.show("0001", "", "stdout", 0, b"\xe4\xb8")
    output.show("0001", "", "stdout", 2, b"\x96\xff\n")
    head = {"v": 1, "run": "demo-1", "task": "0001", "stream": "stdout"}
    assert [json.loads(line) for line in memory.content.splitlines()] == [
        {**head, "offset": 0, "text": ""},
        {**head, "offset": 2, "text": "世\\xff\n"},
    ]
