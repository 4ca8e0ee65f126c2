"""What a spec wants that the chosen target cannot give, said before anything is asked or made.

It must not know how the target is reached.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from runner.plan.local import asks_for_images, local_obstacles
from runner.run.events import format_moment
from runner.spec.model.workload import Workload
from runner.spec.problem import SpecError


def check_runs_here(workload: Workload, *, find_engine: Callable[[], bool]) -> None:
    """Raises `SpecError` for all that the local target cannot do; every message names Azure.

    Whether something runs containers here is only asked where the spec wants some.
    """
    has_engine = asks_for_images(workload) and find_engine()
    obstacles = local_obstacles(workload, has_engine=has_engine)
    if obstacles:
        raise SpecError(obstacles)


def check_schedule(workload: Workload, *, now: datetime) -> None:
    """Raises `SpecError` where the time of a schedule is over: it would never make a job."""
    schedule = workload.job.schedule
    if schedule is None or schedule.end > now:
        return
    problem = workload.document.problem(
        (*schedule.pointer, "end"),
        code="schedule-over",
        message=f"the schedule has ended already: it is {format_moment(now)}",
        hint="write an `end` that is still to come",
    )
    raise SpecError([problem])


def check_signatures(workload: Workload, *, now: datetime, lifetime: timedelta) -> None:
    """Raises `SpecError` where a schedule's last jobs could not reach their containers.

    `lifetime` is how long the signatures live that its jobs are given now, once for all of them.
    """
    schedule = workload.job.schedule
    if schedule is None or schedule.end + workload.limits.duration <= now + lifetime:
        return
    problem = workload.document.problem(
        (*schedule.pointer, "end"),
        code="schedule-too-long",
        message=f"without the storage account's key the jobs reach their containers for"
        f" {lifetime.days} days only",
        hint="set AZURE_STORAGE_KEY or AZURE_STORAGE_CONNECTION_STRING, or an earlier `end`",
    )
    raise SpecError([problem])
