"""The accounts of an emulator: a name, a key and the service behind it.

It must not know how either service signs its requests.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    """The service that an account belongs to."""

    BATCH = "batch"
    BLOB = "blob"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account; the key never shows in a representation."""

    name: str
    kind: Kind
    key: bytes = field(repr=False)

    def encoded_key(self) -> str:
        """The key as clients are given it: base64."""
        return base64.b64encode(self.key).decode("ascii")


def new_key() -> bytes:
    """512 random bits, the size of Azure's own keys."""
    return secrets.token_bytes(64)
