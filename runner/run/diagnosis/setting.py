"""What the findings about a spec are judged by, and how they get their places in it.

It must not know what a spec asks for.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from runner.errors import BatchRunError
from runner.frozen import dataclass
from runner.run.diagnosis.finding import Finding
from runner.run.diagnosis.rights import Access, not_known, of_refusal
from runner.spec.document import Pointer
from runner.spec.model.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the answers to a spec's questions are judged by.

    `signed_for` is how long signatures live; None where it is long enough.
    """

    batch: Access
    storage: Access
    signed_for: timedelta | None
    is_local: bool
    batch_unknown: str | None = None
    """Why nothing can be known of the Batch account; None where it answers."""
    storage_unknown: str | None = None
    takes_admin: bool = True
    """Whether admins may do what they like on a node: on Azure always."""
    now: datetime


def at(workload: Workload, pointer: Pointer, finding: Finding) -> Finding:
    """The finding, with its place in the spec."""
    problem = workload.document.problem(
        pointer, code=finding.check, message=finding.seen, hint=finding.fix or None
    )
    return replace(finding, problem=problem)


def of_batch(check: str, error: BatchRunError, setting: Setting) -> Finding:
    """What Batch did not answer; what keeps it from all answers was told already."""
    if setting.batch_unknown is not None:
        return not_known(check, setting.batch_unknown)
    return of_refusal(check, error, setting.batch)
