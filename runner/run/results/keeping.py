"""Whether what tasks leave outlasts their run, and whether it is still there and whole.

It must not know what tasks are made of, nor what is decided by it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path

from runner.frozen import dataclass
from runner.plan.file_digests import FileDigests
from runner.plan.input_digests import ListBlobs
from runner.plan.model import OutputPlan, Plan, StoredBlob, TaskPlan
from runner.run.results.entries import KeptOutput, Result, StoredOutput
from runner.spec.model.step import Step, UploadCondition
from runner.spec.model.terms import Role
from runner.spec.model.workload import Delete, IfNotEmpty, OwnContainer

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
        self._stays = {
            each.role
            for each in plan.workload.containers
            if isinstance(each, OwnContainer) and _stays(each, is_local=is_local)
        }
        self._listed: dict[Role, _Listing] = {}

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
        """What is missing of a task's outputs in containers that keep them in the service.

        Also of those that are at home besides: the container may be another one now.
        """
        for output in task.outputs:
            if not self._is_in_service(output):
                continue
            if not self._is_there(output, result):
                shown = f"{output.role}/{output.blob or output.path}"
                return f"its output `{shown}` is not in the service as it was left"
        if self._list_blobs is None:
            return None  # what is at home is there
        for kept in result.outputs:
            role = Role(kept.role)
            if role in self._stays and self._places.get(role) is Place.HOME:
                blob = self._list(role).find(kept.blob)
                if blob is None or not _has(blob, kept.bytes, kept.md5):
                    shown = f"{kept.role}/{kept.blob}"
                    return f"its output `{shown}` is not in the service as it was left"
        return None

    def is_to_be_listed(self, task: TaskPlan) -> bool:
        """Whether only a listing says what the task has left, and nothing of it comes home."""
        return any(each.blob is None and self._is_in_service(each) for each in task.outputs)

    def list_stored(self, task: TaskPlan) -> tuple[StoredOutput, ...] | None:
        """What the service has of those outputs; None where it cannot be asked.

        A container is listed once: by whoever asks first, and for good.
        """
        if self._list_blobs is None:
            return None
        return tuple(
            StoredOutput(
                role=output.role,
                blob=blob.name,
                bytes=blob.size_bytes,
                md5=None if blob.md5 is None else blob.md5.hex(),
            )
            for output in task.outputs
            if output.blob is None and self._is_in_service(output)
            for blob in self._list(output.role).below(f"{output.path}/")
        )

    def forget_listings(self) -> None:
        """What was listed may have changed since."""
        self._listed.clear()

    def _is_in_service(self, output: OutputPlan) -> bool:
        is_kept = output.when is not UploadCondition.FAILURE
        return is_kept and self._places.get(output.role) is Place.SERVICE

    def _is_there(self, output: OutputPlan, result: Result) -> bool:
        """Whether there are the blobs which that very run of the task has written."""
        listing = self._list(output.role)
        if output.blob is not None:
            blob = listing.find(output.blob)
            return blob is not None and _is_of(result, blob.modified)
        if result.stored is None:
            return False  # it is not known how many there were
        folder = f"{output.path}/"
        there = {each.name: each for each in listing.below(folder)}
        if not there or not all(_is_of(result, each.modified) for each in there.values()):
            return False
        return all(
            each.blob in there and _has(there[each.blob], each.bytes, each.md5)
            for each in result.stored
            if each.role == output.role and each.blob.startswith(folder)
        )

    def _list(self, role: Role) -> _Listing:
        """The blobs of a container, asked for once."""
        if role not in self._listed:
            name = self._plan.container_name(role)
            found = () if self._list_blobs is None else self._list_blobs(name, "")
            self._listed[role] = _Listing(sorted(found, key=_name))
        return self._listed[role]


class _Listing:
    """The blobs of a container by their names."""

    def __init__(self, blobs: Sequence[StoredBlob]) -> None:
        """In the order of their names."""
        self._blobs = blobs

    def find(self, name: str) -> StoredBlob | None:
        first = next(self.below(name), None)
        return first if first is not None and first.name == name else None

    def below(self, prefix: str) -> Iterator[StoredBlob]:
        """Those whose names begin so."""
        for index in range(bisect_left(self._blobs, prefix, key=_name), len(self._blobs)):
            if not self._blobs[index].name.startswith(prefix):
                return
            yield self._blobs[index]


def _name(blob: StoredBlob) -> str:
    return blob.name


def _has(blob: StoredBlob, size_bytes: int, md5: str | None) -> bool:
    """Whether a blob has this content, as far as the service says so."""
    is_same = blob.md5 is None or md5 is None or blob.md5.hex() == md5
    return blob.size_bytes == size_bytes and is_same


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


def _stays(container: OwnContainer, *, is_local: bool) -> bool:
    """Whether a run leaves the container with what is in it, for whoever has named it."""
    return container.name is not None and not is_local and container.delete is Delete.NEVER
