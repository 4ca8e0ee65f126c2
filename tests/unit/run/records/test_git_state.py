"""What git knows of a spec's folder, beside what git itself says of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from runner.run.records.git_state import GitState, find_git_state

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str) -> str:
    """Git, without anything that this machine has configured."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.com",
    }
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A spec in a folder of a repository with two more files."""
    root = tmp_path / "repository"
    (root / "work" / "data").mkdir(parents=True)
    (root / "README").write_text("readme")
    (root / "work" / "data" / ("long" * 60)).write_text("data")
    found = root / "work" / "spec.yaml"
    found.write_text("version: 1\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "First")
    return found


def state_of(spec: Path) -> GitState:
    found = find_git_state(spec)
    assert found is not None
    return found


def commit_of(spec: Path) -> str:
    return git(spec.parent, "rev-parse", "HEAD")


def test_a_commit_and_its_branch(spec: Path) -> None:
    assert find_git_state(spec) == GitState(commit=commit_of(spec), branch="main", changed=False)


def test_where_there_is_no_repository(tmp_path: Path) -> None:
    assert find_git_state(tmp_path / "spec.yaml") is None


def test_before_the_first_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    spec = tmp_path / "spec.yaml"
    spec.write_text("")

    assert find_git_state(spec) == GitState(commit=None, branch="main", changed=True)


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_changes_are_seen_in_each_form_of_the_index(spec: Path, version: str) -> None:
    git(spec.parent, "update-index", "--index-version", version)
    assert state_of(spec).changed is False

    (spec.parent / "data" / ("long" * 60)).write_text("more")
    assert state_of(spec).changed is True
    (spec.parent / "data" / ("long" * 60)).write_text("data")
    # Written anew, and the same.
    assert state_of(spec).changed is False

    (spec.parent / "data" / ("long" * 60)).unlink()
    assert state_of(spec).changed is True


def test_what_is_elsewhere_in_the_repository_does_not_count(spec: Path) -> None:
    (spec.parents[1] / "README").write_text("changed")

    assert state_of(spec).changed is False


def test_a_spec_that_git_does_not_know_is_a_change(spec: Path) -> None:
    other = spec.with_name("other.yaml")
    other.write_text("")

    assert state_of(other).changed is True


def test_branches_that_are_packed_worktrees_and_commits_alone(spec: Path) -> None:
    root = spec.parents[1]
    git(root, "pack-refs", "--all")
    assert state_of(spec) == GitState(commit=commit_of(spec), branch="main", changed=False)

    git(root, "worktree", "add", "-q", "-b", "side/way", "../beside")
    beside = root.parent / "beside" / "work" / "spec.yaml"
    assert state_of(beside) == GitState(commit=commit_of(spec), branch="side/way", changed=False)

    git(root, "checkout", "-q", "--detach")
    assert state_of(spec) == GitState(commit=commit_of(spec), branch=None, changed=False)


def test_no_program_of_the_repository_is_run(spec: Path) -> None:
    root = spec.parents[1]
    trap = root / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch '{root}/sprung'\ncat\n")
    trap.chmod(0o755)
    git(root, "config", "core.fsmonitor", str(trap))
    git(root, "config", "filter.trap.clean", str(trap))
    (root / ".gitattributes").write_text("* filter=trap\n")
    spec.write_text("version: 2\n")

    assert state_of(spec).changed is True
    assert not (root / "sprung").exists()


@pytest.mark.parametrize(
    "content", [b"", b"DIRC", b"DIRC\0\0\0\x09\0\0\0\1", b"DIRC\0\0\0\2\0\0\0\7"]
)
def test_an_index_that_cannot_be_read_says_nothing(spec: Path, content: bytes) -> None:
    (spec.parents[1] / ".git" / "index").write_bytes(content)

    assert state_of(spec) == GitState(commit=commit_of(spec), branch="main", changed=None)


@pytest.mark.parametrize("head", ["", "ref: ../../etc/passwd", "ref: refs/../../x", "\xff"])
def test_a_head_that_leads_nowhere_says_nothing(spec: Path, head: str) -> None:
    (spec.parents[1] / ".git" / "HEAD").write_text(head)

    assert state_of(spec).commit is None


@pytest.mark.parametrize("version", ["2", "4"])
def test_an_index_that_is_cut_off_anywhere_says_nothing(spec: Path, version: str) -> None:
    root = spec.parents[1]
    git(root, "update-index", "--index-version", version)
    index = root / ".git" / "index"
    whole = index.read_bytes()
    content = whole[: whole.rindex(b"spec.yaml") + 1]
    for length in range(len(content)):
        index.write_bytes(content[:length])
        assert state_of(spec).changed is None


def test_a_name_that_no_file_can_have_says_nothing(spec: Path) -> None:
    index = spec.parents[1] / ".git" / "index"
    index.write_bytes(index.read_bytes().replace(b"work/spec.yaml", b"work/spe\0.yaml"))

    assert state_of(spec).changed is None


@pytest.mark.parametrize(("name", "has_commit"), [("HEAD", False), ("index", True)])
def test_what_never_ends_is_not_waited_for(spec: Path, name: str, *, has_commit: bool) -> None:
    path = spec.parents[1] / ".git" / name
    path.unlink()
    os.mkfifo(path)

    found = state_of(spec)

    assert (found.commit is not None, found.changed) == (has_commit, None)
