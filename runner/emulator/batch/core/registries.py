"""The passwords of container registries, kept beside the documents that name the registries.

It must not know what they open, nor where in a request they stand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field

from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class RegistryPassword:
    """What opens a registry to a user; no client is ever shown it."""

    server: str
    username: str
    password: str = field(repr=False)


def with_newer(
    known: Iterable[RegistryPassword], newer: Iterable[RegistryPassword]
) -> tuple[RegistryPassword, ...]:
    """All of them, with the newer one where both have a password for a user of a registry."""
    merged = {(each.server, each.username): each for each in (*known, *newer)}
    return tuple(merged.values())
