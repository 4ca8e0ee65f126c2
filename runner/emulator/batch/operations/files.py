"""The operations on the files of tasks and nodes: list, properties, content.

It must not know how requests reach it (`table`), nor how a name is kept below its folder.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import BinaryIO
from urllib.parse import quote

from runner.emulator.batch.core.folders import task_folder
from runner.emulator.batch.core.ids import key_of
from runner.emulator.batch.core.node import Node
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.task import Task
from runner.emulator.batch.node.containment import NodeFolder, folder_of
from runner.emulator.batch.node.files import NodeFile, delete_file, find_file, list_files, open_file
from runner.emulator.batch.operations.call import Account, Call
from runner.emulator.batch.operations.conditions import check_read
from runner.emulator.batch.operations.filters.properties import FILES
from runner.emulator.batch.operations.paging import Listing, list_page, number_in_order
from runner.emulator.batch.operations.replies import Reply
from runner.emulator.batch.operations.views.nodes import show_file, show_mode
from runner.emulator.batch.operations.wire import http_date
from runner.emulator.storage.record import record

_PIECE_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{0,18})")


@record(frozen=True, slots=True, kw_only=True)
class Folder:
    """Where the files of a request are, on this machine and on the wire."""

    root: NodeFolder
    url: str


def task_files(call: Call) -> Folder:
    """The folder of a task; refused while it has none, or when its node has gone."""
    task = call.state.store.task(call.job, call.task)
    root = find_task_root(call.account, task)
    return Folder(root=root, url=f"{call.endpoint}/jobs/{task.job}/tasks/{task.id}/files")


def find_task_root(account: Account, task: Task) -> NodeFolder:
    """Where the files of a task are; raises `RefusedError` as `task_files`."""
    where = task.placement
    store = account.state.store
    node = None if where is None else store.nodes(where.pool).get(key_of(where.node))
    if where is None or node is None or node.machine_since is None:
        raise RefusedError(Reason.FILES_UNAVAILABLE)
    if task.cleaned_up:
        raise RefusedError(Reason.FILES_CLEANED_UP)
    directory = account.nodes / where.node
    return folder_of(directory, directory / task_folder(task.job, task.id))


def node_files(call: Call) -> Folder:
    """The root of a node."""
    node = call.state.store.node(call.pool, call.node)
    url = f"{call.endpoint}/pools/{node.pool}/nodes/{node.id}/files"
    return Folder(root=find_node_root(call.account, node), url=url)


def find_node_root(account: Account, node: Node) -> NodeFolder:
    """Where the files of a node are; raises `RefusedError` while it has no machine."""
    if node.machine_since is None:
        text = f"A node in the state {node.state.value} has no files"
        raise RefusedError(Reason.NODE_OPERATION_INVALID, ("Reason", text))
    return NodeFolder(account.nodes / node.id)


def list_task_files(call: Call) -> Reply:
    """`GET /jobs/{jobId}/tasks/{taskId}/files`."""
    return _list(call, task_files(call))


def list_node_files(call: Call) -> Reply:
    """`GET /pools/{poolId}/nodes/{nodeId}/files`."""
    return _list(call, node_files(call))


def get_task_file_properties(call: Call) -> Reply:
    """`HEAD /jobs/{jobId}/tasks/{taskId}/files/{filePath}`."""
    return _properties(call, task_files(call))


def get_node_file_properties(call: Call) -> Reply:
    """`HEAD /pools/{poolId}/nodes/{nodeId}/files/{filePath}`."""
    return _properties(call, node_files(call))


def download_task_file(call: Call) -> Reply:
    """`GET /jobs/{jobId}/tasks/{taskId}/files/{filePath}`."""
    return _download(call, task_files(call))


def download_node_file(call: Call) -> Reply:
    """`GET /pools/{poolId}/nodes/{nodeId}/files/{filePath}`."""
    return _download(call, node_files(call))


def delete_task_file(call: Call) -> Reply:
    """`DELETE /jobs/{jobId}/tasks/{taskId}/files/{filePath}`."""
    return _delete(call, task_files(call))


def delete_node_file(call: Call) -> Reply:
    """`DELETE /pools/{poolId}/nodes/{nodeId}/files/{filePath}`."""
    return _delete(call, node_files(call))


def _delete(call: Call, folder: Folder) -> Reply:
    recursive = call.flag("recursive")
    try:
        found = delete_file(folder.root, call.path["filePath"], recursive=recursive)
    except OSError as error:
        raise RefusedError(Reason.FILE_UNDELETABLE, ("Reason", str(error.strerror))) from error
    if not found:
        raise RefusedError(Reason.FILE_NOT_FOUND)
    return Reply(status=200)


def _list(call: Call, folder: Folder) -> Reply:
    files = list_files(folder.root, recursive=call.flag("recursive"))
    listing = Listing(
        name="files",
        after=number_in_order(files),
        show=lambda file: show_file(folder.url, file),
        properties=FILES,
        selectable=False,
    )
    return list_page(call, listing)


def _properties(call: Call, folder: Folder) -> Reply:
    file = find_file(folder.root, call.path["filePath"])
    if file is None:
        raise RefusedError(Reason.FILE_NOT_FOUND)
    check_read(call.headers, file.modified)
    return Reply(status=200, headers=_headers(folder, file), length=file.size_bytes)


def _download(call: Call, folder: Folder) -> Reply:
    opened = open_file(folder.root, call.path["filePath"])
    if opened is None:
        raise RefusedError(Reason.FILE_NOT_FOUND)
    file, content = opened
    try:
        check_read(call.headers, file.modified)
        start, length = _asked_range(call, file.size_bytes)
    except RefusedError:
        content.close()
        raise
    return Reply(status=200, headers=_headers(folder, file), stream=_pieces(content, start, length))


def _asked_range(call: Call, size: int) -> tuple[int, int]:
    """Start and length of what is asked for; the service answers 200 to a range, too."""
    text = call.headers.get("ocp-range")
    if not text:
        return 0, size
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise RefusedError(
            Reason.HEADER_INVALID, ("HeaderName", "ocp-range"), ("HeaderValue", text)
        )
    start = int(match[1])
    end = int(match[2]) if match[2] else size - 1
    if start >= size or end < start:
        raise RefusedError(Reason.RANGE_INVALID)
    return start, min(end, size - 1) - start + 1


async def _pieces(content: BinaryIO, start: int, length: int) -> AsyncIterator[bytes]:
    """The bytes asked for; ends early where the file has become shorter meanwhile."""
    try:
        content.seek(start)
        while length > 0:
            piece = await asyncio.to_thread(content.read, min(length, _PIECE_BYTES))
            if not piece:
                return
            length -= len(piece)
            yield piece
    finally:
        content.close()


def _headers(folder: Folder, file: NodeFile) -> tuple[tuple[str, str], ...]:
    url = f"{folder.url}/{quote(file.name, errors='surrogateescape')}"
    return (
        ("Content-Type", file.content_type),
        ("Last-Modified", http_date(file.modified)),
        ("ocp-batch-file-isdirectory", str(file.is_directory)),
        ("ocp-batch-file-mode", show_mode(file.mode)),
        ("ocp-batch-file-url", quote(url, safe="")),
    )
