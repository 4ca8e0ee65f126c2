"""A node's directories: made, and removed whatever tasks left."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runner.emulator.batch.node.containment import NodeFolder, directory_below
from runner.emulator.batch.node.directories import (
    create_file,
    make_node_directories,
    remove_tree,
)
from runner.emulator.batch.node.launch import NodeDirectories


def test_the_documented_folders_are_made(tmp_path: Path) -> None:
    make_node_directories(NodeDirectories(root=tmp_path / "pool" / "node"))
    make_node_directories(NodeDirectories(root=tmp_path / "pool" / "node"))
    assert sorted(path.name for path in (tmp_path / "pool" / "node").iterdir()) == [
        "applications",
        "fsmounts",
        "shared",
        "startup",
        "volatile",
        "workitems",
    ]


def test_removal_copes_with_what_tasks_leave(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    root = tmp_path / "node"
    for name in ("a b", "new\nline", "-rf", os.fsdecode(b"\xff\xfe"), "ü" * 120, "removed-x"):
        (root / name / "below").mkdir(parents=True)
        (root / name / "below" / name).write_text("")
    os.mkfifo(root / "pipe")
    (root / "link").symlink_to(outside)
    (root / "broken").symlink_to("nowhere")
    (root / "a b" / "loop").symlink_to(root)
    (root / "a b" / "below" / "a b").chmod(0)
    (root / "a b" / "below").chmod(0o500)
    (root / "a b").chmod(0)
    root.chmod(0o500)
    remove_tree(root)
    assert not root.exists()
    assert [path.name for path in outside.iterdir()] == ["kept"]


def test_depth_does_not_matter(tmp_path: Path) -> None:
    root = tmp_path / "node"
    root.mkdir()
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(root)
        for _ in range(1500):
            Path("d" * 20).mkdir()
            os.chdir("d" * 20)
        Path("file").write_text("")
    finally:
        os.fchdir(here)
        os.close(here)
    remove_tree(root)
    assert not root.exists()


def test_what_is_gone_needs_no_removal(tmp_path: Path) -> None:
    remove_tree(tmp_path / "none")


def test_a_link_or_a_file_is_no_tree(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "dir")
    (tmp_path / "file").write_text("")
    for name in ("link", "file"):
        with pytest.raises(NotADirectoryError):
            remove_tree(tmp_path / name)
    assert (tmp_path / "dir").is_dir()


def test_a_created_file_replaces_and_appends(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "stdout.txt").symlink_to(tmp_path / "kept")
    with directory_below(NodeFolder(tmp_path)) as directory:
        descriptor = create_file("stdout.txt", directory)
    try:
        os.write(descriptor, b"one ")
        with (tmp_path / "stdout.txt").open("a") as other:
            other.write("two ")
        os.write(descriptor, b"three")
    finally:
        os.close(descriptor)
    assert (tmp_path / "stdout.txt").read_text() == "one two three"
    assert (tmp_path / "kept").read_text() == "kept"
    assert (tmp_path / "stdout.txt").stat().st_mode & 0o777 == 0o644


_REMOVE = """
import sys
from pathlib import Path
from runner.emulator.batch.node.directories import remove_tree
try:
    remove_tree(Path(sys.argv[1]))
except OSError as error:
    print(type(error).__name__, error.strerror)
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="root alone can mount"
)
def test_what_a_task_has_mounted_stays(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "tree" / "wd" / "mounted"
    (outside / "folder").mkdir(parents=True)
    (outside / "folder" / "file").write_text("of the machine")
    inside.mkdir(parents=True)
    script = 'mount --bind "$1" "$2" && exec "$3" -c "$4" "$5"'
    words = ["sh", "-c", script, "sh", str(outside), str(inside), sys.executable, _REMOVE]
    done = subprocess.run(
        ["unshare", "--mount", *words, str(tmp_path / "tree")],
        check=False,
        capture_output=True,
        text=True,
    )
    if not done.stdout:
        pytest.skip(f"nothing can be mounted here: {done.stderr}")
    assert done.stdout == "OSError Device or resource busy\n"
    assert (outside / "folder" / "file").read_text() == "of the machine"
