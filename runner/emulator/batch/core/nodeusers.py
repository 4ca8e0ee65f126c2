"""The transitions of the users of nodes: added, changed, deleted.

It must not know their passwords.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.batch.core.node import Node, NodeUser
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.restarts import refuse_unready
from runner.emulator.batch.core.state import State
from runner.emulator.storage.record import replace


def add_user(state: State, node: Node, user: NodeUser) -> None:
    """Adds a user to an idle or running node."""
    refuse_unready(node, "add user")
    if any(_is(known, user.name) for known in node.users):
        raise RefusedError(Reason.NODE_USER_EXISTS)
    state.store.put(replace(node, users=(*node.users, user)))


def replace_user(state: State, node: Node, name: str, expires: datetime) -> None:
    """Gives a user another expiry; whether it is an administrator stays."""
    refuse_unready(node, "update user")
    user = _find(node, name)
    changed = replace(user, expires=expires)
    users = tuple(changed if known is user else known for known in node.users)
    state.store.put(replace(node, users=users))


def delete_user(state: State, node: Node, name: str) -> None:
    """Removes a user from an idle or running node."""
    refuse_unready(node, "delete user")
    user = _find(node, name)
    state.store.put(replace(node, users=tuple(known for known in node.users if known is not user)))


def _find(node: Node, name: str) -> NodeUser:
    for user in node.users:
        if _is(user, name):
            return user
    raise RefusedError(Reason.NODE_USER_NOT_FOUND)


def _is(user: NodeUser, name: str) -> bool:
    return user.name.lower() == name.lower()
