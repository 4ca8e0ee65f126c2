"""The operations on the users of nodes, and on how they would log in.

It must not know how requests reach it (`table`).
"""

from __future__ import annotations

from runner.emulator.batch.core import nodeusers as core
from runner.emulator.batch.core.node import Node
from runner.emulator.batch.operations.bodies.nodeusers import decode_user, decode_user_update
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.replies import Reply, metadata
from runner.emulator.batch.operations.views.nodes import show_remote_login

_LOGIN_SETTINGS = "Microsoft.Azure.Batch.Protocol.Entities.RemoteLoginSettings"


def create_node_user(call: Call) -> Reply:
    """`POST /pools/{poolId}/nodes/{nodeId}/users`."""
    node = _node(call)
    user = decode_user(call.body, windows=_is_windows(call, node), now=call.now)
    core.add_user(call.state, node, user)
    url = f"{call.url}/{user.name}"
    return Reply(status=201, service_id=url, location=url)


def replace_node_user(call: Call) -> Reply:
    """`PUT /pools/{poolId}/nodes/{nodeId}/users/{userName}`."""
    node = _node(call)
    expires = decode_user_update(call.body, windows=_is_windows(call, node), now=call.now)
    core.replace_user(call.state, node, call.path["userName"], expires)
    return Reply(status=200, service_id=call.url)


def delete_node_user(call: Call) -> Reply:
    """`DELETE /pools/{poolId}/nodes/{nodeId}/users/{userName}`."""
    core.delete_user(call.state, _node(call), call.path["userName"])
    return Reply(status=200)


def get_node_remote_login_settings(call: Call) -> Reply:
    """`GET /pools/{poolId}/nodes/{nodeId}/remoteloginsettings`: where nobody listens."""
    shown = show_remote_login(_node(call))
    return Reply(
        status=200,
        json={**metadata(call.endpoint, _LOGIN_SETTINGS), **shown},
        service_id=call.url,
    )


def _node(call: Call) -> Node:
    return call.state.store.node(call.pool, call.node)


def _is_windows(call: Call, node: Node) -> bool:
    machine = call.state.store.pool(node.pool).document.get("virtualMachineConfiguration")
    # The machines of a cloud service always ran Windows.
    return machine is None or str(machine["nodeAgentSKUId"]).startswith("batch.node.windows")
