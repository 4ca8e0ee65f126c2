"""The data of the page: paths, what is asked for there, and answers that have not changed.

It must not know who may ask (`gate`), nor how anything is shown.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from runner.emulator.batch.core.ids import JobId, NodeId, PoolId, TaskId
from runner.emulator.batch.core.refusal import RefusedError
from runner.emulator.batch.node.containment import NodeFolder
from runner.emulator.batch.operations.files import find_node_root, find_task_root
from runner.emulator.batch.operations.refusals import ANSWERS
from runner.emulator.control.gate import LARGEST_BODY_BYTES, PREFIX, ControlError, Told
from runner.emulator.dashboard.blobs import (
    download_content,
    read_content,
    show_blob_closely,
)
from runner.emulator.dashboard.files import download, list_folder, read_piece
from runner.emulator.dashboard.gate import write_json
from runner.emulator.dashboard.overview import show_overview
from runner.emulator.dashboard.pools import show_map, show_node_closely, show_pool_closely
from runner.emulator.dashboard.requests import show_requests
from runner.emulator.dashboard.sources import BatchSource, Sources
from runner.emulator.dashboard.storage import show_blobs, show_containers
from runner.emulator.dashboard.tasks import TaskNames, read_wanted, show_task_closely, show_tasks
from runner.emulator.server.http import ContentTooLargeError, Request, Response

_MOST_KNOWN = 256
_Key = tuple[str, str]
Query = dict[str, str]


class Api:
    """Answers below `/.emulator/`; an answer that `If-None-Match` names is 304 and empty.

    As long as nothing has changed, that takes no look at anything.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._names = TaskNames()
        self._known: dict[_Key, tuple[tuple[int, ...], str]] = {}

    async def answer(self, request: Request) -> Response:
        """Raises `ControlError` for what there is not."""
        path = request.raw_path.removeprefix(PREFIX).strip("/")
        name, _, below = path.partition("/")
        try:
            if name in self._sources.resources:
                return await self._tell(request, name, below)
            if name != "dashboard":
                raise ControlError(404, f"there is no `{request.raw_path}`")
            if request.method not in ("GET", "HEAD"):
                raise ControlError(405, f"`{request.method}` is none of GET and HEAD")
            return await self._look(request, _decode_path(below), _decode_query(request.raw_query))
        except RefusedError as error:
            answer = ANSWERS[error.reason]
            raise ControlError(answer.status, answer.message) from error

    async def _tell(self, request: Request, name: str, below: str) -> Response:
        try:
            body = (await request.read(limit_bytes=LARGEST_BODY_BYTES)).decode("utf-8")
        except ContentTooLargeError:
            limit = f"{LARGEST_BODY_BYTES} bytes"
            raise ControlError(413, f"the content is larger than {limit}") from None
        except UnicodeDecodeError as error:
            raise ControlError(400, f"the content is not UTF-8: byte {error.start + 1}") from None
        told = Told(method=request.method, path=below, body=body)
        return write_json(200, await self._sources.resources[name].answer(told))

    async def _look(self, request: Request, path: tuple[str, ...], query: Query) -> Response:
        found = self._find_file(path, query)
        if found is not None:
            return await found
        show = self._find_view(path, query)
        key = (request.raw_path, request.raw_query)
        given = request.headers.get("if-none-match")
        now = ("X-Emulator-Time", _write_time(self._sources))
        revision = self._revision(path)
        known = self._known.get(key)
        if revision is not None and given is not None and known == (revision, given):
            return Response(status=304, headers=(("ETag", given), now))
        content = json.dumps(await show(), separators=(",", ":")).encode("ascii")
        etag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
        if revision is not None:
            self._remember(key, revision, etag)
        if etag == given:
            return Response(status=304, headers=(("ETag", etag), now))
        headers = (("Content-Type", "application/json"), ("ETag", etag), now)
        return Response(status=200, headers=headers, body=content)

    def _revision(self, path: tuple[str, ...]) -> tuple[int, ...] | None:
        """What an answer follows from; None where that is more than records."""
        match path:
            case ("requests",):
                return (self._sources.attendance.passed,)
            case (*_, "files"):
                return None
        return self._sources.revision()

    def _remember(self, key: _Key, revision: tuple[int, ...], etag: str) -> None:
        self._known.pop(key, None)
        while len(self._known) >= _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[key] = (revision, etag)

    def _find_view(
        self, path: tuple[str, ...], query: Query
    ) -> Callable[[], Awaitable[dict[str, Any]]]:
        sources = self._sources
        start = query.get("start", "")
        match path:
            case ("overview",):
                return lambda: show_overview(sources)
            case ("requests",):
                after = _read_number(query, "after")
                return lambda: show_requests(sources, after)
            case ("batch", account, "pools", pool):
                source = sources.batch_account(account)
                return lambda: show_pool_closely(source, pool, start)
            case ("batch", account, "pools", pool, "map"):
                source = sources.batch_account(account)
                return lambda: show_map(source, pool)
            case ("batch", account, "pools", pool, "nodes", node):
                source = sources.batch_account(account)
                return lambda: show_node_closely(source, pool, node)
            case ("batch", account, "jobs", job, "tasks"):
                source, wanted = sources.batch_account(account), read_wanted(query)
                return lambda: show_tasks(source, job, wanted, self._names, sources.now())
            case ("batch", account, "jobs", job, "tasks", task):
                source = sources.batch_account(account)
                return lambda: show_task_closely(source, job, task)
            case ("batch", account, *rest, "files"):
                root = _find_root(sources.batch_account(account), tuple(rest))
                return lambda: list_folder(root, query.get("path", ""))
            case ("blob", account, "containers"):
                blob = sources.blob_account(account)
                return lambda: show_containers(blob, start)
            case ("blob", account, "containers", container, "blobs"):
                blob, prefix = sources.blob_account(account), query.get("prefix", "")
                return lambda: show_blobs(blob, container, prefix, start)
            case ("blob", account, "containers", container, "blob"):
                blob, name = sources.blob_account(account), query.get("path", "")
                return lambda: show_blob_closely(blob, container, name)
        raise ControlError(404, f"there is no `{PREFIX}/dashboard/{'/'.join(path)}`")

    def _find_file(self, path: tuple[str, ...], query: Query) -> Awaitable[Response] | None:
        match path:
            case ("batch", account, *rest, "file" | "download" as how):
                root = _find_root(self._sources.batch_account(account), tuple(rest))
                name = query.get("path", "")
                return read_piece(root, name, query) if how == "file" else download(root, name)
            case ("blob", account, "containers", container, "file" | "download" as how):
                blob, name = self._sources.blob_account(account), query.get("path", "")
                if how == "file":
                    return read_content(blob, container, name, query)
                return download_content(blob, container, name)
        return None


def _find_root(source: BatchSource, path: tuple[str, ...]) -> NodeFolder:
    shared = source.shared
    match path:
        case ("jobs", job, "tasks", task):
            return find_task_root(shared, shared.state.store.task(JobId(job), TaskId(task)))
        case ("pools", pool, "nodes", node):
            return find_node_root(shared, shared.state.store.node(PoolId(pool), NodeId(node)))
    raise ControlError(404, f"`{'/'.join(path)}` has no files")


def _read_number(query: Query, name: str) -> int:
    text = query.get(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise ControlError(400, f"`{name}`: `{text}` is not a number")
    return int(text)


def _decode_path(path: str) -> tuple[str, ...]:
    return tuple(unquote(part) for part in path.split("/"))


def _decode_query(text: str) -> Query:
    """Bytes that are not UTF-8 stand for themselves: names of files may have them."""
    pairs = (part.partition("=") for part in text.split("&") if part)
    return {
        unquote(name): unquote(value.replace("+", " "), errors="surrogateescape")
        for name, _, value in pairs
    }


def _write_time(sources: Sources) -> str:
    return sources.now().isoformat()
