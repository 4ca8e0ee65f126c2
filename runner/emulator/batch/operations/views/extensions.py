"""How a node's extensions are shown: as declared, and as provisioned without a fault.

It must not know how a list is wrapped.
"""

from __future__ import annotations

from typing import Any

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.node import Node
from runner.emulator.batch.operations.wire import format_moment


def show_extension(extension: Document, node: Node) -> dict[str, Any]:
    """An extension of a node; it is provisioned when the node has booted first."""
    view: dict[str, Any] = {"name": extension["name"]}
    if node.booted is None:
        view["statuses"] = [_status("updating", "Updating", None)]
        state = "Creating"
    else:
        view["statuses"] = [_status("succeeded", "Provisioning succeeded", node)]
        state = "Succeeded"
    return {"provisioningState": state, "vmExtension": extension, "instanceView": view}


def _status(code: str, shown: str, node: Node | None) -> dict[str, Any]:
    status = {"code": f"ProvisioningState/{code}", "displayStatus": shown, "level": "Info"}
    if node is not None and node.booted is not None:
        status["message"] = "The emulator keeps extensions and does not run them"
        status["time"] = format_moment(node.booted)
    return status
