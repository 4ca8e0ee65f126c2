"""What the tasks of a job have in common on a node: put together once, and kept while it holds.

It must not know what a single task is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runner.emulator.batch.core.cores import cores_of
from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.folders import task_folder, tasks_folder
from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.node import Node
from runner.emulator.batch.core.pool import Pool
from runner.emulator.batch.launching.images import node_image
from runner.emulator.batch.launching.memory import memory_of
from runner.emulator.batch.launching.place import Place
from runner.emulator.batch.launching.trust import trust_variables
from runner.emulator.batch.launching.variables import node_variables, settings
from runner.emulator.batch.node.isolation import Size
from runner.emulator.storage.record import record

_MOST_KEPT = 1024


@record(frozen=True, slots=True, kw_only=True)
class Base:
    """Of a node, and of a job where there is one.

    Variables of a command's own go behind `first`, those of `last` behind these. `preparation` is
    what tasks of the job are told of that.
    """

    root: Path
    tasks: Path
    """Where the folders of the job's tasks are; the node's root where there is no job."""
    image: str
    size: Size
    first: Mapping[str, str]
    last: Mapping[str, str]
    preparation: Mapping[str, str]
    runs_containers: bool


class Bases:
    """Those that were asked for last; documents are never changed in place, so they tell."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._kept: dict[tuple[str, str], tuple[Document, Document | None, bool, Base]] = {}

    def find(self, job: Job | None, pool: Pool, node: Node) -> Base:
        """The base of a node's tasks, those of a job or of none."""
        key = (node.id, "" if job is None else job.id)
        declared = None if job is None else job.document
        known = self._kept.get(key)
        if known is not None:
            of_pool, of_job, dedicated, base = known
            if of_pool is pool.document and of_job is declared and dedicated == node.dedicated:
                return base
        base = _make(self.place, job, pool, node)
        if len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (pool.document, declared, node.dedicated, base)
        return base


def _make(place: Place, job: Job | None, pool: Pool, node: Node) -> Base:
    of_job = {} if job is None else settings(job.document.get("commonEnvironmentSettings", ()))
    name = pool.document["vmSize"]
    root = place.directories(node).root
    return Base(
        root=root,
        tasks=root if job is None else root / tasks_folder(job.id),
        image=node_image(pool),
        size=Size(memory_bytes=memory_of(name), cores=cores_of(name)),
        first={**trust_variables(place, node), **of_job},
        last=node_variables(place, pool, node),
        preparation={} if job is None else _preparation_folder(place, job, node),
        runs_containers="containerConfiguration"
        in pool.document.get("virtualMachineConfiguration", {}),
    )


def _preparation_folder(place: Place, job: Job, node: Node) -> dict[str, str]:
    """What the tasks of a job with a preparation are told of it."""
    command = job.document.get("jobPreparationTask")
    if command is None:
        return {}
    directory = place.directories(node).root / task_folder(job.id, command["id"])
    return {
        "AZ_BATCH_JOB_PREP_DIR": str(directory),
        "AZ_BATCH_JOB_PREP_WORKING_DIR": str(directory / "wd"),
    }
