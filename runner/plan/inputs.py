"""Which files of this machine a spec means: the only part of planning that touches the disk.

It reads names and sizes, never contents, and knows nothing of tasks.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from wcmatch import glob

from runner.errors import describe_os_error
from runner.plan.model import InputFile
from runner.spec.document import Document
from runner.spec.problem import Problem
from runner.spec.workload import Upload

_GLOB = glob.GLOBSTAR | glob.CASE | glob.FORCEUNIX
# REST: Naming and Referencing Containers, Blobs, and Metadata.
_BLOB_NAME_LIMIT_CHARACTERS = 1024
_BLOB_SEGMENTS_LIMIT = 254
_UNSAFE_CHARACTER = re.compile("[\x00-\x1f\x7f\ufffe\uffff]")


def find_files(
    upload: Upload, folder: Path, document: Document
) -> tuple[tuple[InputFile, ...], tuple[Problem, ...]]:
    """The files of one upload in the order of their blob names, or what is wrong with it.

    `folder` is the spec's; a folder's structure below `from` becomes the blob's name. Links to
    files are followed, links to folders are not: they may lead round in a circle.
    """
    source = folder / upload.source

    def problem(code: str, message: str, hint: str | None = None, key: str = "from") -> Problem:
        return document.problem((*upload.pointer, key), code=code, message=message, hint=hint)

    try:
        found = _find(source, upload)
    except OSError as error:
        message = f"cannot read `{_shown(str(error.filename))}`: {describe_os_error(error)}"
        return (), (problem("unreadable-input", message),)
    if found is None:
        return (), (
            problem(
                "no-such-input",
                f"there is no file or folder `{_shown(str(source))}`",
                hint="a relative path starts at the folder of the spec",
            ),
        )
    if not found:
        patterns = ", ".join(f"`{pattern}`" for pattern in upload.patterns.include)
        return (), (
            problem(
                "no-input",
                f"no file below `{_shown(str(source))}` matches {patterns}",
                key="include",
                hint="`**/*` matches all files at every depth; names with a leading dot need"
                " a pattern of their own",
            ),
        )
    refused = tuple(
        problem("blob-name", f"`{_shown(file.blob)}` cannot be the name of a blob: {reason}", hint)
        for file in found
        for reason, hint in _name_faults(file.blob)
    )
    return tuple(found), refused


def _find(source: Path, upload: Upload) -> list[InputFile] | None:
    """The files at or below `source`; None where there is no file or folder of that name."""
    try:
        mode = source.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the path
        return None
    if stat.S_ISREG(mode):
        return [_describe(source, source.name)]
    if stat.S_ISDIR(mode):
        return sorted(_walk(source, "", _compile(upload)), key=lambda file: file.blob)
    return None


def _compile(upload: Upload) -> Callable[[str], bool]:
    patterns = upload.patterns
    matcher = glob.compile(
        list(patterns.include), flags=_GLOB, exclude=list(patterns.exclude) or None
    )
    return matcher.match


def _walk(folder: Path, prefix: str, matches: Callable[[str], bool]) -> Iterator[InputFile]:
    folders = [(os.fspath(folder), prefix)]
    while folders:
        current, below = folders.pop()
        with os.scandir(current) as entries:
            for entry in entries:
                name = below + entry.name
                if entry.is_dir(follow_symlinks=False):
                    folders.append((entry.path, f"{name}/"))
                elif matches(name) and entry.is_file():
                    yield _describe(Path(entry.path), name)


def _describe(path: Path, blob: str) -> InputFile:
    return InputFile(source=path, blob=blob, path=blob, size_bytes=path.stat().st_size)


def _name_faults(blob: str) -> Iterator[tuple[str, str]]:
    rename = "rename the file or leave it out with `exclude`"
    try:
        blob.encode()
    except UnicodeEncodeError:
        yield "it is not UTF-8", rename
        return
    segments = blob.split("/")
    if _UNSAFE_CHARACTER.search(blob):
        yield "it has a control character, which a blob list cannot hold", rename
    if len(blob) > _BLOB_NAME_LIMIT_CHARACTERS:
        yield f"it is longer than {_BLOB_NAME_LIMIT_CHARACTERS} characters", rename
    if len(segments) > _BLOB_SEGMENTS_LIMIT:
        yield f"it is deeper than {_BLOB_SEGMENTS_LIMIT} folders", rename
    if any(segment.endswith(".") for segment in segments):
        yield "the service drops a dot at the end of a name", rename


def _shown(text: str) -> str:
    """The text with what a terminal cannot show written as escapes."""
    printable = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in printable
    )
