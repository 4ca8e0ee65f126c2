"""Runs the command line as it is, and kills its own process at one chosen point of it.

A point is a request to a service, a line of the journal, or a change of a file. They are seen
through Python's audit hooks and through the standard library's own functions; the program is not
changed. It must not know what the points mean.

`BATCH_RUN_VICTIM` holds JSON: `trace` is a file that gets the name of each point as it comes,
`kind` (`request`, `journal`, `file`), `nth` (from 1) and `when` (`before`, `torn`, `after`) say
where it dies; `name` counts only points of that name.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import sys
import threading
from typing import Any
from urllib.parse import unquote, urlsplit

VARIABLE = "BATCH_RUN_VICTIM"
_RUN = re.compile(r"[a-z0-9-]+?-\d{8}t\d{6}z-[a-z2-7]{4}")
_GUID = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f-]{22,27}")
_REQUEST = re.compile(rb"(GET|HEAD|PUT|POST|DELETE|PATCH|MERGE) (\S+) HTTP/1\.1\r\n")
_WRITING = os.O_WRONLY | os.O_RDWR


class Victim:
    """Counts points, and dies at one."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self._kind = orders.get("kind")
        self._name = orders.get("name")
        self._nth = int(orders.get("nth", 0))
        self._when = orders.get("when", "before")
        self._home = os.getcwd()  # noqa: PTH109 - paths of audit events are strings
        self._lock = threading.Lock()
        self._seen = 0
        self._busy = threading.local()
        self._dying: set[socket.socket] = set()
        self._write = os.write
        trace = orders.get("trace")
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._trace = None if trace is None else os.open(trace, flags, 0o600)

    def meet(self, kind: str, name: str, *, dies: bool = True) -> str | None:
        """Takes note of a point; when to die there, or None. Before it, it `dies` itself."""
        with self._lock:
            if self._trace is not None:
                self._write(self._trace, f"{kind}\t{name}\n".encode("utf-8", "backslashreplace"))
            if kind != self._kind or (self._name is not None and name != self._name):
                return None
            self._seen += 1
            if self._seen != self._nth:
                return None
        if dies and self._when == "before":
            die()
        return str(self._when)

    def heed(self, event: str, arguments: tuple[Any, ...]) -> None:
        """The audit hook."""
        if getattr(self._busy, "on", False):
            return
        self._busy.on = True
        try:
            if event == "http.client.send":
                self._heed_request(*arguments)
            elif event == "open":
                path, _, flags = arguments
                if isinstance(flags, int) and flags & _WRITING:
                    self._heed_file("open", path)
            elif event in ("os.rename", "os.remove", "os.mkdir", "os.truncate"):
                self._heed_file(event.removeprefix("os."), arguments[0])
        finally:
            self._busy.on = False

    def _heed_request(self, connection: http.client.HTTPConnection, data: object) -> None:
        if not isinstance(data, (bytes, bytearray)):
            return
        match = _REQUEST.match(data)
        if match is not None:
            name = request_name(match[1].decode(), match[2].decode("ascii", "replace"))
            if self.meet("request", name) is not None:
                self._dying.add(connection.sock)

    def _heed_file(self, verb: str, path: object) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return
        text = os.fsdecode(path)
        place = os.path.join(self._home, text)  # noqa: PTH118
        if place.startswith(self._home + os.sep):
            name = file_name(place[len(self._home) + 1 :])
            if self.meet("file", f"{verb} {name}") is not None:
                die()

    def install(self) -> None:
        """From here on."""
        # `-after` needs to know of the answer, which is seen when its first bytes were read.
        receive = socket.socket.recv

        def recv(connection: socket.socket, *arguments: Any) -> bytes:
            data = receive(connection, *arguments)
            if data and connection in self._dying:
                die()
            return data

        setattr(socket.socket, "recv", recv)  # noqa: B010
        os.write = self._intercept_write
        setattr(os, "fsync", self._intercept_fsync)  # noqa: B010
        sys.addaudithook(self.heed)

    def _intercept_write(self, number: int, data: Any, /) -> int:
        path = self._path_of(number)
        if path is None:
            return self._write(number, data)
        # Several lines at once may be cut off anywhere: each of them is a point.
        done = 0
        for line in bytes(data).splitlines(keepends=True):
            when = self.meet("journal", journal_name(path, line), dies=False)
            if when is not None:
                cut = {"before": 0, "torn": len(line) // 2, "after": len(line)}[when]
                self._write(number, data[: done + cut])
                die()
            done += len(line)
        return self._write(number, data)

    def _intercept_fsync(self, number: Any, /) -> None:
        target = number if isinstance(number, int) else number.fileno()
        path = self._path_of(target)
        if path is not None and self.meet("file", f"fsync {file_name(path)}") is not None:
            die()
        _fsync(number)

    def _path_of(self, number: int) -> str | None:
        """The file of the user's folder that a descriptor is of."""
        try:
            path = os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115
        except OSError:
            return None
        home = self._home + os.sep
        return path[len(home) :] if path.startswith(home) else None


_fsync = os.fsync


def die() -> None:
    """Nothing comes after this: no handler runs, no buffer is written."""
    os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait()


def request_name(method: str, target: str) -> str:
    """`Batch POST /jobs`, `Blob PUT output/<blob>`: the same for every run."""
    parts = urlsplit(target)
    account, _, rest = unquote(parts.path).lstrip("/").partition("/")
    queries = [each for each in parts.query.split("&") if each.startswith(("restype=", "comp="))]
    query = f"?{'&'.join(queries)}" if queries else ""
    if "batch" in account:
        path = _GUID.sub("<guid>", _RUN.sub("<run>", rest))
        path = re.sub(r"tasks/\d+", "tasks/<task>", path)
        path = re.sub(r"nodes/[^/]+", "nodes/<node>", path)
        return f"Batch {method} /{path}"
    container, _, blob = rest.partition("/")
    role = _RUN.sub("<run>", container)
    return f"Blob {method} {role}{'/<blob>' if blob else ''}{query}"


def file_name(path: str) -> str:
    """A path of the user's folder, the same for every run."""
    path = _RUN.sub("<run>", path)
    path = re.sub(r"logs/\d+", "logs/<task>", path)
    path = re.sub(r"-[0-9a-f]{32}\.partial", "-<digest>.partial", path)
    path = re.sub(r"-[0-9a-f]{16}\b", "-<digest>", path)
    head, slash, _ = path.partition("out/output/")
    if slash and not path.endswith(".partial"):
        return f"{head}{slash}<output>"
    return path


def journal_name(path: str, data: bytes) -> str:
    """`events.jsonl task.added`."""
    try:
        kind = json.loads(data)["type"]
    except (ValueError, KeyError, TypeError):
        kind = ""
    return f"{path.rpartition('/')[2]} {kind}".strip()


def main() -> int:
    """The command line, with orders from the environment."""
    orders = json.loads(os.environ.pop(VARIABLE))
    Victim(orders).install()
    from runner.cli.main import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
