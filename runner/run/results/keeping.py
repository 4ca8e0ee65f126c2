"""Whether what tasks leave outlasts their run, and whether it is still there and whole.

It must not know what tasks are made of, nor what is decided by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path

from runner.plan.file_digests import FileDigests
from runner.plan.input_digests import ListBlobs
from runner.plan.model import OutputPlan, Plan, TaskPlan
from runner.run.results.entries import KeptOutput, Result
from runner.spec.model.step import Step, UploadCondition
from runner.spec.model.terms import Role
from runner.spec.model.workload import IfNotEmpty, OwnContainer

# Blob Storage tells times in whole seconds, and its clock is not that of Azure Batch.
_CLOCK_MARGIN = timedelta(seconds=5)


class Place(Enum):
    """Where the files of a container are once a run is over."""

    HOME = "home"
    """In the output directory."""
    SERVICE = "service"
    """In a container of the user's naming, and there alone."""
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays of the outputs of a step's tasks."""

    some: bool
    all: bool
    """Nothing of them is missing for tasks that need them."""


class Keeping:
    """The outputs of one plan's tasks, as they were left by earlier runs."""

    def __init__(
        self,
        plan: Plan,
        files: FileDigests,
        *,
        output_directory: Path,
        is_local: bool,
        list_blobs: ListBlobs | None,
    ) -> None:
        """`list_blobs` lists containers of the target; None where it cannot be asked."""
        self._plan = plan
        self._files = files
        self._output_directory = output_directory
        self._list_blobs = list_blobs
        self._places = {
            each.role: _place(each, is_local=is_local)
            for each in plan.workload.containers
            if isinstance(each, OwnContainer)
        }
        self._written: dict[Role, Mapping[str, datetime | None]] = {}

    def of_step(self, step: Step) -> Kept:
        """What stays of what its tasks leave when they succeed."""
        places = [
            self._places.get(output.to, Place.NOWHERE)
            for output in step.outputs
            if output.when is not UploadCondition.FAILURE
        ]
        return Kept(
            some=any(each is not Place.NOWHERE for each in places),
            all=bool(places) and all(each is not Place.NOWHERE for each in places),
        )

    def is_home(self, step: Step) -> bool:
        """Whether all that its tasks leave is in the output directory."""
        outputs = [each for each in step.outputs if each.when is not UploadCondition.FAILURE]
        return bool(outputs) and all(self._places.get(each.to) is Place.HOME for each in outputs)

    def path(self, output: KeptOutput) -> Path:
        """Where a file is now."""
        return self._output_directory / output.path

    def fault(self, output: KeptOutput, md5: bytes | None) -> str | None:
        """What is wrong with a file that was kept and has this MD5 now; None if it is whole."""
        shown = f"{output.role}/{output.blob}"
        if md5 is None:
            return f"its output `{shown}` is missing"
        if md5.hex() != output.md5:
            return f"its output `{shown}` is not as it was left"
        return None

    def service_fault(self, task: TaskPlan, result: Result) -> str | None:
        """What is missing of a task's outputs in containers that keep them in the service."""
        for output in task.outputs:
            if output.when is UploadCondition.FAILURE:
                continue
            if self._places.get(output.role) is not Place.SERVICE:
                continue
            if not self._is_there(output, result):
                shown = f"{output.role}/{output.blob or output.path}"
                return f"its output `{shown}` is not in the service as it was left"
        return None

    def _is_there(self, output: OutputPlan, result: Result) -> bool:
        """Whether there are blobs which that very run of the task has written."""
        written = self._list(output.role)
        if output.blob is not None:
            names = [output.blob] if output.blob in written else []
        else:
            names = [name for name in written if name.startswith(f"{output.path}/")]
        return bool(names) and all(_is_of(result, written[name]) for name in names)

    def _list(self, role: Role) -> Mapping[str, datetime | None]:
        """The blobs of a container and when they were written, asked for once."""
        if role not in self._written:
            found = (
                ()
                if self._list_blobs is None
                else self._list_blobs(self._plan.container_name(role), "")
            )
            self._written[role] = {each.name: each.modified for each in found}
        return self._written[role]


def _is_of(result: Result, written: datetime | None) -> bool:
    if written is None or result.started is None or result.ended is None:
        return False
    return result.started - _CLOCK_MARGIN <= written <= result.ended + _CLOCK_MARGIN


def _place(container: OwnContainer, *, is_local: bool) -> Place:
    named = container.name is not None and not is_local
    if named and container.if_not_empty is IfNotEmpty.CLEAR:
        return Place.NOWHERE  # the next run begins with deleting it
    if container.download:
        return Place.HOME
    return Place.SERVICE if named else Place.NOWHERE
