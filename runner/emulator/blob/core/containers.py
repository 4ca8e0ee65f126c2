"""How containers change.

It must not know how a request asks for it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from runner.emulator.blob.core import leases
from runner.emulator.blob.core.conditions import Conditions, check_read, check_write
from runner.emulator.blob.core.leases import Leased
from runner.emulator.blob.core.names import check_container_name, check_metadata
from runner.emulator.blob.core.records import (
    AccessPolicy,
    Container,
    ContainerKey,
    Metadata,
    PublicAccess,
)
from runner.emulator.blob.core.refusals import (
    CONTAINER_ALREADY_EXISTS,
    CONTAINER_BEING_DELETED,
    CONTAINER_NOT_FOUND,
    RefusedError,
)
from runner.emulator.blob.core.state import State


def create_container(
    state: State, name: str, metadata: Metadata, access: PublicAccess, now: datetime
) -> Container:
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
        access=access,
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


def read_container(state: State, name: str, conditions: Conditions, now: datetime) -> Container:
    """The container, if the conditions hold."""
    container = find_container(state, name)
    check_read(conditions, container.etag, container.modified)
    leases.check_read(container.lease, conditions.lease_id, Leased.CONTAINER, now)
    return container


def set_container_metadata(
    state: State, name: str, metadata: Metadata, conditions: Conditions, now: datetime
) -> Container:
    """Replaces the metadata."""
    check_metadata(metadata)
    return _change(state, name, conditions, now, metadata=metadata)


def set_container_access(
    state: State,
    name: str,
    access: PublicAccess,
    policies: tuple[AccessPolicy, ...],
    conditions: Conditions,
    now: datetime,
) -> Container:
    """Replaces what anybody may read, and the stored access policies."""
    return _change(state, name, conditions, now, access=access, policies=policies)


def change_container_lease(
    state: State,
    name: str,
    action: leases.LeaseAction,
    conditions: Conditions,
    now: datetime,
) -> Container:
    """Begins, changes or ends the container's lease; its ETag stays."""
    container = find_container(state, name)
    check_write(conditions, container.etag, container.modified)
    lease = leases.apply_action(container.lease, action, Leased.CONTAINER, now)
    changed = replace(container, lease=lease)
    state.catalogue.put(changed)
    return changed


def delete_container(state: State, name: str, conditions: Conditions, now: datetime) -> None:
    """Deletes a container with all that it holds; only this needs the id of its lease."""
    container = find_container(state, name)
    check_write(conditions, container.etag, container.modified)
    leases.check_write(container.lease, conditions.lease_id, Leased.CONTAINER, now)
    contents = [segment.content for segment in state.catalogue.contents(name)]
    state.catalogue.delete(container.key)
    if state.container_delete_delay:
        state.deletions[name] = now + state.container_delete_delay
    state.contents.release(contents)


def _change(
    state: State,
    name: str,
    conditions: Conditions,
    now: datetime,
    *,
    metadata: Metadata | None = None,
    access: PublicAccess | None = None,
    policies: tuple[AccessPolicy, ...] | None = None,
) -> Container:
    container = find_container(state, name)
    check_write(conditions, container.etag, container.modified)
    leases.check_read(container.lease, conditions.lease_id, Leased.CONTAINER, now)
    changed = replace(
        container,
        metadata=container.metadata if metadata is None else metadata,
        access=container.access if access is None else access,
        policies=container.policies if policies is None else policies,
        etag=state.etags.next(now),
        modified=now,
    )
    state.catalogue.put(changed)
    return changed
