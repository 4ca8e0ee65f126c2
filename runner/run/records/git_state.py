"""What git knows of a folder, read from git's own files: no program is run, and no hook or filter.

A repository is somebody else's, and what its configuration names is not ours to start. It must not
know why somebody asks. Source: gitrepository-layout(5), gitformat-index(5) of git 2.47.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

from runner.frozen import dataclass

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# A repository may be huge, and nobody waits for this: what is larger is not looked at.
_MOST_INDEX_BYTES = 8_000_000
_MOST_READ_FILES = 50
_MOST_FILE_BYTES = 4_000_000
_MOST_TEXT_BYTES = 4_000_000
_FIXED = struct.Struct(">10I20sH")
_ASSUMED_VALID, _EXTENDED, _NAME_LENGTH = 0x8000, 0x4000, 0x0FFF
_SKIPPED = 0x4000
_SUBMODULE = 0o160000


@dataclass(frozen=True, slots=True, kw_only=True)
class GitState:
    """The commit that is checked out where a spec is, None where there is none yet.

    `changed` is whether files of the folder differ from those that git has noted last, or the spec
    is none of them; None where that was not found out.
    """

    commit: str | None
    branch: str | None
    changed: bool | None


class _UnknownError(Exception):
    """Git has a form here that is not read, or too much of it."""


def find_git_state(spec: Path) -> GitState | None:
    """The state of the repository that a spec is in; None where it is in none.

    A repository that cannot be read is as one that says nothing: a run does not depend on it.
    """
    folder = spec.parent
    found = _find_repository(folder)
    if found is None:
        return None
    root, git = found
    try:
        common = _common(git)
        commit, branch = _head(git, common)
    except (OSError, ValueError, _UnknownError):
        return GitState(commit=None, branch=None, changed=None)
    try:
        changed: bool | None = _is_changed(root, git, common, spec)
    except (OSError, ValueError, IndexError, struct.error, _UnknownError):
        # Names with a null byte and indexes that are cut off are among these.
        changed = None
    return GitState(commit=commit, branch=branch, changed=changed)


def _find_repository(folder: Path) -> tuple[Path, Path] | None:
    """The root of the working tree, and the folder that git keeps for it."""
    for root in (folder, *folder.parents):
        git = root / ".git"
        try:
            mode = git.lstat().st_mode
            if stat.S_ISDIR(mode) and (git / "HEAD").exists():
                return root, git
            if stat.S_ISREG(mode):
                # Of a worktree or a submodule: it names the place.
                words = _read(git).strip()
                if words.startswith("gitdir: "):
                    return root, root / words.removeprefix("gitdir: ")
        except (OSError, ValueError, _UnknownError):
            continue
    return None


def _common(git: Path) -> Path:
    """What worktrees of a repository share."""
    try:
        return git / _read(git / "commondir").strip()
    except FileNotFoundError:
        return git


def _head(git: Path, common: Path) -> tuple[str | None, str | None]:
    """The commit and the branch."""
    head = _read(git / "HEAD").strip()
    if not head.startswith("ref: "):
        return (head if _COMMIT.fullmatch(head) else None), None
    name = head.removeprefix("ref: ").strip()
    branch = name.removeprefix("refs/heads/")
    if not name.startswith("refs/") or ".." in name.split("/"):
        return None, None
    for folder in (git, common):
        try:
            commit = _read(folder / name).strip()
        except FileNotFoundError:
            continue
        return (commit if _COMMIT.fullmatch(commit) else None), branch
    try:
        packed = _read(common / "packed-refs")
    except FileNotFoundError:
        return None, branch
    for line in packed.splitlines():
        commit, _, packed_name = line.partition(" ")
        if packed_name == name and _COMMIT.fullmatch(commit):
            return commit, branch
    return None, branch


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A file as git has noted it."""

    path: bytes
    mode: int
    size: int
    modified: tuple[int, int]
    digest: bytes
    is_looked_at: bool


