"""Opening and making what lies in the folder of a node, whatever links lie in between.

Only the node's own directory is trusted as a path. Each component below is opened relative to the
one above it and never through a link, so that nothing a task does, before or meanwhile, can lead
out. It must not know what the files are for.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from runner.emulator.batch.node.owners import Owner, give_folder

if TYPE_CHECKING:
    from typing_extensions import Self

ABSENT = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.ENAMETOOLONG,
        errno.ELOOP,  # a link put in the way since links were resolved
        errno.ENXIO,  # a socket, on Linux
        errno.EOPNOTSUPP,  # a socket, on macOS
    }
)
"""Error numbers which say that there is no such file to open."""

_DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEVER_PARTS = frozenset({"", ".", ".."})
_TRIES = 5


class OutsideError(ValueError):
    """A path that is absolute or leads above the directory that it belongs to."""


class _Place(NamedTuple):
    node: Path
    parts: tuple[str, ...]


class NodeFolder(_Place):
    """A directory of a node: the node's own, which no task can replace, and components below it.

    Raises `OutsideError` where a component is none. No dataclass, as nothing that makes nodes: the
    module of these takes a quarter of the time until nodes can be made.
    """

    __slots__ = ()

    def __new__(cls, node: Path, parts: tuple[str, ...] = ()) -> Self:
        """Checks the components."""
        for part in parts:
            if part in _NEVER_PARTS or "/" in part or "\0" in part:
                raise OutsideError(part)
        return super().__new__(cls, node, parts)

    @property
    def path(self) -> Path:
        """For messages, and for what is told to tasks: not to be opened."""
        return self.node.joinpath(*self.parts)

    @property
    def path_text(self) -> str:
        """As `path`, in a tenth of the time."""
        return "/".join((str(self.node), *self.parts))

    @property
    def above(self) -> NodeFolder:
        """The directory that this one is in; the node's own is in none of a node."""
        return NodeFolder(self.node, self.parts[:-1])

    def below(self, *parts: str) -> NodeFolder:
        """A directory in this one."""
        return NodeFolder(self.node, (*self.parts, *parts))


def folder_of(node: Path, path: Path) -> NodeFolder:
    """What a path below a node's directory stands for; raises `ValueError` for any other."""
    above, text = f"{node}/", str(path)
    if text.startswith(above):
        # As `relative_to` has it, in a tenth of the time.
        return NodeFolder(node, tuple(text[len(above) :].split("/")))
    return NodeFolder(node, path.relative_to(node).parts)


def parts_below(path: str) -> tuple[str, ...]:
    """The components of a relative path with `/`; empty ones and `.` are dropped.

    Raises `OutsideError` for an absolute path, `..` or a null character.
    """
    parts = tuple(part for part in path.split("/") if part not in {"", "."})
    if path.startswith("/") or ".." in parts or "\0" in path:
        raise OutsideError(path)
    return parts


