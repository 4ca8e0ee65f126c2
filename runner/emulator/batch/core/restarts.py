"""The transitions of nodes that clients ask for: restarted, reinstalled, switched off and on.

It must not know what a node does to become ready (`nodes`). Source: REST reference, Nodes.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.batch.core.clearing import clear_node
from runner.emulator.batch.core.node import Node, NodeState
from runner.emulator.batch.core.nodes import begin_start
from runner.emulator.batch.core.pool import Deallocation
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.state import State

_BUSY = {
    NodeState.CREATING: Reason.NODE_BEING_CREATED,
    NodeState.STARTING: Reason.NODE_BEING_STARTED,
    NodeState.REBOOTING: Reason.NODE_BEING_REBOOTED,
    NodeState.REIMAGING: Reason.NODE_BEING_REIMAGED,
    NodeState.UNUSABLE: Reason.NODE_UNUSABLE,
}


def reboot_node(state: State, now: datetime, node: Node, option: Deallocation) -> None:
    """Has a node restart; its tasks are dealt with as the option says."""
    refuse_unready(node, "reboot")
    clear_node(state, now, node, NodeState.REBOOTING, option)


def reimage_node(state: State, now: datetime, node: Node, option: Deallocation) -> None:
    """Has a node start anew without its files."""
    refuse_unready(node, "reimage")
    clear_node(state, now, node, NodeState.REIMAGING, option)


def deallocate_node(state: State, now: datetime, node: Node, option: Deallocation) -> None:
    """Has a node give its machine back; it stays in the pool, and starts when it is asked to."""
    refuse_unready(node, "deallocate")
    clear_node(state, now, node, NodeState.DEALLOCATING, option)


def start_node(state: State, now: datetime, node: Node) -> None:
    """Has a node start that was deallocated."""
    if node.state is not NodeState.DEALLOCATED:
        raise _not_now(node, "start")
    begin_start(state, now, node)


def refuse_unready(node: Node, operation: str) -> None:
    """Raises `RefusedError` where a node is neither idle nor running."""
    if node.state not in (NodeState.IDLE, NodeState.RUNNING):
        raise _not_now(node, operation)


def _not_now(node: Node, operation: str) -> RefusedError:
    reason = _BUSY.get(node.state)
    if reason is not None:
        return RefusedError(reason)
    text = f"Operation {operation} is not valid on a node in the state {node.state.value}"
    return RefusedError(Reason.NODE_OPERATION_INVALID, ("Reason", text))
