"""How nodes and their files are shown.

It must not know how a list or a single one is wrapped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.node import FinishedTask, Node, NodeError, NodeState
from runner.emulator.batch.core.nodetable import NodeTable
from runner.emulator.batch.core.pool import Pool
from runner.emulator.batch.node.files import NodeFile
from runner.emulator.batch.operations.bodies.filling import is_windows
from runner.emulator.batch.operations.views.entities import node_url, task_url
from runner.emulator.batch.operations.views.executions import show_failure, show_start_run
from runner.emulator.batch.operations.wire import format_moment

AGENT_VERSION = "1.13.1"
_PUBLIC_ADDRESS = "127.0.0.1"
_PUBLIC_ADDRESS_V6 = "::1"
_SSH_PORT = 22
_RDP_PORT = 3389
_LATEST_VERSION = "1.0.0"
_FIRST_FRONTEND_PORT = 50_000
_COUNT_ORDER = (
    NodeState.CREATING,
    NodeState.IDLE,
    NodeState.LEAVING_POOL,
    NodeState.OFFLINE,
    NodeState.PREEMPTED,
    NodeState.REBOOTING,
    NodeState.REIMAGING,
    NodeState.RUNNING,
    NodeState.STARTING,
    NodeState.START_TASK_FAILED,
    NodeState.UNUSABLE,
    NodeState.UNKNOWN,
    NodeState.WAITING_FOR_START_TASK,
    NodeState.UPGRADING_OS,
    NodeState.DEALLOCATED,
    NodeState.DEALLOCATING,
)
_COUNT_NAMES = {
    NodeState.LEAVING_POOL: "leavingPool",
    NodeState.START_TASK_FAILED: "startTaskFailed",
    NodeState.WAITING_FOR_START_TASK: "waitingForStartTask",
    NodeState.UPGRADING_OS: "upgradingOS",
}


def show_node(endpoint: str, node: Node, pool: Pool) -> dict[str, Any]:
    """A node of a pool."""
    return dict(_node_properties(endpoint, node, pool))


def _node_properties(endpoint: str, node: Node, pool: Pool) -> Iterator[tuple[str, Any]]:
    yield "id", node.id
    yield "url", node_url(endpoint, node.pool, node.id)
    yield "state", node.state.value
    yield "schedulingState", node.scheduling.value
    yield "stateTransitionTime", format_moment(node.state_time)
    if node.booted is not None:
        yield "lastBootTime", format_moment(node.booted)
    yield "allocationTime", format_moment(node.allocated)
    yield "ipAddress", _address(node.number)
    yield "ipv6Address", _address_v6(node.number)
    yield "affinityId", f"TVM:{node.id}"
    yield "vmSize", pool.document["vmSize"]
    yield "totalTasksRun", node.total_run
    yield "totalTasksSucceeded", node.total_succeeded
    yield "runningTasksCount", len(node.occupied)
    yield "runningTaskSlotsCount", node.used_slots
    if node.recent:
        yield "recentTasks", [_recent(endpoint, finished) for finished in node.recent]
    if "startTask" in pool.document:
        yield "startTask", pool.document["startTask"]
    if node.start is not None:
        yield "startTaskInfo", show_start_run(node.start)
    if node.errors:
        yield "errors", [_error(error) for error in node.errors]
    if node.booted is not None:
        yield "certificateReferences", pool.document.get("certificateReferences", [])
    yield "isDedicated", node.dedicated
    yield "endpointConfiguration", {"inboundEndpoints": list(_endpoints(node.number, pool))}
    if node.booted is not None:
        last_update = format_moment(node.booted)
        yield "nodeAgentInfo", {"lastUpdateTime": last_update, "version": AGENT_VERSION}
    machine = pool.document.get("virtualMachineConfiguration")
    if machine is not None:
        yield "virtualMachineInfo", {"imageReference": _exact_image(machine["imageReference"])}


def _exact_image(image: Document) -> dict[str, Any]:
    """With the version that the latest one is; of the machine's own images that is a guess."""
    if image.get("version") != "latest":
        return {**image, "exactVersion": image["version"]} if "version" in image else {**image}
    return {**image, "exactVersion": _LATEST_VERSION}


