"""Keeps what commands of nodes printed that failed there: the nodes are gone before anybody asks.

It must not know why a command failed, nor who looks at what is kept.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from urllib.parse import quote

from runner.run.records.journal import Journal
from runner.run.services import Batch

START_TASK, PREPARATION = "start-task", "job-preparation"
STREAMS = ("stdout", "stderr")
MOST_BYTES = 1024 * 1024
"""So much of the end of a log is kept, and shown."""
_TAIL_BYTES = 4_000
# Where a command fails on a thousand nodes, it fails alike.
_MOST_NODES = 20


def node_log_path(directory: Path, command: str, node: str, stream: str) -> Path:
    """Where a run's directory has what a command printed on a node."""
    return directory / "logs" / command / quote(node, safe="") / f"{stream}.txt"


class NodeLogs:
    """Of the nodes of one pool."""

    def __init__(self, batch: Batch, journal: Journal, pool_id: str) -> None:
        self._batch = batch
        self._journal = journal
        self._pool_id = pool_id
        self._kept = 0

    def keep(self, command: str, node: str, folder: str) -> str:
        """Keeps both streams of a command; the end of its standard error, in some lines.

        `folder` is where the node has them, below its root. Of many nodes only those that come
        first are kept whole.
        """
        self._kept += 1
        if self._kept > _MOST_NODES:
            log = self._batch.read_node_log(
                self._pool_id, node, f"{folder}/stderr.txt", _TAIL_BYTES
            )
        else:
            for stream in STREAMS:
                log = self._batch.read_node_log(
                    self._pool_id, node, f"{folder}/{stream}.txt", MOST_BYTES
                )
                self._write(command, node, stream, log)
        tail = self._clean(log[-_TAIL_BYTES:], cut=len(log) >= _TAIL_BYTES)
        return tail.decode("utf-8", "replace")

    def _write(self, command: str, node: str, stream: str, log: bytes) -> None:
        path = node_log_path(self._journal.directory, command, node, stream)
        # A full disk must not keep the failure from being told.
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._clean(log, cut=len(log) >= MOST_BYTES))

    def _clean(self, log: bytes, *, cut: bool) -> bytes:
        """The end of a log, whose beginning may be the rest of a secret."""
        return self._journal.redaction.tail(log, cut=cut)
