"""What a file's name must be to become a blob, or to come from one to a node.

It knows nothing of disks or listings, only of names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.spec.document import Document, Pointer
from runner.spec.problem import Problem

# REST: Naming and Referencing Containers, Blobs, and Metadata.
LIMIT_CHARACTERS = 1024
_SEGMENTS_LIMIT = 254
_UNSAFE_CHARACTER = re.compile("[\x00-\x1f\x7f\ufffe\uffff]")


def is_plain(name: str) -> bool:
    """Whether a name is so common that nothing can be wrong with it: a fast way for many names."""
    return (
        name.isascii()
        and name.isprintable()
        and len(name) < _SEGMENTS_LIMIT  # so that it has no more segments either
        and "./" not in name
        and "//" not in name
        and name[:1] not in {"", "/"}
        and name[-1] not in "./"
    )


def name_faults(name: str) -> Iterator[str]:
    """Each reason why a blob cannot have the name, or why its path cannot be one on a node."""
    try:
        name.encode()
    except UnicodeEncodeError:
        yield "it is not UTF-8"
        return
    segments = name.split("/")
    if _UNSAFE_CHARACTER.search(name):
        yield "it has a control character, which a blob list cannot hold"
    if len(name) > LIMIT_CHARACTERS:
        yield f"it is longer than {LIMIT_CHARACTERS} characters"
    if len(segments) > _SEGMENTS_LIMIT:
        yield f"it is deeper than {_SEGMENTS_LIMIT} folders"
    if "" in segments:
        yield "a folder or file of it has no name"
    if any(segment.endswith(".") for segment in segments):
        yield "the service drops a dot at the end of a name"


def name_problems(
    name: str, document: Document, pointer: Pointer, *, is_local: bool = True
) -> Iterator[Problem]:
    """A problem for each of the faults, at the part of the spec that brought the name in."""
    if is_plain(name):
        return
    hint = "leave it out with `exclude`"
    if is_local:
        hint = "rename the file or leave it out with `exclude`"
    what = "be the name of a blob" if is_local else "be the path of a file"
    for reason in name_faults(name):
        yield document.problem(
            pointer,
            code="blob-name",
            message=f"`{shown(name)}` cannot {what}: {reason}",
            hint=hint,
        )


def shown(text: str) -> str:
    """The text with what a terminal cannot show written as escapes."""
    printable = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in printable
    )
