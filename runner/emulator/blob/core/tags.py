"""The rules for a blob's tags.

Source: "Set Blob Tags", remarks. It must not know where tags were written down.
"""

from __future__ import annotations

import re

from runner.emulator.blob.core.records import Metadata
from runner.emulator.blob.core.refusals import (
    DUPLICATE_TAG_NAMES,
    EMPTY_TAG_NAME,
    INVALID_TAG,
    TAGS_TOO_LARGE,
    RefusedError,
)

_MAXIMUM_TAGS = 10
_MAXIMUM_NAME_CHARACTERS = 128
_MAXIMUM_VALUE_CHARACTERS = 256
_ALLOWED = re.compile(r"[A-Za-z0-9 +\-./:=_]*")


def check_tags(tags: Metadata) -> Metadata:
    """The tags in the order of their names; raises `RefusedError` unless a blob may have them."""
    names = [name for name, _ in tags]
    if "" in names:
        raise RefusedError(EMPTY_TAG_NAME)
    if len(set(names)) < len(names):
        raise RefusedError(DUPLICATE_TAG_NAMES)
    if len(tags) > _MAXIMUM_TAGS:
        raise RefusedError(TAGS_TOO_LARGE)
    for name, value in tags:
        if len(name) > _MAXIMUM_NAME_CHARACTERS or len(value) > _MAXIMUM_VALUE_CHARACTERS:
            raise RefusedError(TAGS_TOO_LARGE)
        if not _ALLOWED.fullmatch(name) or not _ALLOWED.fullmatch(value):
            raise RefusedError(INVALID_TAG)
    return tuple(sorted(tags))
