"""File patterns against real files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.emulator.batch.node.containment import folder_of
from runner.emulator.batch.node.patterns import PatternError, find_files, parse_pattern

FILES = (
    "stdout.txt",
    "stderr.txt",
    "wd/a.txt",
    "wd/B.TXT",
    "wd/b.log",
    "wd/.hidden.txt",
    "wd/x1",
    "wd/x2",
    "wd/x9",
    "wd/star*.txt",
    "wd/in[1].txt",
    "wd/out/a.txt",
    "wd/out/deep/er/b.txt",
    "wd/out/.secret/c.txt",
    "wd/new\nline.txt",
)


@pytest.fixture
def task(tmp_path: Path) -> Path:
    directory = tmp_path / "job[1]" / "task-1"
    for name in FILES:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "job[1]" / "other.txt").write_text("of the job")
    return directory


def find(task: Path, pattern: str, **environment: str) -> list[str]:
    parsed = parse_pattern(
        pattern, task_directory=folder_of(task.parents[1], task), environment=environment
    )
    return ["/".join(parts) for parts in find_files(folder_of(task.parents[1], task), parsed)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a.txt", ["wd/a.txt"]),
        ("./out//a.txt", ["wd/out/a.txt"]),
        ("missing.txt", []),
        ("out", []),
        ("*.txt", ["wd/a.txt", "wd/in[1].txt", "wd/new\nline.txt", "wd/star*.txt"]),
        ("*.TXT", ["wd/B.TXT"]),
        (".*.txt", ["wd/.hidden.txt"]),
        (".hidden.txt", ["wd/.hidden.txt"]),
        ("?.txt", ["wd/a.txt"]),
        ("[.]hidden.txt", []),
        ("x[1-8]", ["wd/x1", "wd/x2"]),
        ("x[!12]", ["wd/x9"]),
        ("x[19]", ["wd/x1", "wd/x9"]),
        ("star[*].txt", ["wd/star*.txt"]),
        ("in[[]1].txt", ["wd/in[1].txt"]),
        ("in[1].txt", []),
        ("out/*", ["wd/out/a.txt"]),
        ("out/*/*/*", ["wd/out/deep/er/b.txt"]),
        ("out/**/b.txt", ["wd/out/deep/er/b.txt"]),
        ("out/**", ["wd/out/a.txt", "wd/out/deep/er/b.txt"]),
        ("**/a.txt", ["wd/a.txt", "wd/out/a.txt"]),
        ("**/er/**/**/*.txt", ["wd/out/deep/er/b.txt"]),
        ("out/.secret/*", ["wd/out/.secret/c.txt"]),
        ("**/.secret/*", ["wd/out/.secret/c.txt"]),
        ("../std*.txt", ["stderr.txt", "stdout.txt"]),
        ("../stdout.txt", ["stdout.txt"]),
        ("../wd/x1", ["wd/x1"]),
        ("out/../x1", ["wd/x1"]),
        ("x", []),
        ("[", []),
    ],
)
def test_patterns_match_as_documented(task: Path, pattern: str, expected: list[str]) -> None:
    assert sorted(find(task, pattern)) == expected


def test_order_is_stable_and_by_name(task: Path) -> None:
    assert find(task, "**/*.txt") == [
        "wd/a.txt",
        "wd/in[1].txt",
        "wd/new\nline.txt",
        "wd/star*.txt",
        "wd/out/a.txt",
        "wd/out/deep/er/b.txt",
    ]


def test_variables_are_expanded_before_the_pattern_applies(task: Path) -> None:
    variables = {"AZ_BATCH_TASK_DIR": str(task), "KIND": "std*", "EXT": "txt"}
    assert find(task, "$AZ_BATCH_TASK_DIR/stdout.txt", **variables) == ["stdout.txt"]
    assert find(task, "${AZ_BATCH_TASK_DIR}/$KIND.${EXT}", **variables) == [
        "stderr.txt",
        "stdout.txt",
    ]
    assert find(task, "$UNKNOWN.txt", **variables) == []


def test_a_pattern_without_wildcards_names_one_file(task: Path) -> None:
    variables = {"AZ_BATCH_TASK_DIR": str(task)}
    for pattern in (
        "out/a.txt",
        "star[*].txt",
        "$AZ_BATCH_TASK_DIR/wd/a.txt",
        "a[b",
        "a[]",
        "a[!]",
    ):
        parsed = parse_pattern(
            pattern, task_directory=folder_of(task.parents[1], task), environment=variables
        )
        assert parsed.names_one_file, pattern
    for pattern in ("*", "a[b]", "x?", "[]a]", "[!a]", "[[]*"):
        parsed = parse_pattern(
            pattern, task_directory=folder_of(task.parents[1], task), environment=variables
        )
        assert not parsed.names_one_file, pattern


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("../../other.txt", "the pattern leads out of the task's directory"),
        ("../../*/stdout.txt", "the pattern leads out of the task's directory"),
        ("out/../../../other.txt", "the pattern leads out of the task's directory"),
        ("/etc/passwd", "the pattern leads out of the task's directory"),
        ("$HOME/*", "the pattern leads out of the task's directory"),
        ("$AZ_BATCH_TASK_DIR/../other.txt", "the pattern leads out of the task's directory"),
        ("..", "the pattern names no file"),
        ("a\0b", "the pattern holds a null character"),
    ],
)
def test_a_pattern_may_not_lead_out(task: Path, pattern: str, message: str) -> None:
    environment = {"HOME": "/root", "AZ_BATCH_TASK_DIR": str(task)}
    with pytest.raises(PatternError) as caught:
        parse_pattern(
            pattern, task_directory=folder_of(task.parents[1], task), environment=environment
        )
    assert str(caught.value) == message


def test_directories_are_not_entered_through_links(task: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    (task / "wd" / "link").symlink_to(outside)
    (task / "wd" / "loop").symlink_to(task)
    assert find(task, "link/*.txt") == []
    assert find(task, "link/secret.txt") == []
    assert "wd/link/secret.txt" not in find(task, "**/*.txt")
    assert not any(name.startswith("wd/loop") for name in find(task, "**/*.txt"))


def test_hostile_patterns_find_nothing_in_no_time(task: Path) -> None:
    """Where each wildcard is tried with each length of what it stands for, they take years."""
    (task / "wd" / ("a" * 200)).write_text("")
    deep = task.joinpath("wd", *["d" * 10] * 40)
    deep.mkdir(parents=True)
    (deep / "f").write_text("")
    assert find(task, "*a" * 60 + "b") == []
    assert find(task, "[a-b]*" * 40 + "?" * 60 + "x") == []
    assert find(task, "**/" * 30 + "nothing") == []
    assert find(task, "**/d*/" * 25 + "g") == []


def test_a_directory_that_cannot_be_read_is_an_error(task: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads every directory")
    (task / "wd" / "out").chmod(0)
    try:
        with pytest.raises(PermissionError):
            find(task, "**/*.txt")
    finally:
        (task / "wd" / "out").chmod(0o755)
