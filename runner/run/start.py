"""The beginning of a run: what has to be there is looked for, then all but the tasks is made.

Nothing is made before both services have answered and everything that the spec takes for granted
was found. It must not know what becomes of the job.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from runner.errors import UsageError
from runner.frozen import dataclass
from runner.plan.file_table import total_bytes
from runner.plan.model import SECRETS, Plan
from runner.plan.prices.node_price import NodePrice
from runner.run.clock import Clock
from runner.run.events import JobCreated, RunStarted, format_moment
from runner.run.feed import Feeder
from runner.run.pools.making import Lease, check_existing_pool, find_node_agent, plan_kept_pool
from runner.run.records.journal import Journal
from runner.run.records.past import Past, note_making
from runner.run.removal.cleanup import Keep
from runner.run.removal.traces import KEPT
from runner.run.results.settled import Settled
from runner.run.services import (
    AutoPool,
    Batch,
    Blobs,
    JobState,
    JobStatus,
    PoolRequest,
    ScheduleRequest,
)
from runner.run.submit import SUBMISSION, Requests, Submission, plan_submission, submission_as_json
from runner.run.tasks.unrun import skipped_task
from runner.run.transfers.containers import find_reused, make_containers
from runner.run.transfers.downloads import file_fault
from runner.run.transfers.restoring import recognise_uploads, restore_outputs
from runner.run.transfers.uploads import has_uploads
from runner.spec.duration import write_duration
from runner.spec.model.pool import ExistingPool, FixedNodes, NewPool
from runner.spec.model.workload import Schedule
from runner.spec.problem import SpecError

_STANDS_STILL = frozenset({JobState.DISABLING, JobState.DISABLED})
# Nothing runs in such a job any more; one that is being deleted is made anew.
_OVER = frozenset({JobState.TERMINATING, JobState.COMPLETED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a run stands on: the names of its things, and its pool, of which one way is taken.

    `node_agent` is of a pool that has to be made: with the job, or before where there is a `lease`.
    Of a run that is taken up again the job may be over: then nothing is made any more.
    """

    submission: Submission
    node_agent: str | None
    lease: Lease | None
    over: JobStatus | None = None


