"""Hints with what was meant, and texts cut to a length."""

from __future__ import annotations

import pytest

from runner.spec.suggestion import closest, shorten, suggest


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("taks", "did you mean `task`? allowed: `task`, `pool`"),
        ("TASK", "did you mean `task`? allowed: `task`, `pool`"),
        ("zzz", "allowed: `task`, `pool`"),
        ("t" * 1_000_000, "allowed: `task`, `pool`"),
    ],
)
def test_suggestions(name: str, hint: str) -> None:
    assert suggest(name, ["task", "pool"]) == hint


def test_a_long_list_is_cut() -> None:
    hint = suggest("zzz", [f"n{i}" for i in range(30)], label="parameters")
    assert hint.startswith("parameters: `n0`, `n1`, ")
    assert hint.endswith(", `n19`, ...")
    assert suggest("x", [], label="parameters") == "parameters: none"


def test_the_closest_keeps_its_case() -> None:
    assert closest("lang", ["LANG", "PATH"]) == "LANG"
    assert closest("lang", ["PATH"]) is None


def test_shortened_text_is_one_line() -> None:
    assert shorten("a\n  b\tc") == "a b c"
    assert shorten("x" * 61) == "x" * 57 + "..."
