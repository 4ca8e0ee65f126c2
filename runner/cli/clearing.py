"""What a run deletes of the user's before it begins, as a word beforehand.

It deletes nothing itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from runner.plan.model import ContainerPlan, InputFile, Plan
from runner.report.as_text import plural
from runner.run.services import Blobs
from runner.spec.model.workload import IfNotEmpty, OwnContainer


def clearing_notes(plan: Plan, blobs: Blobs) -> Iterator[str]:
    """A line for each container that is cleared and holds blobs which the run does not bring up.

    Raises `ServiceError` where the service cannot say what is in it.
    """
    for policy in plan.workload.containers:
        if not isinstance(policy, OwnContainer) or policy.if_not_empty is not IfNotEmpty.CLEAR:
            continue
        container = plan.container(policy.role)
        if container.is_made or not blobs.has_container(container.name):
            continue
        count = sum(
            not _brings(container, blob.name) for blob in blobs.list_blobs(container.name, "")
        )
        if count:
            yield (
                f"note: container `{container.name}` is cleared first: {plural(count, 'blob')} that"
                " this run does not bring up will be gone"
            )


def _brings(container: ContainerPlan, name: str) -> bool:
    """Whether the plan has a file of this name, found without a table of all of them."""
    files = container.files
    index = bisect_left(files, name, key=_blob)
    return index < len(files) and files[index].blob == name


def _blob(file: InputFile) -> str:
    return file.blob