class Start:
    """Looks and makes for one run; `check` may raise between any two steps, `tell` takes a line."""

    def __init__(
        self,
        plan: Plan,
        *,
        requests: Requests,
        batch: Batch,
        blobs: Blobs,
        journal: Journal,
        clock: Clock,
        keep: frozenset[Keep],
        target: str,
        outlives_client: bool,
        check: Callable[[], None],
        tell: Callable[[str], None],
        settled: Settled,
        price: NodePrice | None = None,
        job_time: timedelta | None = None,
        past: Past | None = None,
        lease: Lease | None = None,
    ) -> None:
        """`past` is of a run that is taken up again, and `lease` of the pool that it had.

        `price` is that of the nodes, where it is known, and `job_time` bounds a job that is made.
        """
        self._job_time = job_time
        self._price = price
        self._lease = lease
        self._settled = settled
        self._past = past
        self._plan = plan
        self._requests = requests
        self._batch = batch
        self._blobs = blobs
        self._journal = journal
        self._clock = clock
        self._keep = keep
        self._target = target
        self._outlives_client = outlives_client
        self._check = check
        self._tell = tell

    def look(self) -> Ground:
        """Finds what is there and names what will be made; makes nothing.

        Raises `UsageError` where something that must exist does not, or the other way round.
        """
        try:
            return self._look()
        except SpecError as error:
            raise _in_one_line(error) from error

    def _look(self) -> Ground:
        plan = self._plan
        if plan.workload.job.schedule is not None and not self._outlives_client:
            raise UsageError(
                "a job schedule needs Azure: the local services end with the run",
                hint="run with `--target azure`, or without `schedule`",
            )
        # What was there before the run began is not to be told from what it made since.
        submission = None if self._past is None else self._past.submission
        over = None if submission is None else self._find_over(submission.job_id)
        pool = plan.workload.pool
        node_agent: str | None = None
        lease = self._lease
        # Whoever only brings results home needs no pool, nor an image that is still offered.
        if over is None and isinstance(pool, ExistingPool):
            check_existing_pool(plan, pool, self._batch)
        elif over is None and isinstance(pool, NewPool):
            node_agent = find_node_agent(plan, pool, self._batch)
            if submission is None:
                lease = self._plan_lease(pool, node_agent)
        self._blobs.list_containers(f"{plan.run_id}-")
        if submission is None:
            submission = plan_submission(
                plan,
                reused=find_reused(plan, self._blobs),
                kept_pool=None if lease is None else lease.kept.id,
                used_pool=pool.id if isinstance(pool, ExistingPool) else None,
            )
        return Ground(submission=submission, node_agent=node_agent, lease=lease, over=over)

    def _find_over(self, job_id: str) -> JobStatus | None:
        """The run's job, where it has ended."""
        status = self._batch.job_status(job_id)
        is_ours = status.run == self._plan.run_id
        return status if is_ours and status.state in _OVER else None

    def _plan_lease(self, pool: NewPool, node_agent: str) -> Lease | None:
        """The lease of a pool that is to stay for other runs, where it can."""
        if pool.keep is None or not self._outlives_client or self._scheduled:
            return None
        return Lease(
            plan_kept_pool(self._plan, pool, node_agent=node_agent, keep=pool.keep),
            duration=self._plan.workload.limits.duration,
            batch=self._batch,
            clock=self._clock,
            tell=self._tell,
        )

    def begin(self, submission: Submission) -> None:
        """Writes down the names of all that will be made, and says what will be done."""
        try:
            self._journal.write(SUBMISSION, submission_as_json(submission))
        except OSError as error:
            raise file_fault("write", self._journal.directory / SUBMISSION, error) from error
        files = size = 0
        for container in filter(has_uploads, self._plan.containers):
            files += len(container.files)
            size += total_bytes(container.files)
        self._journal.record(
            RunStarted(
                workload=self._plan.workload.name,
                target=self._target,
                tasks=len(self._plan.tasks),
                files=files,
                bytes=size,
                resumed=self._past is not None and self._past.has_begun,
                left_out=self._settled.left_out,
                price=self._price,
            )
        )
        for number in self._settled.skipped():
            self._journal.record(skipped_task(self._plan.tasks[number - 1]))

    def make_containers(self, ground: Ground) -> None:
        """Containers without anything in them; those of a run that is taken up again stay."""
        past = self._past
        # What the run itself has brought there since is not to go.
        clears = past is None or not past.has_job
        make_containers(
            self._plan,
            ground.submission,
            self._blobs,
            self._check,
            clears=clears,
            kept_because="--keep storage" if Keep.STORAGE in self._keep else None,
        )

    def note_made(self) -> None:
        """Writes down that what an earlier client took away is there again.

        Not before anybody can find the run by its record: until then nobody is to take its absence
        for another client's doing.
        """
        try:
            note_making(self._journal)
        except OSError as error:
            raise file_fault("write", self._journal.directory, error) from error

    def bring_first(self, ground: Ground, feeder: Feeder) -> None:
        """The files that nodes need before any task; nothing where no task will run any more."""
        if self._past is not None:
            recognise_uploads(self._plan, ground.submission, self._past, feeder, self._blobs)
        if ground.over is not None:
            return
        restore_outputs(self._plan, self._settled, self._blobs, self._check)
        for blob, text in self._requests.secret_texts():
            self._check()
            self._blobs.upload_text(self._plan.container_name(SECRETS), blob, text)
        feeder.upload_for_nodes(self._check)

    def make_job(self, ground: Ground) -> str:
        """The job and its pool, whose id is given; empty where the job is over and has none."""
        if ground.over is not None:
            known = ground.submission.kept_pool or ground.submission.used_pool
            return ground.over.pool_id or known or ""
        if ground.lease is not None:
            self._check()
            # A pool that an option keeps is given no end, and loses one that it has.
            may_expire = Keep.POOL not in self._keep
            ground.lease.open(replace(self._pool_request(ground), may_expire=may_expire))
        self._check()
        request = self._requests.job(ground.submission, pool=self._pool(ground))
        if Keep.JOB in self._keep:
            request = replace(request, metadata={**request.metadata, KEPT: "--keep job"})
        if self._job_time is not None:
            request = replace(request, duration=min(request.duration, self._job_time))
        # An answer on its way is waited for: a job that appears behind our back costs money.
        pool_id = self._batch.create_job(request)
        self._journal.record(JobCreated(job=ground.submission.job_id, pool=pool_id))
        return pool_id

    def find_tasks(self, job_id: str, feeder: Feeder) -> None:
        """What the job of a run that is taken up again has of its tasks."""
        if self._past is not None and self._past.has_job:
            status = self._batch.job_status(job_id)
            if status.created is not None:
                self._requests.found_job(status.created)
            # What was about to stop early is not to start anything before it stops again.
            if status.state in _STANDS_STILL and self._past.tally.reason is None:
                self._batch.enable_job(job_id)
            feeder.expect(self._batch.task_ids(job_id), told=self._past.added)
            if status.state not in _OVER:
                self._renew_pool(status.pool_id)

    def _renew_pool(self, pool_id: str | None) -> None:
        """What the pool gave back while nobody drove the run comes at once, not in minutes."""
        pool = self._plan.workload.pool
        submission = None if self._past is None else self._past.submission
        if pool_id is None or submission is None or not isinstance(pool, NewPool):
            return
        is_own = submission.kept_pool is None and submission.used_pool is None
        if not is_own or Keep.POOL in self._keep or not isinstance(pool.size, FixedNodes):
            return
        found = self._batch.pool_status(pool_id)
        if found is None or found.target_dedicated_nodes or found.target_spot_nodes:
            return
        # Where it is too soon for that, the pool's own formula does it as soon as tasks wait.
        self._batch.give_size(pool_id, pool.size, self._clock.now())

    def make_schedule(self, ground: Ground, schedule: Schedule) -> None:
        """The schedule that makes the job again and again; the one task is its job's manager."""
        request = ScheduleRequest(
            id=ground.submission.job_id,
            schedule=schedule,
            job=self._requests.job(ground.submission, pool=self._pool(ground)),
            manager=self._requests.task(self._plan.tasks[0]),
        )
        self._check()
        self._batch.create_schedule(request)

    @property
    def _scheduled(self) -> bool:
        return self._plan.workload.job.schedule is not None

    def _pool(self, ground: Ground) -> AutoPool | str:
        submission = ground.submission
        known = submission.kept_pool or submission.used_pool
        if known is not None:
            return known
        request, keep = self._pool_request(ground), Keep.POOL in self._keep
        if keep:
            request = replace(request, metadata={**request.metadata, KEPT: "--keep pool"})
        else:
            # Should we die before its job may end itself, it gives its nodes back by itself.
            request = replace(request, created=self._clock.now())
        return AutoPool(id_prefix=submission.pool_prefix, request=request, keep=keep)

    def _pool_request(self, ground: Ground) -> PoolRequest:
        """Made when it is sent: what it lets nodes read, it does for so long from then."""
        pool = self._plan.workload.pool
        assert isinstance(pool, NewPool)
        assert ground.node_agent is not None
        lease = ground.lease
        return self._requests.pool(
            pool,
            node_agent=ground.node_agent,
            fingerprint=None if lease is None else lease.kept.fingerprint,
        )


def _in_one_line(error: SpecError) -> UsageError:
    """What the services refute in a spec, as the end of a run is told."""
    problems = error.problems
    words = "; ".join(f"{each.location()}: {each.code}: {each.message}" for each in problems)
    return UsageError(words, hint=problems[0].hint)


def describe_schedule(schedule_id: str, schedule: Schedule) -> str:
    """When the service makes a job, until when, and how to end that."""
    start = "" if schedule.start is None else f" from {format_moment(schedule.start)}"
    return (
        f"a job every {write_duration(schedule.every)}{start} until {format_moment(schedule.end)};"
        f" az batch job-schedule delete --job-schedule-id {schedule_id} removes it"
    )
