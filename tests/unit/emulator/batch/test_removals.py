"""Folders that are to go: in the end they do, unless they are used again."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from runner.emulator.batch.core.ids import NodeId
from runner.emulator.batch.keeping import KINDS
from runner.emulator.batch.node.containment import NodeFolder
from runner.emulator.batch.node.directories import remove_folder
from runner.emulator.batch.removals import Removal, Removals
from runner.emulator.storage.journal import Journal

NODE = NodeId("node")
TASK = Removal(node=NODE, folder="workitems/job/job-1/task")


class Blocked:
    """A place for nodes in which the folder of a task cannot be removed at first."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.folder = directory / "nodes" / NODE / TASK.folder
        self.folder.mkdir(parents=True)
        self._is_blocked = True

    def unblock(self) -> None:
        self._is_blocked = False

    def _remove(self, folder: NodeFolder) -> None:
        """What the permissions of a disk do to an ordinary user; root knows no such bounds."""
        if self._is_blocked:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        remove_folder(folder)

    def opened(self) -> tuple[Removals, Journal]:
        journal = Journal(self.directory / "state.db", KINDS)
        return Removals(self.directory / "nodes", journal, remove=self._remove), journal


async def try_once(removals: Removals, journal: Journal) -> None:
    """A removal as it is announced, tried and noted."""
    removals.announce(TASK)
    gone = await asyncio.to_thread(removals.carry_out, TASK)
    assert not gone
    removals.note_done(TASK, gone=gone)
    await journal.settled()


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, timeout=60))


def test_what_could_not_be_removed_is_tried_again_at_the_next_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        blocked = Blocked(tmp_path)
        removals, journal = blocked.opened()
        await try_once(removals, journal)
        journal.close()
        removals, journal = blocked.opened()
        removals.resume()
        await journal.settled()
        journal.close()
        blocked.unblock()
        assert blocked.folder.is_dir()
        removals, journal = blocked.opened()
        removals.resume()
        await journal.settled()
        assert not blocked.folder.exists()
        assert list(journal.load(Removal)) == []
        journal.close()

    run(story())
    assert len(caplog.records) == 2
    assert all("could not be removed: " in record.message for record in caplog.records)


@pytest.mark.parametrize(
    ("used", "stays"),
    [
        (TASK.folder, True),
        (f"{TASK.folder}/wd", True),
        (f"{TASK.folder}-2", False),
        ("workitems/job", False),
    ],
)
def test_what_is_used_again_is_not_removed_later(tmp_path: Path, used: str, stays: bool) -> None:
    async def story() -> None:
        blocked = Blocked(tmp_path)
        removals, journal = blocked.opened()
        await try_once(removals, journal)
        removals.give_up(NODE, used)
        removals.give_up(NodeId("other"), TASK.folder)
        await journal.settled()
        journal.close()
        blocked.unblock()
        removals, journal = blocked.opened()
        removals.resume()
        journal.close()
        assert blocked.folder.exists() is stays

    run(story())
