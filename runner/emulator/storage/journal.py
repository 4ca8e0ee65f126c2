"""Gathers changes of records and commits them together before anybody is told of them.

It must not know what the records mean, nor how they lie on disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from runner.emulator.storage.database import DOCUMENT, Changes, Database, Kind, StorageError

logger = logging.getLogger(__name__)

_LATER_SECONDS = 1.0
"""How long a change may wait that nobody has been promised, and when a failed commit is tried
again."""
_PATIENCE_SECONDS = 0.05
"""How long changes wait for others that nobody has asked for, and nobody has seen."""
_PAUSE_SECONDS = 0.005
"""How long others have their turn before more is taken out of what belongs to nobody any more."""
_LONGEST_LOG = 2000
"""After how many rows, about, the log is folded into the file: it has a few megabytes by then."""
_MOST_FOLDS = 16
"""How often it may grow on meanwhile."""

Address = tuple[type, str, str]


class Journal:
    """Of one asyncio loop. All that changes within one turn of it is one transaction.

    A turn ends with a whole change, so that no transaction holds half of one.
    """

    def __init__(
        self, path: Path, kinds: tuple[Kind, ...], *, first: Callable[[], bool] | None = None
    ) -> None:
        """Before each transaction `first` is called: whether all that it may tell of is on disk.

        Where that is not so, the transaction fails as if this file could not be written.
        """
        self._first = first
        self._path = path
        self._kinds = {kind.of: kind for kind in kinds}
        self._database = Database(path, kinds)
        self._pending: dict[Address, tuple[Any, bool]] = {}
        """The record, None where it is gone; and whether its document has changed."""
        self._lazy: dict[Address, Any] = {}
        self._owners: list[tuple[type, str]] = []
        self._afterwards: list[Callable[[], None]] = []
        self._committed: asyncio.Future[None] | None = None
        self._soon: asyncio.Handle | None = None
        self._later: asyncio.TimerHandle | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self._folder: ThreadPoolExecutor | None = None
        self._folding = False
        self._folds = 0
        """How often, one after the other, the log has grown while it was folded."""

    def load(self, of: type) -> Iterator[Any]:
        """The records of a kind in the order of their making; raises `StorageError`."""
        return self._database.load(of)

    def put(self, record: Any, before: Any = None) -> None:
        """A record is new, or takes the place of `before`."""
        address = self._address(record)
        self._lazy.pop(address, None)
        with_document = before is None or (
            getattr(before, DOCUMENT, None) is not getattr(record, DOCUMENT, None)
        )
        if not with_document and address in self._pending:
            with_document = self._pending[address][1]
        self._pending[address] = (record, with_document)
        self._commit_soon()

    def put_lazily(self, record: Any) -> None:
        """A known record has changed in what may be lost; its document is the same."""
        address = self._address(record)
        if address in self._pending:
            self._pending[address] = (record, self._pending[address][1])
            return
        self._lazy[address] = record
        if self._later is None:
            loop = asyncio.get_running_loop()
            self._later = loop.call_later(_LATER_SECONDS, self._hurry)

    def delete(self, record: Any) -> None:
        """A record is gone."""
        self.delete_at(*self._address(record))

    def delete_at(self, of: type, owner: str, key: str) -> None:
        """The record of a kind that has this address is gone."""
        address = (of, owner, key)
        self._lazy.pop(address, None)
        self._pending[address] = (None, False)
        self._commit_soon()

    def delete_owner(self, of: type, owner: str) -> None:
        """All records of a kind that belong to an owner are gone."""
        for changes in (self._pending, self._lazy):
            for address in [each for each in changes if each[0] is of and each[1] == owner]:
                del changes[address]
        self._owners.append((of, owner))
        self._commit_soon()

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Calls back once all changes so far are on disk; in order."""
        self._afterwards.append(callback)
        self._commit_now()

    def is_on_disk(self, record: Any) -> bool:
        """Whether a record that was put, and not changed or deleted since, has been committed."""
        return self._address(record) not in self._pending

    @property
    def changed(self) -> bool:
        """Whether there are changes that are not on disk, but for those that may be lost."""
        return bool(self._pending or self._owners)

    @property
    def waiting(self) -> bool:
        """Whether something is to be called back."""
        return bool(self._afterwards)

    async def settled(self) -> None:
        """Returns once all changes so far are on disk; raises `StorageError` where they cannot be.

        They are in memory then, and are tried again with the next.
        """
        if self.changed:
            self._commit_now()
        if self._committed is not None:
            await asyncio.shield(self._committed)

    def commit(self) -> bool:
        """Writes what is pending; whether it is on disk.

        A failure goes to those who wait, too; what is pending stays so, and is tried again.
        """
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        committed, self._committed = self._committed, None
        try:
            self._write()
        except Exception as error:
            if isinstance(error, StorageError):
                logger.error("%s", error)  # noqa: TRY400 - the line says it all
            else:
                logger.exception("changes could not be written")
            if committed is not None and not committed.done():
                committed.set_exception(error)
                # Where nobody waits, it has been logged.
                committed.exception()
            self._soon = asyncio.get_running_loop().call_later(_LATER_SECONDS, self.commit)
            return False
        self._tidy()
        if committed is not None and not committed.done():
            committed.set_result(None)
        afterwards, self._afterwards = self._afterwards, []
        for callback in afterwards:
            try:
                callback()
            except Exception:
                logger.exception("what follows from a change could not be done")
        return True

    def close(self) -> None:
        """Commits all that is left and closes the file; raises `StorageError`."""
        for handle in (self._soon, self._later, self._sweep):
            if handle is not None:
                handle.cancel()
        self._soon = self._later = None
        if self._folder is not None:
            self._folder.shutdown()
        try:
            self._take_lazy()
            self._write()
        finally:
            self._database.close()

    def _address(self, record: Any) -> Address:
        kind = self._kinds[type(record)]
        return (kind.of, *kind.address(record))

    def _commit_soon(self) -> None:
        """What changes may wait a moment for more to change, until somebody asks."""
        if self._soon is None:
            loop = asyncio.get_running_loop()
            self._soon = loop.call_later(_PATIENCE_SECONDS, self.commit)

    def _commit_now(self) -> None:
        """At the end of this turn of the loop, behind what was begun in it."""
        if self._committed is None:
            loop = asyncio.get_running_loop()
            self._committed = loop.create_future()
            if self._soon is not None:
                self._soon.cancel()
            self._soon = loop.call_soon(self.commit)

    def _hurry(self) -> None:
        self._later = None
        self._take_lazy()
        self._commit_now()

    def _take_lazy(self) -> None:
        for address, record in self._lazy.items():
            self._pending[address] = (record, False)
        self._lazy.clear()

    def _write(self) -> None:
        if not self.changed:
            return
        if self._first is not None and not self._first():
            raise StorageError(f"{self._path} is not written before what it tells of")
        pending = self._pending.items()
        self._database.write(
            Changes(
                owners=tuple(self._owners),
                gone=tuple(at for at, (record, _) in pending if record is None),
                put=tuple(
                    (owner, key, record, with_document)
                    for (_, owner, key), (record, with_document) in pending
                    if record is not None
                ),
            )
        )
        self._pending.clear()
        self._owners.clear()

    def _tidy(self) -> None:
        """Has done later, or in a thread, what a commit need not wait for."""
        loop = asyncio.get_running_loop()
        if self._database.leaving and self._sweep is None:
            self._sweep = loop.call_later(_PAUSE_SECONDS, self._sweep_some)
        if self._database.unfolded >= _LONGEST_LOG and not self._folding:
            self._folding = True
            self._database.unfolded = 0
            if self._folder is None:
                self._folder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fold")
            folded = loop.run_in_executor(self._folder, self._database.fold)
            folded.add_done_callback(self._note_folded)

    def _sweep_some(self) -> None:
        self._sweep = None
        try:
            self._database.take_some()
        except StorageError as error:
            logger.error("%s", error)  # noqa: TRY400 - the line says it all
            loop = asyncio.get_running_loop()
            self._sweep = loop.call_later(_LATER_SECONDS, self._sweep_some)
        else:
            self._tidy()

    def _note_folded(self, folded: asyncio.Future[bool]) -> None:
        self._folding = False
        try:
            self._folds = 0 if folded.result() else self._folds + 1
            if self._folds >= _MOST_FOLDS:
                # There has never been a moment without changes: now there is.
                self._folds = 0
                self._database.fold_all()
        except StorageError as error:
            logger.error("%s", error)  # noqa: TRY400 - the line says it all