def _is_changed(root: Path, git: Path, common: Path, spec: Path) -> bool:
    """Whether a file below the spec's folder differs from what git has of it."""
    if "objectformat" in _read(common / "config").lower():
        raise _UnknownError  # other digests than those that are read here
    below = os.fsencode(spec.parent.relative_to(root).as_posix())
    prefix = b"" if below == b"." else below + b"/"
    own = prefix + os.fsencode(spec.name)
    has_spec = False
    read = 0
    for entry in _entries(git / "index"):
        if not entry.path.startswith(prefix):
            continue
        has_spec = has_spec or entry.path == own
        if not entry.is_looked_at or stat.S_IFMT(entry.mode) == stat.S_IFMT(_SUBMODULE):
            continue
        path = os.path.join(os.fsencode(root), entry.path)  # noqa: PTH118 - names are bytes
        try:
            found = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return True
        if _is_as_noted(found, entry):
            continue
        read += 1
        if read > _MOST_READ_FILES or found.st_size > _MOST_FILE_BYTES:
            raise _UnknownError
        if _digest(path, found) != entry.digest:
            return True
    return not has_spec


def _is_as_noted(found: os.stat_result, entry: _Entry) -> bool:
    seconds, nanoseconds = entry.modified
    whole, rest = divmod(found.st_mtime_ns, 1_000_000_000)
    return (
        found.st_size & 0xFFFFFFFF == entry.size
        and whole & 0xFFFFFFFF == seconds
        and nanoseconds in {0, rest}
    )


def _digest(path: bytes, found: os.stat_result) -> bytes:
    """As git names a file's content."""
    if stat.S_ISLNK(found.st_mode):
        content = os.readlink(path)  # noqa: PTH115 - names are bytes
    elif stat.S_ISREG(found.st_mode):
        content = _content(path, _MOST_FILE_BYTES)
    else:
        return b""
    head = f"blob {len(content)}\0".encode()
    return hashlib.sha1(head + content, usedforsecurity=False).digest()


def _entries(index: Path) -> Iterator[_Entry]:
    """The files that git has noted; none where it has noted nothing yet."""
    try:
        content = _content(os.fsencode(index), _MOST_INDEX_BYTES + 1)
    except FileNotFoundError:
        return
    if len(content) > _MOST_INDEX_BYTES:
        raise _UnknownError
    signature, version, count = struct.unpack_from(">4sII", content)
    if signature != b"DIRC" or version not in {2, 3, 4}:
        raise _UnknownError
    at, path = 12, b""
    for _ in range(count):
        start = at
        fields = _FIXED.unpack_from(content, at)
        flags = fields[11]
        at += _FIXED.size
        extended = 0
        if flags & _EXTENDED:
            (extended,) = struct.unpack_from(">H", content, at)
            at += 2
        if version == 4:
            strip, at = _varint(content, at)
            end = content.index(b"\0", at)
            path = path[: len(path) - strip] + content[at:end]
            at = end + 1
        else:
            length = flags & _NAME_LENGTH
            end = content.index(b"\0", at) if length == _NAME_LENGTH else at + length
            if end > len(content):
                raise _UnknownError
            path = content[at:end]
            at = start + (end - start + 8) // 8 * 8
        yield _Entry(
            path=path,
            mode=fields[6],
            size=fields[9],
            modified=(fields[2], fields[3]),
            digest=fields[10],
            is_looked_at=not (flags & _ASSUMED_VALID or extended & _SKIPPED),
        )


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """A number as version 4 writes it, and where it ends."""
    byte = content[at]
    value = byte & 0x7F
    while byte & 0x80:
        at += 1
        byte = content[at]
        value = ((value + 1) << 7) | (byte & 0x7F)
    return value, at + 1


def _read(path: Path) -> str:
    return _content(os.fsencode(path), _MOST_TEXT_BYTES).decode("utf-8", "surrogateescape")


def _content(path: bytes, most: int) -> bytes:
    """At most so many bytes of a file; a pipe or a device, which may never end, is not read."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _UnknownError
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read(most)
    finally:
        os.close(descriptor)
