"""What a run leaves for whoever takes it up again, by the names that it had written down.

It asks no service: none may be there to answer.
"""

from __future__ import annotations

from runner.run.events import CleanupFinished, LeftBehind
from runner.run.submit import Submission


def leave_for_later(
    submission: Submission,
    pool_id: str | None,
    *,
    outlives_client: bool,
    is_scheduled: bool = False,
) -> CleanupFinished:
    """Nothing is deleted; what may be there is named, and what takes it up again.

    One that `is_scheduled` has no job of its own, and its pools go with the schedule's jobs.
    """
    run = submission.job_id
    why = f"batch-run resume {run} goes on with it, batch-run clean {run} takes it away"
    if not outlives_client:
        kept = LeftBehind(kind="local state of run", name=run, why=why, kept=True)
        return CleanupFinished(deleted=(), left=(kept,))
    names = [("job schedule" if is_scheduled else "job", submission.job_id)]
    if submission.used_pool is None and not is_scheduled:
        pool = pool_id or submission.kept_pool or f"{submission.pool_prefix}*"
        names.append(("pool", pool))
    names.extend(("container", name) for _, name in submission.containers)
    return CleanupFinished(
        deleted=(),
        left=tuple(LeftBehind(kind=kind, name=name, why=why, kept=True) for kind, name in names),
    )
