"""Which files of this machine a spec means: names and sizes, in the order of their blob names.

It never reads what is in a file, and knows nothing of tasks.
"""

from __future__ import annotations

import dataclasses
import heapq
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from itertools import count
from operator import itemgetter
from pathlib import Path

from runner.errors import describe_os_error
from runner.frozen import dataclass
from runner.plan.blob_names import name_problems, shown
from runner.plan.file_table import FileTable, FileTableBuilder, Origin
from runner.plan.links import LinkWatch, together
from runner.plan.model import OutsideLinks, PassedOver
from runner.plan.passed_over import FOLDER_LINK, PassedOverWatch, all_passed_over
from runner.plan.patterns import file_matcher, sees_hidden
from runner.spec.document import Document, Pointer
from runner.spec.model.workload import Structure, Upload
from runner.spec.problem import Problem

MOST_PROBLEMS = 100
"""What one list of files is shown to be wrong with; nobody reads more."""
_MOST_LOOKED_AT = 1_000
"""So many files that no pattern takes are looked at behind a link, which may lead to a disk."""

_Found = tuple[str, int, int, str]
"""A blob's name, the number of its upload, its size, and its path where the name does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFiles:
    """The files of a container's uploads, what is wrong with them, links that lead astray, and what
    lies among them and is no file."""

    files: FileTable
    problems: tuple[Problem, ...]
    outside_links: OutsideLinks
    passed_over: PassedOver


def find_files(uploads: tuple[Upload, ...], folder: Path, document: Document) -> LocalFiles:
    """The files of a container's uploads, and what is wrong with them.

    `folder` is the spec's; a folder's structure below `from` becomes the blob's name, or is
    dropped. Links to files are followed, links to folders are not: they may lead round in a circle.
    """
    searches = tuple(
        _Search(
            each,
            folder / each.source,
            document,
            LinkWatch(folder, each.source),
            PassedOverWatch(each.source),
        )
        for each in uploads
    )
    builder = FileTableBuilder(each.origin for each in searches)
    problems: list[Problem] = []
    streams = [search.find(number) for number, search in enumerate(searches)]
    found: Iterable[_Found] = (
        streams[0] if len(streams) == 1 else heapq.merge(*streams, key=itemgetter(0))
    )
    last: _Found | None = None
    for each in found:
        blob, number, size, below = each
        if last is not None and last[0] == blob:
            problems.extend(_collision(searches, last, each, document))
        else:
            faults = list(name_problems(blob, document, searches[number].pointer))
            problems.extend(faults)
            if not faults:
                builder.add(blob, size, origin=number, below=below)
        last = each
        if len(problems) >= MOST_PROBLEMS:
            break
    for search in searches:
        problems.extend(search.problems)
    return LocalFiles(
        files=builder.build(),
        problems=tuple(problems),
        outside_links=together(tuple(search.links.found for search in searches)),
        passed_over=all_passed_over(search.passed_over.found for search in searches),
    )


@dataclasses.dataclass(slots=True)
class _Search:
    """The files of one upload; `problems` is whole once all of them were asked for."""

    upload: Upload
    source: Path
    document: Document
    links: LinkWatch
    passed_over: PassedOverWatch
    is_file: bool = False
    problems: list[Problem] = field(default_factory=list)

    @property
    def pointer(self) -> Pointer:
        return (*self.upload.pointer, "from")

    @property
    def origin(self) -> Origin:
        to = self.upload.to
        return Origin(source=self.source, cut=len(to) + 1 if to else 0, is_file=_is_file(self))

    def find(self, number: int) -> Iterator[_Found]:
        """Every file, in the order of blob names."""
        is_empty = True
        try:
            for each in self._find(number):
                is_empty = False
                yield each
        except OSError as error:
            name = shown(str(error.filename).rstrip("/"))
            message = f"cannot read `{name}`: {describe_os_error(error)}"
            self._refuse("unreadable-input", message)
            return
        if is_empty and not self.problems:
            patterns = ", ".join(f"`{pattern}`" for pattern in self.upload.patterns.include)
            hint = (
                "`**/*` matches all files at every depth; names with a leading dot need a pattern"
                " of their own"
            )
            for path, what in self.passed_over.found.first[:1]:
                hint = f"`{shown(path)}` is a {what}, and only files are brought up"
                if what == FOLDER_LINK:
                    hint = f"`{shown(path)}` is a {what}, which is not followed: name it in `from`"
            self._refuse(
                "no-input",
                f"no file below `{shown(str(self.source))}` matches {patterns}",
                hint=hint,
                key="include",
            )

    def _find(self, number: int) -> Iterator[_Found]:
        prefix = f"{self.upload.to}/" if self.upload.to else ""
        try:
            status = self.source.stat()
        except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in it
            status = None
        if status is not None and stat.S_ISREG(status.st_mode):
            self.links.note_source()
            yield prefix + self.source.name, number, status.st_size, ""
            return
        if status is None or not stat.S_ISDIR(status.st_mode):
            self._refuse(
                "no-such-input",
                f"there is no file or folder `{shown(str(self.source))}`",
                hint="a relative path starts at the folder of the spec",
            )
            return
        self.links.note_source()
        patterns = self.upload.patterns
        files = walk(
            self.source,
            file_matcher(patterns),
            hidden=sees_hidden(patterns),
            on_link=self._note_link,
            on_no_file=self.passed_over.note,
        )
        if self.upload.structure is Structure.KEEP:
            for path, size in files:
                yield prefix + path, number, size, ""
            return
        flat = ((prefix + path.rpartition("/")[2], number, size, path) for path, size in files)
        yield from sorted(flat, key=itemgetter(0, 3))

    def _note_link(self, path: str, leads: bool) -> None:
        if leads:
            self.links.note(path)
            return
        link = self.source / path
        self._refuse(
            "broken-link",
            f"`{shown(str(link))}` is a link to `{shown(str(link.readlink()))}`, where there is"
            " nothing",
            hint="delete it, or leave it out by `exclude`",
        )

    def _refuse(self, code: str, message: str, hint: str | None = None, key: str = "from") -> None:
        pointer = (*self.upload.pointer, key)
        self.problems.append(self.document.problem(pointer, code=code, message=message, hint=hint))


def _is_file(search: _Search) -> bool:
    try:
        return search.source.is_file()
    except (OSError, ValueError):
        return False  # what is wrong with it is said by the search


def walk(
    folder: Path,
    matches: Callable[[str], bool],
    *,
    hidden: bool,
    on_link: Callable[[str, bool], None],
    on_no_file: Callable[[str, int], None] | None,
    below: str = "",
) -> Iterator[tuple[str, int]]:
    """Paths and sizes in bytes of the files below a folder, in the order of the paths.

    Names with a leading dot are passed over, unless `hidden`: `.git` may hold more than all else.
    Only the names of the folders that are open are held. `on_link` is told each file that is a
    link, and whether there is something that it leads to; `on_no_file` what is neither file nor
    folder, and links to folders in which files would be taken, with the mode of each; where it is
    None nobody looks behind those. `below` is a folder to begin in, with a `/` behind. Raises
    `OSError`.
    """
    root = os.fspath(folder)
    waiting = [_entries(root, below, hidden=hidden)]
    while waiting:
        paths, links = waiting[-1]
        path = next(paths, None)
        if path is None:
            waiting.pop()
        elif path.endswith("/"):
            waiting.append(_entries(root, path, hidden=hidden))
        elif path in links and os.path.isdir(f"{root}/{path}"):  # noqa: PTH112
            if on_no_file is not None and _holds_files(folder, f"{path}/", matches, hidden=hidden):
                on_no_file(path, stat.S_IFDIR)
        elif matches(path):
            try:
                status = os.stat(f"{root}/{path}")  # noqa: PTH116  # a million times: no `Path`
            except FileNotFoundError:  # a link to nothing, or deleted since
                if path in links and os.path.islink(f"{root}/{path}"):  # noqa: PTH114
                    on_link(path, False)
                continue
            if stat.S_ISREG(status.st_mode):
                if path in links:
                    on_link(path, True)
                yield path, status.st_size
            elif on_no_file is not None:
                on_no_file(path, status.st_mode)


def _holds_files(folder: Path, below: str, matches: Callable[[str], bool], *, hidden: bool) -> bool:
    """Whether files of a folder that is not gone into would be taken; also where it cannot be read,
    or is so large that nobody knows."""
    left = count(_MOST_LOOKED_AT, -1)

    def matches_or_tires(path: str) -> bool:
        return matches(path) or next(left) <= 0

    def ignore(_path: str, _leads: bool) -> None:
        return

    try:
        # Links in there are not looked behind: they may lead round in a circle.
        found = walk(
            folder, matches_or_tires, hidden=hidden, on_link=ignore, on_no_file=None, below=below
        )
        return next(found, None) is not None
    except OSError:
        return True


def _entries(root: str, below: str, *, hidden: bool) -> tuple[Iterator[str], frozenset[str]]:
    """The paths in one folder, those of folders with a `/` behind: so their order is also that of
    all that is below them. And those of them that are links."""
    names, links = [], []
    with os.scandir(f"{root}/{below}") as entries:
        for each in entries:
            if hidden or not each.name.startswith("."):
                path = below + each.name
                names.append(f"{path}/" if each.is_dir(follow_symlinks=False) else path)
                if each.is_symlink():
                    links.append(path)
    names.sort()
    return iter(names), frozenset(links)


def _collision(
    searches: tuple[_Search, ...], one: _Found, other: _Found, document: Document
) -> Iterator[Problem]:
    first, second = _path(searches, one), _path(searches, other)
    if first == second:  # named twice
        return
    upload = searches[other[1]].upload
    hint = "bring them up into containers of their own, or from a folder above"
    if upload.structure is Structure.FLAT:
        hint = "`structure: keep` keeps their folders apart"
    yield document.problem(
        upload.pointer,
        code="input-collision",
        message=f"`{shown(str(first))}` and `{shown(str(second))}` would both be"
        f" blob `{shown(one[0])}`",
        hint=hint,
    )


def _path(searches: tuple[_Search, ...], found: _Found) -> Path:
    blob, number, _, below = found
    origin = searches[number].origin
    assert origin.source is not None
    return origin.source if origin.is_file else origin.source / (below or blob[origin.cut :])
