"""The operation on the logs of nodes.

It must not know how requests reach it (`table`), nor how files are sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from runner.emulator.batch.core.actions import UploadLogs
from runner.emulator.batch.core.nodelog import LogLine, Severity
from runner.emulator.batch.operations.bodies.nodelogs import LogUpload, decode_log_upload
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.replies import Reply, metadata
from runner.emulator.batch.operations.wire import format_full_moment
from runner.emulator.guids import make_guid

_RESULT = "Microsoft.Azure.Batch.Protocol.Entities.UploadBatchServiceLogsResult"


def upload_node_logs(call: Call) -> Reply:
    """`POST /pools/{poolId}/nodes/{nodeId}/uploadbatchservicelogs`: sent in the background."""
    wanted = decode_log_upload(call.body)
    node = call.state.store.node(call.pool, call.node)
    directory = f"{_account_folder(call.endpoint)}/{node.pool}/{node.id}/{make_guid()}"
    lines = call.state.logs.of(node.id)
    warnings = tuple(line for line in lines if line.severity is Severity.WARNING)
    files = tuple(
        (f"{directory}/{name}", _format(content))
        for name, content in (("agent-debug.log", lines), ("agent-warn.log", warnings))
        if _is_wanted(content, wanted)
    )
    call.state.actions.append(
        UploadLogs(
            node=node.id,
            container_url=wanted.container_url,
            identity=wanted.identity,
            files=files,
        )
    )
    result = {"virtualDirectoryName": directory, "numberOfFilesUploaded": len(files)}
    return Reply(status=200, json={**metadata(call.endpoint, _RESULT), **result})


def _account_folder(endpoint: str) -> str:
    """The service has a folder for each account, named by a number of 64 bits."""
    return f"batch-{hashlib.sha256(endpoint.encode()).hexdigest()[:16].upper()}"


def _is_wanted(lines: Iterable[LogLine], wanted: LogUpload) -> bool:
    """Whether a file has a line of the time asked for; it is sent whole then."""
    return any(
        wanted.start <= line.moment and (wanted.end is None or line.moment <= wanted.end)
        for line in lines
    )


def _format(lines: Iterable[LogLine]) -> str:
    return "".join(
        f"{format_full_moment(line.moment)}\t{line.severity.value}\t{line.text}\n" for line in lines
    )
