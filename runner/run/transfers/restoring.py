"""Finds what is in a run's containers already, and brings back what other tasks still need there.

It is for a run that is taken up again, or that leaves out what an earlier one has done. It must not
know how either came about.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from runner.plan.model import Plan
from runner.run.feed import Feeder
from runner.run.parallel import run_together
from runner.run.records.past import Past, shared_roles
from runner.run.results.settled import Settled
from runner.run.services import Blobs
from runner.run.submit import Submission
from runner.run.transfers.uploads import TRANSFERS, has_uploads


def recognise_uploads(
    plan: Plan, submission: Submission, past: Past, feeder: Feeder, blobs: Blobs
) -> None:
    """Files that an earlier client of the same run has brought up do not go up again.

    A blob is written whole or not at all, so its size tells enough where the container is the
    run's own; in one that was there before, only a blob that the journal speaks of is the run's.
    """
    reused = {role for role, _ in submission.reused}
    for container in filter(has_uploads, plan.containers):
        sizes = {blob.name: blob.size_bytes for blob in blobs.list_blobs(container.name, "")}
        names = (
            file.blob
            for file in container.files
            if sizes.get(file.blob) == file.size_bytes
            and (container.role not in reused or (container.role, file.blob) in past.uploaded)
        )
        feeder.recognise(container.role, frozenset(names))


def restore_outputs(plan: Plan, settled: Settled, blobs: Blobs, check: Callable[[], None]) -> None:
    """Outputs of settled tasks that tasks may need, from home; `check` may raise to end it."""
    if not len(settled) or settled.is_complete:
        return
    for role in sorted(shared_roles(plan.workload)):
        outputs = settled.outputs(role)
        if not outputs:
            continue
        container = plan.container_name(role)
        sizes = {blob.name: blob.size_bytes for blob in blobs.list_blobs(container, "")}
        calls = (
            partial(blobs.upload_file, container, output.blob, output.path)
            for output in outputs
            if sizes.get(output.blob, -1) != _size(output.path)
        )
        run_together(calls, threads=TRANSFERS, check=check)


def _size(path: Path) -> int | None:
    """In bytes; None where it cannot be told: bringing the file up will say why."""
    try:
        return path.stat().st_size
    except OSError:
        return None
