"""Splitting command lines without a shell."""

from __future__ import annotations

import shlex
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.emulator.batch.node.commands import split_command_line
from runner.emulator.batch.node.failures import StepFailedError


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("cat a.txt", ["cat", "a.txt"]),
        ("  cat\t a\n", ["cat", "a"]),
        ("/bin/bash -c 'set -e; echo \"$X\"'", ["/bin/bash", "-c", 'set -e; echo "$X"']),
        ("a\"b c\"d'e f'g", ["ab cde fg"]),
        ("a '' \"\" b", ["a", "", "", "b"]),
        (r'a\ b \\ \" "\"\\\n$"', ["a b", "\\", '"', r'"\\n$'[0:1] + "\\\\n$"]),
        ("a#b # c", ["a#b", "#", "c"]),
    ],
)
def test_words(line: str, words: list[str]) -> None:
    assert split_command_line(line) == words


@settings(deadline=None, database=None)
@given(st.text(alphabet=list("ab '\"\\\n\t#$é|;")))
def test_it_agrees_with_shlex(line: str) -> None:
    try:
        expected: list[str] | None = shlex.split(line) or None
    except ValueError:
        expected = None
    try:
        words: list[str] | None = split_command_line(line)
    except StepFailedError:
        words = None
    assert words == expected


def test_long_words_take_linear_time() -> None:
    started = time.process_time()
    assert split_command_line("e " + "x" * 3_000_000) == ["e", "x" * 3_000_000]
    assert len(split_command_line("\\x" * 300_000)[0]) == 300_000
    assert split_command_line('"' + '\\"' * 300_000 + '"') == ['"' * 300_000]
    assert time.process_time() - started < 3.0
