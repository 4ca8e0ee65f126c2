"""Finds the results of earlier runs by what tasks were made of, or by what they are called.

It reads a file of lines and keeps a few bytes for each; it must not know tasks or plans.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from runner.errors import UsageError, describe_os_error
from runner.plan.digest_table import DigestTable
from runner.run.results.entries import (
    UNKNOWN_IDENTITY,
    Result,
    name_digest,
    read_head,
    read_mark,
    result_from_line,
)


class ResultsIndex:
    """The results of a file as it was when this was made; of two of one identity the last counts.

    Lines that are damaged are passed over: what they told is not known, so the task runs again.
    """

    def __init__(self, path: Path) -> None:
        """Raises `UsageError` where the file is there and cannot be read."""
        self._path = path
        self._lock = threading.Lock()
        self._by_identity = DigestTable()
        self._by_name = DigestTable()
        self.offsets = array("Q")
        """Where each line begins, in the order of the file."""
        self.kept = 0
        """How many lines were left when those that said nothing any more were dropped."""
        self._stream: BinaryIO | None = None
        try:
            self._stream = path.open("rb")
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unreadable(path, error) from error
        try:
            self._read()
        except OSError as error:
            self._stream.close()
            raise _unreadable(path, error) from error

    def __len__(self) -> int:
        return len(self.offsets)

    def close(self) -> None:
        """Gives the file back."""
        if self._stream is not None:
            self._stream.close()

    def find(self, identity: bytes) -> int | None:
        """Where the last result of an identity stands, if it is a good one; else None."""
        if identity == UNKNOWN_IDENTITY:
            return None
        for offset in reversed(list(self._by_identity.find(identity))):
            mark = read_mark(self.line(offset))
            if mark is not None and mark.identity == identity:
                return offset if mark.succeeded else None
        return None

    def find_name(self, step: str, item: str) -> Result | None:
        """The last result, good or bad, of a task that was called so."""
        for offset in reversed(list(self._by_name.find(name_digest(step, item)))):
            result = self.result(offset)
            if result is not None and (result.step, result.item) == (step, item):
                return result
        return None

    def result(self, offset: int) -> Result | None:
        """The result at a place that `find` gave; None where its line is damaged."""
        return result_from_line(self.line(offset))

    def results(self) -> Iterator[Result]:
        """All of them, in the order of the file."""
        for offset in self.offsets:
            result = self.result(offset)
            if result is not None:
                yield result

    def line(self, offset: int) -> bytes:
        """The line that begins there."""
        assert self._stream is not None  # nothing is found in a file that is not there
        with self._lock:
            self._stream.seek(offset)
            return self._stream.readline()

    def _read(self) -> None:
        assert self._stream is not None
        offset = 0
        for line in self._stream:
            mark = read_mark(line)
            if mark is not None:
                if mark.identity != UNKNOWN_IDENTITY:
                    self._by_identity.add(mark.identity, offset)
                self._by_name.add(mark.name, offset)
                self.offsets.append(offset)
            elif offset == 0:
                self.kept = read_head(line)
            offset += len(line)


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"cannot read `{path}`: {describe_os_error(error)}",
        hint="it says which tasks need not run again; without it all of them do",
    )
