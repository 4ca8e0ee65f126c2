"""The pools that are made with jobs and schedules, or why they are not.

It must not know what jobs do with them.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.batch.core.ids import JobId, PoolId
from runner.emulator.batch.core.job import AutoPool, SchedulingError
from runner.emulator.batch.core.pools import create_pool
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.state import State
from runner.emulator.batch.node.launch import FailureCategory

QUOTA_REACHED = SchedulingError(
    category=FailureCategory.USER_ERROR,
    code="AutoPoolCreationFailedWithQuotaReached",
    message="The pool quota for the account is reached.",
)


def make_auto_pool(
    state: State, now: datetime, where: AutoPool, *, auto_pool_of: JobId | None
) -> tuple[PoolId, SchedulingError | None]:
    """Makes the pool that a job or a schedule asks for; its id, and why there is none with it."""
    pool = PoolId(where.prefix + state.names.guid().upper())
    if where.fault is not None:
        return pool, where.fault
    try:
        create_pool(state, now, pool, where.draft, auto_pool_of=auto_pool_of)
    except RefusedError as refused:
        if refused.reason is not Reason.POOL_QUOTA_REACHED:
            raise
        return pool, QUOTA_REACHED
    return pool, None
