"""Splitting command lines without a shell."""

from __future__ import annotations

import shlex
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.emulator.batch.node.commands import split_command_line
from runner.emulator.batch.node.failures import StepFailedError
from tests.effort import assert_linear


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
    """Where each step copies what was read before, they take hours."""
    assert split_command_line("e " + "x" * 10_000_000) == ["e", "x" * 10_000_000]
    assert split_command_line('"' + '\\"' * 1_000_000 + '"') == ['"' * 1_000_000]
    assert_linear(lambda count: partial(split_command_line, "\\x" * count), 1_000)
    assert_linear(lambda count: partial(split_command_line, "x'y' " * count), 1_000)
