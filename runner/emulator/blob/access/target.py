"""Which resource a request's path names.

It must not know what is asked of the resource.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from runner.emulator.blob.core.refusals import INVALID_URI, RefusedError


class Level(Enum):
    """What a request is about."""

    ACCOUNT = "account"
    CONTAINER = "container"
    BLOB = "blob"

    # There is one of each, and they are looked up for every request.
    __hash__ = object.__hash__


class Target(NamedTuple):
    """The container and the blob of a path, decoded; empty where the path has none."""

    container: str = ""
    blob: str = ""

    @property
    def level(self) -> Level:
        """The account, a container or a blob."""
        if self.blob:
            return Level.BLOB
        return Level.CONTAINER if self.container else Level.ACCOUNT


def parse_target(resource: str) -> Target:
    """Reads `/container/blob`, a path below the account; a blob's name keeps every further slash.

    Refuses a path that is not percent-encoded UTF-8.
    """
    rest = resource[1:]
    container, _, blob = rest.partition("/")
    if "%" not in rest and rest.isascii():
        return Target(container=container, blob=blob)
    try:
        return Target(container=_decode(container), blob=_decode(blob))
    except UnicodeDecodeError as error:
        raise RefusedError(INVALID_URI) from error


def _decode(text: str) -> str:
    # The path came in as bytes, read as Latin-1.
    return unquote_to_bytes(text.encode("latin-1")).decode("utf-8")