@contextmanager
def directory_below(
    folder: NodeFolder,
    parts: Sequence[str] = (),
    *,
    create: bool = False,
    owner: Owner | None = None,
    replace_links: bool = False,
) -> Iterator[int]:
    """A descriptor of the directory `folder/parts`; raises `OSError`, `ELOOP` or `ENOTDIR` at a
    link.

    With `create`, missing directories are made, and given to the owner; with `replace_links`, also
    in the place of links.
    """
    descriptor = os.open(folder.node, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with walk_down(
            descriptor,
            (*folder.parts, *parts),
            create=create,
            owner=owner,
            replace_links=replace_links,
        ) as below:
            yield below
    finally:
        os.close(descriptor)


@contextmanager
def walk_down(
    directory: int,
    parts: Sequence[str],
    *,
    create: bool = False,
    owner: Owner | None = None,
    replace_links: bool = False,
) -> Iterator[int]:
    """As `directory_below`, from an open directory on, which stays open."""
    descriptor = directory
    try:
        for part in parts:
            below = (
                make_directory(part, descriptor, owner=owner, replace_links=replace_links)
                if create
                else os.open(part, _DIRECTORY_FLAGS, dir_fd=descriptor)
            )
            if descriptor != directory:
                os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        if descriptor != directory:
            os.close(descriptor)


def leads_to(folder: NodeFolder, directory: int) -> bool:
    """Whether an open directory, as it was once found, is still what the path of one leads to."""
    try:
        found = os.stat(folder.path_text, follow_symlinks=False)  # noqa: PTH116 - is light
    except OSError:
        return False
    return os.path.samestat(found, os.fstat(directory))


def make_directory(
    name: str, parent: int, *, owner: Owner | None = None, replace_links: bool = False
) -> int:
    """A descriptor of a directory of an open one; made, and given to the owner, if it is missing.

    Raises `OSError`, `ELOOP` or `ENOTDIR` at a link that is not to be replaced, or that comes back
    as often as it is.
    """
    descriptor, made = find_directory(name, parent, replace_links=replace_links)
    if made and owner is not None:
        give_folder(descriptor, owner)
    return descriptor


def find_directory(name: str, parent: int, *, replace_links: bool = False) -> tuple[int, bool]:
    """As `make_directory`; and whether it was missing."""
    tries = _TRIES if replace_links else 1
    while True:
        made = _make(name, parent)
        try:
            return os.open(name, _DIRECTORY_FLAGS, dir_fd=parent), made
        except OSError as error:
            tries -= 1
            if not tries or error.errno not in {errno.ELOOP, errno.ENOTDIR, errno.ENOENT}:
                raise
            _remove_link(name, parent)


def _make(name: str, parent: int) -> bool:
    """Makes a directory; whether it was missing."""
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        return False
    return True


def _remove_link(name: str, parent: int) -> None:
    # It may be gone, or something else by now: then making the directory says so.
    with suppress(FileNotFoundError):
        if stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=parent)


def resolve_below(folder: NodeFolder, parts: Sequence[str]) -> tuple[str, ...] | None:
    """The components that `folder/parts` has once links are followed; None where they lead out.

    Only links below the folder count: where a task replaced the folder itself, all leads out. What
    is resolved is to be opened as components all the same, since links may change meanwhile.
    """
    real_root = Path(os.path.realpath(folder.node)).joinpath(*folder.parts)
    try:
        real = os.path.realpath(real_root.joinpath(*parts))
    except OSError as error:
        # A link was removed, or replaced by something else, while it was read.
        if error.errno in ABSENT or error.errno == errno.EINVAL:
            return None
        raise
    if real == str(real_root):
        return ()
    prefix = str(real_root).rstrip("/") + "/"
    return tuple(real[len(prefix) :].split("/")) if real.startswith(prefix) else None


def status_below(folder: NodeFolder, parts: Sequence[str]) -> os.stat_result | None:
    """What `folder/parts` is, a link not followed; None where there is nothing.

    Raises `OSError` where a directory on the way cannot be entered.
    """
    try:
        with directory_below(folder, parts[:-1]) as directory:
            return os.stat(parts[-1], dir_fd=directory, follow_symlinks=False)
    except OSError as error:
        if error.errno in ABSENT:
            return None
        raise


def open_regular_below(folder: NodeFolder, parts: Sequence[str]) -> int | None:
    """A read-only descriptor of the regular file `folder/parts`, links followed below it alone.

    None where there is no such file, or a directory, pipe, socket or device; never blocks. Raises
    `OSError` where it may not be read.
    """
    resolved = resolve_below(folder, parts)
    if not resolved:
        return None
    try:
        with directory_below(folder, resolved[:-1]) as directory:
            return open_regular(resolved[-1], directory)
    except OSError as error:
        if error.errno in ABSENT:
            return None
        raise


def open_regular(name: str, directory: int) -> int | None:
    """A read-only descriptor of a regular file of an open directory; None for what is none.

    Never blocks. Raises `OSError`, `ELOOP` at a link.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(name, flags, dir_fd=directory)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None


def open_directly(directory: int, parts: Sequence[str]) -> int | None:
    """As `open_regular_below`, from an open directory on, where no links are on the way.

    None for all that has to be looked at more closely.
    """
    try:
        with walk_down(directory, parts[:-1]) as folder:
            return open_regular(parts[-1], folder)
    except OSError:
        return None
