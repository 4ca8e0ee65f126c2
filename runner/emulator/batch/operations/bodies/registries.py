"""The passwords of container registries in a request, which its document does not keep.

It must not know which operation was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from runner.emulator.batch.core.job import AutoPool, JobDraft
from runner.emulator.batch.core.registries import RegistryPassword, with_newer

_NAMES = frozenset({"registry", "containerRegistries"})
"""Whose values are registries, in tasks and in pools."""


def registry_passwords(body: object) -> tuple[RegistryPassword, ...]:
    """Those at any depth of a body that has been checked."""
    return with_newer((), _passwords(body))


def with_passwords(draft: JobDraft, passwords: tuple[RegistryPassword, ...]) -> JobDraft:
    """A job whose own tasks, and whose pool, can open those registries."""
    if not passwords:
        return draft
    where, manager = draft.where, draft.manager
    if isinstance(where, AutoPool):
        where = replace(where, draft=replace(where.draft, registry_passwords=passwords))
    if manager is not None:
        manager = replace(manager, registry_passwords=passwords)
    return replace(draft, where=where, manager=manager, registry_passwords=passwords)


def _passwords(value: object) -> Iterator[RegistryPassword]:
    if isinstance(value, list):
        for item in value:
            yield from _passwords(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in _NAMES:
                for registry in item if isinstance(item, list) else (item,):
                    yield from _of_registry(registry)
            else:
                yield from _passwords(item)


def _of_registry(registry: object) -> Iterator[RegistryPassword]:
    if isinstance(registry, dict) and registry.get("password"):
        yield RegistryPassword(
            server=registry.get("registryServer") or "",
            username=registry.get("username") or "",
            password=registry["password"],
        )
