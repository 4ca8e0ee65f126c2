"""Which files came home of the tasks of a trace, each counted once.

It must not know how tasks ended, nor what is shown of their files.
"""

from __future__ import annotations

from runner.report.trace import Files, OutputFile, TaskRow
from runner.run.events import OutputDownloaded

FILES_KEPT = 20
"""So many outputs of a task are kept by name; of a task that leaves more, the rest is counted."""


class TraceOutputs:
    """Those of all tasks, of each those that were told last, as `Deliveries` counts them."""

    def __init__(self, files: dict[str, Files]) -> None:
        """`files` takes the sums by container."""
        self._files = files
        self._life = 0
        self._lives: dict[str, int] = {}
        """By task, in which life of the run its files were told; not of those in the first."""
        self._unnamed: dict[str, dict[str, Files]] = {}
        """By task, those beyond the ones that are kept by name, by container."""

    def begin_again(self) -> None:
        """The run was taken up again: of a task whose files are told from here on, all are."""
        self._life += 1

    def add(self, row: TaskRow, event: OutputDownloaded) -> None:
        """One more file of a task."""
        if self._lives.get(row.id, 0) != self._life:
            self._forget(row)
            self._lives[row.id] = self._life
        row.output_files += 1
        row.output_bytes += event.bytes
        _count(self._files, event.role, 1, event.bytes)
        if len(row.outputs) < FILES_KEPT:
            row.outputs.append(OutputFile(role=event.role, blob=event.blob, bytes=event.bytes))
        else:
            _count(self._unnamed.setdefault(row.id, {}), event.role, 1, event.bytes)

    def _forget(self, row: TaskRow) -> None:
        """What an earlier life of the run told of a task is void."""
        for each in row.outputs:
            _count(self._files, each.role, -1, -each.bytes)
        for role, files in self._unnamed.pop(row.id, {}).items():
            _count(self._files, role, -files.count, -files.bytes)
        row.outputs.clear()
        row.output_files = row.output_bytes = 0


def _count(files: dict[str, Files], role: str, count: int, size: int) -> None:
    found = files.setdefault(role, Files())
    found.count += count
    found.bytes += size
