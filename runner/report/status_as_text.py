"""How a run stands, as some lines for people and as one object.

It knows nothing of run directories or services; what was found there is given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from runner.frozen import dataclass
from runner.report.as_json import report_as_json
from runner.report.as_text import plural, printable
from runner.report.digest import digest
from runner.report.fold import Report
from runner.report.next_steps import NextStep
from runner.report.pace import Pace
from runner.report.progress_as_text import pool_as_text, progress_as_text
from runner.report.runs_as_text import describe_standing
from runner.run.events import format_moment, format_time
from runner.run.records.record import RunRecord
from runner.run.records.standing import Standing
from runner.run.services import JobState, JobStatus, NodeStatus, PoolStatus, TaskCounts

_ATTACHED = frozenset({Standing.DRIVEN, Standing.DETACHED, Standing.NOT_AWAITED})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """A run's record, how it stands, and what its events come to.

    `job`, `counts`, `pool` and `nodes` are what the service says now; `unasked` is why it did not,
    where it was to.
    """

    record: RunRecord
    standing: Standing
    pid: int | None
    report: Report
    seen: datetime | None
    """When something was seen of the run last."""
    running: int = 0
    """Tasks that were seen to begin, and not to end."""
    pace: Pace | None = None
    """Of the tasks that have ended, by the times of their events."""
    job: JobStatus | None = None
    counts: TaskCounts | None = None
    pool: PoolStatus | None = None
    nodes: tuple[NodeStatus, ...] = ()
    """Those of the pool."""
    unasked: str | None = None
    rests: bool = False
    """Its services are of this machine, and do not run."""
    page: str | None = None
    """The file with the address of the page of its services, where these are of this machine."""


def status_as_text(
    status: RunStatus,
    *,
    run_directory: str,
    output_directory: str,
    steps: Sequence[NextStep] = (),
) -> str:
    """Some lines, without a final newline; `steps` are for a run that nothing goes on with."""
    following = next_command(status)
    lines = [
        *_head(status),
        *_service(status),
        *_progress(status),
        digest(
            _report(status),
            run=status.record.run,
            run_directory=run_directory,
            output_directory=output_directory,
            is_over=status.report.exit_code is not None,
            steps=steps if following is None else (),
        ),
    ]
    if following is not None:
        lines.append(f"next: {following}")
    return "\n".join(lines)


def status_as_json(status: RunStatus) -> dict[str, Any]:
    """The report, and what else is known; keys are only ever added within a version."""
    record, job, counts = status.record, status.job, status.counts
    service: dict[str, Any] | None = None
    if job is not None:
        pool = status.pool
        service = {
            "job": job.state.value,
            "pool": job.pool_id,
            "tasks": None,
            "nodes": None if pool is None else Counter(node.state for node in status.nodes),
            "resize_errors": [] if pool is None else list(pool.resize_errors),
        }
        if counts is not None:
            service["tasks"] = {
                "active": counts.active,
                "running": counts.running,
                "succeeded": counts.succeeded,
                "failed": counts.failed,
            }
    return {
        **report_as_json(_report(status), run=record.run),
        "workload": record.workload,
        "target": record.target,
        "created": format_time(record.created),
        "state": status.standing.value,
        "resumable": status.standing.is_resumable,
        "pid": status.pid,
        "seen": None if status.seen is None else format_time(status.seen),
        "service": service,
        "unasked": status.unasked,
        "rests": status.rests,
        "next": next_command(status),
        "running": status.running,
        "rate_per_second": None if status.pace is None else status.pace.rate(),
    }


def next_command(status: RunStatus) -> str | None:
    """The command that goes on with the run; None where there is nothing to go on with."""
    if status.standing in _ATTACHED:
        return f"batch-run attach {status.record.run}"
    if status.standing.is_resumable:
        return f"batch-run resume {status.record.run}"
    return None


def _report(status: RunStatus) -> Report:
    """What its events come to, but that nothing goes on which they have seen go on."""
    report = status.report
    if not status.rests:
        return report
    left = tuple(replace(each, why="kept in the run's directory") for each in report.left)
    return replace(report, left=left)


def _head(status: RunStatus) -> Iterator[str]:
    record = status.record
    words = describe_standing(status.standing, pid=status.pid, rests=status.rests)
    yield f"run {record.run}: {words}"
    began = f"began {format_moment(record.created)}"
    seen = "" if status.seen is None else f", last seen {format_moment(status.seen)}"
    yield printable(f"{record.workload} on target {record.target}, {began}{seen}")
    if status.report.error is not None and status.standing is not Standing.DRIVEN:
        yield printable(f"it ended with: {status.report.error}")


def _progress(status: RunStatus) -> Iterator[str]:
    """How a run goes that somebody drives: what the live view shows, as text."""
    if status.standing is Standing.DRIVEN and status.report.exit_code is None:
        yield from progress_as_text(status.report, running=status.running, pace=status.pace)


def _service(status: RunStatus) -> Iterator[str]:
    if status.page is not None and not status.rests:
        yield printable(f"its services have a page: the address is in {status.page}")
    if status.unasked is not None:
        yield printable(f"the service could not be asked: {status.unasked}")
    if status.rests and status.standing in _ATTACHED:
        yield (
            f"its services have ended: `batch-run attach {status.record.run}` brings home what is"
            " done, which is not counted below, and goes on with the rest"
        )
    elif status.rests and status.standing is not Standing.INTERRUPTED:
        yield (
            "the local services do not run: what has ended is kept, and the rest waits; where they"
            " were killed, what they ran may be at work until the run is resumed"
        )
    if status.job is None:
        return
    if status.job.state is JobState.GONE:
        yield "in the service: the job is gone"
        return
    words = f"in the service: the job is {status.job.state.value}"
    if status.counts is not None:
        counts = status.counts
        words += (
            f"; {plural(counts.active, 'task')} waiting, {counts.running:,} running,"
            f" {counts.succeeded:,} succeeded, {counts.failed:,} failed"
        )
    yield words
    pool = status.pool
    if pool is not None:
        size = (
            pool.dedicated_nodes + pool.spot_nodes,
            pool.target_dedicated_nodes + pool.target_spot_nodes,
        )
        states = (node.state for node in status.nodes)
        yield from pool_as_text(size, pool.allocation_state, states, pool.resize_errors)
