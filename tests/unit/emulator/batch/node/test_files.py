"""The file service's view of a node: complete, and never beyond its root."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timezone
from pathlib import Path

import pytest

from runner.emulator.batch.node.containment import folder_of
from runner.emulator.batch.node.files import NodeFile, find_file, list_files, open_file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    directory = tmp_path / "task"
    (directory / "wd" / "sub dir").mkdir(parents=True)
    (directory / "stdout.txt").write_text("out")
    (directory / "wd" / "sub dir" / "out.bin").write_bytes(b"12345")
    (directory / "wd" / "ü\n.json").write_text("{}")
    (tmp_path / "secret.txt").write_text("secret")
    (directory / "wd" / "escape").symlink_to(tmp_path / "secret.txt")
    (directory / "wd" / "escape-dir").symlink_to(tmp_path)
    (directory / "wd" / "broken").symlink_to("nowhere")
    (directory / "wd" / "inside").symlink_to("../stdout.txt")
    (directory / "wd" / "loop").symlink_to(".")
    return directory


def test_a_file_is_described(root: Path) -> None:
    path = root / "stdout.txt"
    path.chmod(0o644)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert find_file(folder_of(root.parent, root), "stdout.txt") == NodeFile(
        name="stdout.txt",
        is_directory=False,
        size_bytes=3,
        modified=datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc),
        mode=0o100644,
        content_type="text/plain",
    )


def test_a_directory_is_described(root: Path) -> None:
    found = find_file(folder_of(root.parent, root), "wd/sub dir")
    assert found is not None
    assert (found.name, found.is_directory, found.size_bytes) == ("wd/sub dir", True, 0)


def test_one_level_is_listed(root: Path) -> None:
    assert [file.name for file in list_files(folder_of(root.parent, root), recursive=False)] == [
        "stdout.txt",
        "wd",
    ]


def test_all_levels_are_listed_without_what_leads_out(root: Path) -> None:
    assert [
        (file.name, file.is_directory)
        for file in list_files(folder_of(root.parent, root), recursive=True)
    ] == [
        ("stdout.txt", False),
        ("wd", True),
        ("wd/inside", False),
        ("wd/loop", True),
        ("wd/sub dir", True),
        ("wd/sub dir/out.bin", False),
        ("wd/ü\n.json", False),
    ]


def test_all_that_is_listed_is_found(root: Path) -> None:
    (root / os.fsdecode(b"bad\xff")).write_text("")
    for file in list_files(folder_of(root.parent, root), recursive=True):
        assert find_file(folder_of(root.parent, root), file.name) == file


def test_there_may_be_no_directory(tmp_path: Path) -> None:
    assert list_files(folder_of(tmp_path, tmp_path / "none"), recursive=True) == ()
    assert find_file(folder_of(tmp_path, tmp_path / "none"), "a") is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "/",
        "../secret.txt",
        "wd/../../secret.txt",
        "/etc/passwd",
        "wd/escape",
        "wd/escape-dir/secret.txt",
        "wd/broken",
        "wd/none",
        "stdout.txt/x",
        "a\0b",
        "n" * 300,
    ],
)
def test_nothing_beyond_the_root_is_found(root: Path, name: str) -> None:
    assert find_file(folder_of(root.parent, root), name) is None
    assert open_file(folder_of(root.parent, root), name) is None


def test_content_and_description_are_of_one_file(root: Path) -> None:
    opened = open_file(folder_of(root.parent, root), "wd/inside")
    assert opened is not None
    file, content = opened
    with content:
        (root / "stdout.txt").unlink()
        (root / "stdout.txt").write_text("another")
        assert (file.size_bytes, content.read()) == (3, b"out")


def test_only_regular_files_have_content(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(root / "pipe")
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert open_file(folder_of(root.parent, root), "pipe") is None
        assert open_file(folder_of(root.parent, root), "socket") is None
        assert open_file(folder_of(root.parent, root), "wd") is None


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.txt", "text/plain"),
        ("a.json", "application/json"),
        ("a", "application/octet-stream"),
        ("a.tar.gz", "application/octet-stream"),
        ("data:text", "application/octet-stream"),
    ],
)
def test_the_content_type_follows_the_name(tmp_path: Path, name: str, content_type: str) -> None:
    (tmp_path / name).write_text("")
    found = find_file(folder_of(tmp_path, tmp_path), name)
    assert found is not None
    assert found.content_type == content_type