def _error(error: NodeError) -> dict[str, Any]:
    shown: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.details:
        shown["errorDetails"] = [{"name": name, "value": value} for name, value in error.details]
    return shown


def _address(number: int) -> str:
    # The service's own subnet hands out addresses from the fourth on.
    high, low = divmod(number + 3, 256)
    return f"10.0.{high}.{low}"


def _address_v6(number: int) -> str:
    return f"fd00::{number + 3:x}"


def _endpoints(number: int, pool: Pool) -> Iterator[dict[str, Any]]:
    network = pool.document.get("networkConfiguration", {})
    for nat in network.get("endpointConfiguration", {}).get("inboundNATPools", ()):
        port = nat["frontendPortRangeStart"]
        yield _endpoint(number, nat["name"], nat["protocol"], port, nat["backendPort"])
    port = _RDP_PORT if is_windows(pool.document) else _SSH_PORT
    yield _endpoint(number, "SSHRule", "tcp", _FIRST_FRONTEND_PORT, port)


def _endpoint(number: int, name: str, protocol: str, first: int, backend: int) -> dict[str, Any]:
    return {
        "name": f"{name}.{number - 1}",
        "protocol": protocol,
        "publicIPAddress": _PUBLIC_ADDRESS,
        "publicFQDN": "localhost",
        "frontendPort": first + number - 1,
        "backendPort": backend,
    }


def show_remote_login(node: Node) -> dict[str, Any]:
    """Where the node's SSH server would be found."""
    return {
        "remoteLoginIPAddress": _PUBLIC_ADDRESS,
        "remoteLoginPort": _FIRST_FRONTEND_PORT + node.number - 1,
        "ipv6RemoteLoginIPAddress": _PUBLIC_ADDRESS_V6,
        "ipv6RemoteLoginPort": _FIRST_FRONTEND_PORT + node.number - 1,
    }


def _recent(endpoint: str, finished: FinishedTask) -> dict[str, Any]:
    execution: dict[str, Any] = {
        "startTime": format_moment(finished.started),
        "endTime": format_moment(finished.ended),
    }
    if finished.exit_code is not None:
        execution["exitCode"] = finished.exit_code
    if finished.failure is not None:
        execution["failureInfo"] = show_failure(finished.failure)
    execution["result"] = "success" if finished.failure is None else "failure"
    execution["retryCount"] = 0
    execution["requeueCount"] = 0
    shown: dict[str, Any] = {
        "taskUrl": task_url(endpoint, finished.job, finished.task),
        "jobId": finished.job,
        "taskId": finished.task,
    }
    if finished.subtask:
        shown["subtaskId"] = finished.subtask
    return {**shown, "taskState": "completed", "executionInfo": execution}


def show_node_counts(pool: Pool, nodes: NodeTable) -> dict[str, Any]:
    """The nodes of a pool by kind and state."""
    counters: dict[bool, Counter[NodeState]] = {True: Counter(), False: Counter()}
    for (state, dedicated), count in nodes.tally().items():
        counters[dedicated][state] = count
    return {
        "poolId": pool.id,
        "dedicated": _show_counter(counters[True]),
        "lowPriority": _show_counter(counters[False]),
    }


def _show_counter(counter: Counter[NodeState]) -> dict[str, int]:
    shown = {_COUNT_NAMES.get(state, state.value): counter[state] for state in _COUNT_ORDER}
    return {**shown, "total": sum(counter.values())}


def show_file(base_url: str, file: NodeFile) -> dict[str, Any]:
    """One entry of a file list; `base_url` is the list's own."""
    shown: dict[str, Any] = {
        "name": file.name,
        "url": f"{base_url}/{quote(file.name, errors='surrogateescape')}",
        "isDirectory": file.is_directory,
    }
    if not file.is_directory:
        shown["properties"] = {
            "lastModified": format_moment(file.modified),
            "contentLength": str(file.size_bytes),
            "contentType": file.content_type,
            "fileMode": show_mode(file.mode),
        }
    return shown


def show_mode(mode: int) -> str:
    """A file's type and permissions, as Linux nodes write them."""
    return f"0o{mode:o}"
