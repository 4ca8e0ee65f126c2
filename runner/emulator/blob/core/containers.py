"""How containers change.

It must not know how a request asks for it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from runner.emulator.blob.core.conditions import Conditions, check_write
from runner.emulator.blob.core.names import check_container_name, check_metadata
from runner.emulator.blob.core.records import Container, ContainerKey, Metadata
from runner.emulator.blob.core.refusals import (
    CONTAINER_ALREADY_EXISTS,
    CONTAINER_BEING_DELETED,
    CONTAINER_NOT_FOUND,
    RefusedError,
)
from runner.emulator.blob.core.state import State


def create_container(state: State, name: str, metadata: Metadata, now: datetime) -> Container:
    """Creates a container; refuses a name that is taken or still being deleted."""
    check_container_name(name)
    check_metadata(metadata)
    if state.catalogue.container(name):
        raise RefusedError(CONTAINER_ALREADY_EXISTS)
    gone_at = state.deletions.get(name)
    if gone_at is not None and now < gone_at:
        raise RefusedError(CONTAINER_BEING_DELETED)
    state.deletions.pop(name, None)
    container = Container(
        key=ContainerKey(container=name),
        etag=state.etags.next(now),
        modified=now,
        metadata=metadata,
    )
    state.catalogue.put(container)
    return container


def find_container(state: State, name: str) -> Container:
    """The container; refuses where there is none."""
    container = state.catalogue.container(name)
    if container is None:
        # A name that cannot be is told from one that is not there.
        check_container_name(name)
        raise RefusedError(CONTAINER_NOT_FOUND)
    return container


def set_container_metadata(
    state: State, name: str, metadata: Metadata, conditions: Conditions, now: datetime
) -> Container:
    """Replaces the metadata."""
    container = find_container(state, name)
    check_metadata(metadata)
    check_write(conditions, container.etag, container.modified)
    changed = replace(container, metadata=metadata, etag=state.etags.next(now), modified=now)
    state.catalogue.put(changed)
    return changed


def delete_container(state: State, name: str, conditions: Conditions, now: datetime) -> None:
    """Deletes a container with all that it holds."""
    container = find_container(state, name)
    check_write(conditions, container.etag, container.modified)
    contents = [segment.content for segment in state.catalogue.contents(name)]
    state.catalogue.delete(container.key)
    if state.container_delete_delay:
        state.deletions[name] = now + state.container_delete_delay
    state.contents.release(contents)
