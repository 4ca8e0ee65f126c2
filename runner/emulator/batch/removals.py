"""Remembers which folders of nodes are to go, so that a restart in between forgets none.

It must not know why they go, nor when a folder's turn comes.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from runner.emulator.batch.core.ids import NodeId
from runner.emulator.batch.node.containment import NodeFolder, parts_below
from runner.emulator.batch.node.directories import remove_folder
from runner.emulator.storage.journal import Journal
from runner.emulator.storage.record import record

logger = logging.getLogger(__name__)


@record(frozen=True, slots=True, kw_only=True)
class Removal:
    """A folder of a node that is to go; the node itself where `folder` is empty."""

    node: NodeId
    folder: str


class Removals:
    """Without a journal, what is announced ends with the process."""

    def __init__(
        self,
        nodes: Path,
        journal: Journal | None,
        *,
        remove: Callable[[NodeFolder], None] = remove_folder,
    ) -> None:
        """`remove` raises `OSError` where it cannot."""
        self._nodes = nodes
        self._journal = journal
        self._remove = remove
        self._announced: Counter[Removal] = Counter()
        self._failed: set[Removal] = set()

    def resume(self) -> None:
        """Carries out what was announced and not done before the emulator last ended."""
        if self._journal is None:
            return
        for removal in self._journal.load(Removal):
            if self.carry_out(removal):
                self._journal.delete(removal)
            else:
                self._failed.add(removal)

    def announce(self, removal: Removal) -> None:
        """Has a folder removed even if the emulator is killed before it comes to that."""
        self._announced[removal] += 1
        if self._journal is not None:
            self._journal.put(removal)

    def carry_out(self, removal: Removal) -> bool:
        """Removes the folder; whether it is gone. May be called from any thread."""
        folder = NodeFolder(self._nodes / removal.node, parts_below(removal.folder))
        try:
            self._remove(folder)
        except OSError as error:
            logger.warning("%s could not be removed: %s", folder.path, error)
            return False
        return True

    def note_done(self, removal: Removal, *, gone: bool) -> None:
        """The removal has been tried, as often as it was announced.

        One that failed stays announced, for the next start, until `give_up`.
        """
        self._announced[removal] -= 1
        if self._announced[removal] <= 0:
            del self._announced[removal]
            if gone:
                self._failed.discard(removal)
                self._forget(removal)
            else:
                self._failed.add(removal)

    def give_up(self, node: NodeId, folder: str) -> None:
        """A folder is about to be used again: what could not be removed around it before stays."""
        for removal in tuple(self._failed):
            around = not removal.folder or f"{folder}/".startswith(f"{removal.folder}/")
            if removal.node == node and around:
                self._failed.discard(removal)
                if removal not in self._announced:
                    self._forget(removal)

    def _forget(self, removal: Removal) -> None:
        if self._journal is not None:
            self._journal.delete(removal)
