"""The registries that a pool and its tasks name, with the passwords that are kept for them.

It must not know who logs in, nor when.
"""

from __future__ import annotations

from collections.abc import Iterable

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.pool import Pool
from runner.emulator.batch.core.registries import RegistryPassword
from runner.emulator.batch.node.registries import Registry


def pool_registries(pool: Pool) -> tuple[Registry, ...]:
    """What a node logs in to before it fetches the pool's images."""
    machine = pool.document.get("virtualMachineConfiguration", {})
    given = machine.get("containerConfiguration", {}).get("containerRegistries", ())
    return tuple(registry_of(each, pool.registry_passwords) for each in given)


def registry_of(given: Document, passwords: Iterable[RegistryPassword]) -> Registry:
    """A registry as it stands in a document."""
    server, username = given.get("registryServer", ""), given.get("username", "")
    known = {(each.server, each.username): each.password for each in passwords}
    return Registry(
        server=server,
        username=username,
        password=known.get((server, username)),
        by_identity="identityReference" in given,
    )
