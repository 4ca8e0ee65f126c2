"""What of a Batch account is kept on disk, and how it comes back when the emulator starts.

It must not know what follows from the records for what was under way (`core.recovery`).
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import get_args

from runner.emulator.batch.core.ids import key_of
from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.jobnode import JobNode
from runner.emulator.batch.core.node import Node
from runner.emulator.batch.core.pool import Pool
from runner.emulator.batch.core.schedule import JobSchedule
from runner.emulator.batch.core.store import Record, Store
from runner.emulator.batch.core.task import SatisfiedTask, Task
from runner.emulator.batch.node.directories import remove_tree
from runner.emulator.batch.removals import Removal
from runner.emulator.storage.database import Kind
from runner.emulator.storage.journal import Journal
from runner.emulator.storage.jsontext import Text
from runner.emulator.storage.record import replace

logger = logging.getLogger(__name__)


def _by_id(record: Pool | Job | JobSchedule) -> tuple[str, str]:
    return "", key_of(record.id)


def _in_pool(node: Node) -> tuple[str, str]:
    return key_of(node.pool), key_of(node.id)


def _in_job(task: Task) -> tuple[str, str]:
    return key_of(task.job), key_of(task.id)


def _of_satisfied(task: SatisfiedTask) -> tuple[str, str]:
    return key_of(task.job), key_of(task.task)


def _of_job_node(record: JobNode) -> tuple[str, str]:
    return key_of(record.job), key_of(record.node)


def _of_removal(removal: Removal) -> tuple[str, str]:
    return key_of(removal.node), removal.folder


KINDS = (
    Kind(of=Pool, address=_by_id),
    Kind(of=Node, address=_in_pool),
    Kind(of=Job, address=_by_id),
    Kind(of=JobNode, address=_of_job_node),
    Kind(of=JobSchedule, address=_by_id),
    Kind(of=SatisfiedTask, address=_of_satisfied),
    Kind(of=Task, address=_in_job, document=Text),
    Kind(of=Removal, address=_of_removal),
)
"""In the order in which they are read: a record comes after those that it needs."""


def restore(store: Store, journal: Journal) -> None:
    """Reads all records, and has the store keep what changes; raises `StorageError`."""
    for kind in KINDS:
        if kind.of is SatisfiedTask:
            for satisfied in journal.load(SatisfiedTask):
                store.tasks(satisfied.job).note_satisfied(key_of(satisfied.task))
        elif kind.of in get_args(Record):
            for record in journal.load(kind.of):
                if isinstance(record, Task):
                    packed = store.tasks(record.job).pack(record.document)
                    record = replace(record, document=packed)
                store.put(record)
    store.keep(journal)


def remove_strangers(store: Store, nodes: Path) -> None:
    """Removes folders of nodes that no record knows: of a version that kept none."""
    known = {node.id for pool in store.pools for node in store.nodes(pool.id)}
    for path in nodes.iterdir():
        if path.name not in known:
            try:
                remove_tree(path)
            except OSError as error:
                logger.warning("%s could not be removed: %s", path, error)
