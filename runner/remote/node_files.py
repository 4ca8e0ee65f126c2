"""Files that nodes have, of tasks and of their own: how long they are, pieces of them, their ends.

It must not know who reads them, nor change anything there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.core.rest import HttpRequest

from runner.plan.model import TaskId
from runner.remote.account import API_VERSION, BatchAccount, segment
from runner.remote.faults import translated
from runner.remote.retrying import persist

_BEYOND_ITS_END = 416


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFile:
    """One of them: its path in the service, and as what people know it."""

    url: str
    title: str


def of_task(job_id: str, task_id: TaskId, path: str) -> NodeFile:
    """A file below a task's directory (REST: File - Get From Task)."""
    return NodeFile(
        url=f"/jobs/{segment(job_id)}/tasks/{segment(task_id)}/files/{segment(path)}",
        title=f"`{path}` of task `{task_id}`",
    )


def of_node(pool_id: str, node_id: str, path: str) -> NodeFile:
    """A file below a node's root (REST: File - Get From Compute Node)."""
    return NodeFile(
        url=f"/pools/{segment(pool_id)}/nodes/{segment(node_id)}/files/{segment(path)}",
        title=f"`{path}` of node `{node_id}`",
    )


def size(account: BatchAccount, file: NodeFile) -> int | None:
    """How long it is now, in bytes; None where it or its node is not there."""
    found = _ask(account, "HEAD", file)
    return None if found is None else int(found[0].get("Content-Length") or 0)


def read(account: BatchAccount, file: NodeFile, *, start: int, length: int) -> bytes | None:
    """A piece of it; None where it or its node is not there.

    The SDK's own operations take 206, which a range may be answered with, for an error
    (azure-batch 15.1).
    """
    # The header has a name of its own (REST: File - Get From Task).
    piece = {"ocp-range": f"bytes={start}-{start + length - 1}"}
    answer = _ask(account, "GET", file, piece)
    return None if answer is None else answer[1]


def read_end(account: BatchAccount, file: NodeFile, limit_bytes: int) -> bytes:
    """So much of its end; empty where it or its node is not there."""
    there = size(account, file)
    if not there:
        return b""
    start = max(0, there - limit_bytes)
    return read(account, file, start=start, length=there - start) or b""


def _ask(
    account: BatchAccount,
    method: str,
    file: NodeFile,
    headers: Mapping[str, str] | None = None,
) -> tuple[Mapping[str, str], bytes] | None:
    request = HttpRequest(
        method,
        f"{{endpoint}}{file.url}",
        params={"api-version": API_VERSION},
        headers={"Accept": "application/octet-stream", **(headers or {})},
    )

    def ask() -> tuple[Mapping[str, str], bytes]:
        # As a stream, since the SDK's policies take any other answer for JSON, XML or text.
        with account.client.send_request(request, stream=True) as response:
            return response.headers, response.read()

    with translated(account.origin, f"show {file.title}"):
        try:
            return persist(ask, account.trouble)
        except (ResourceNotFoundError, ResourceExistsError):
            # 409 says that there are no files yet, or none any more.
            return None
        except HttpResponseError as error:
            if error.status_code != _BEYOND_ITS_END:
                raise
            # Whatever writes it has begun it anew since it was asked how long it is.
            return None
