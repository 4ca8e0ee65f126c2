"""The order of a run, from its first creation to its cleanup, on every path.

It decides the exit code; each step is a module of its own, and what is shown is not its business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runner.errors import (
    BatchRunError,
    DiskFullError,
    ServiceError,
    ServicesEndedError,
)
from runner.plan.model import Plan
from runner.run.asking import Options, Outcome
from runner.run.bugs import note_bug
from runner.run.claim import Claim
from runner.run.clock import Clock
from runner.run.doing import Doing
from runner.run.ending import run_finished
from runner.run.events import CleanupFinished
from runner.run.feed import Feeder
from runner.run.holding import TakenOverError
from runner.run.pools.making import recall_lease
from runner.run.pools.tending import tend_pool
from runner.run.records.journal import Journal
from runner.run.records.past import Past
from runner.run.refusals import show_place
from runner.run.removal.cleanup import Keep
from runner.run.removal.conclusion import Standing, conclude, exit_code, is_end
from runner.run.results.settled import Settled
from runner.run.services import Batch, Blobs
from runner.run.spending.budget import Budget
from runner.run.start import Ground, Start
from runner.run.stop import Stop
from runner.run.stopped import find_end
from runner.run.submit import Requests, plan_submission
from runner.run.tasks.dependents import Dependents
from runner.run.tasks.halt import Tally
from runner.run.tasks.halting import HaltedError, Halting
from runner.run.tasks.ledger import Ledger
from runner.run.tasks.verdicts import Verdicts
from runner.run.tasks.window import Window
from runner.run.transfers.outputs import Collector
from runner.run.transfers.uploads import Uploads
from runner.run.watch import Watch
from runner.run.work import DetachedError, Work
from runner.spec.model.terms import SecretName


class Run:
    """One run of one plan against open services."""

    def __init__(
        self,
        plan: Plan,
        options: Options,
        *,
        batch: Batch,
        blobs: Blobs,
        journal: Journal,
        clock: Clock,
        stop: Stop,
        secrets: Mapping[SecretName, str] | None = None,
        services_ended: Callable[[], str | None] = lambda: None,
        tell: Callable[[str], None],
        past: Past | None = None,
        settled: Settled | None = None,
        holder: str | None = None,
        budget: Budget | None = None,
    ) -> None:
        """`stop` is looked at between steps; `services_ended` says why they are gone for good.

        `secrets` are the values of those that the spec names; `tell` takes a line for people.
        `past` is of a run that is taken up again; of another, tasks may be `settled` by what an
        earlier run has left. `holder` is a GUID by which the service keeps clients of other
        machines away; without it none is. `budget` is what the nodes may cost, where that has a
        bound.
        """
        self._past = past
        self._settled = settled or Settled(len(plan.tasks)) if past is None else past.settled
        self._plan = plan
        self._options = options
        self._batch = batch
        self._blobs = blobs
        self._journal = journal
        self._clock = clock
        known = None if past is None else past.submission
        self._submission = plan_submission(plan) if known is None else known
        self.window = Window(plan)
        """Tasks as this run has rendered them; whoever listens to it may need the same."""
        self._requests = Requests(plan, blobs, clock=clock.now, secrets=secrets)
        self._dependents = Dependents(len(plan.tasks))
        self._tally = Tally(plan) if past is None else past.tally
        journal.listen(lambda event, _: self._tally.add(event))
        self._budget = budget
        if budget is not None:
            journal.listen(lambda event, _: budget.add(clock.now(), event))
        self._feeder = Feeder(
            plan,
            self._submission.job_id,
            self._requests,
            window=self.window,
            uploads=Uploads(plan, blobs=blobs, journal=journal),
            dependents=self._dependents,
            settled=self._settled,
            batch=batch,
            journal=journal,
            tally=self._tally,
            monotonic=clock.monotonic,
        )
        self.doing = Doing(coming_home=self._count_coming_home)
        """What the run is at between two events; whoever shows it may look at it."""
        self._stop = stop
        self._services_ended = services_ended
        self._tell = tell
        self._claim = Claim(
            plan, holder=holder, blobs=blobs, journal=journal, wait=self._wait, tell=tell
        )
        self._lease = recall_lease(
            plan,
            self._submission.kept_pool,
            batch=batch,
            clock=clock,
            tell=tell,
            job_time=options.job_time,
        )
        self._created = False
        self._made: set[str] = set()
        self._is_end = False
        self._pool_id: str | None = None
        self._scheduling = False
        self._scheduled = False
        self._work: Work | None = None

    def execute(self) -> Outcome:
        """Runs to the end; whatever happens is in the outcome, and nothing is raised."""
        error = self._run_to_an_end()
        self._stop.heed()
        cleanup = self._clean_up(self._standing(error))
        self._claim.end(cleanup.deleted)
        self._journal.record(cleanup)
        if isinstance(error, DetachedError):
            return Outcome(exit_code=error.exit_code, error=None, detached=True)
        standing = self._standing(error)
        code = exit_code(standing, cleanup)
        self._journal.record(
            run_finished(
                error,
                exit_code=code,
                tasks=len(self._plan.tasks),
                succeeded=standing.succeeded,
                failed=standing.failed,
                halted=isinstance(error, HaltedError),
                untouched=self._past is not None and self._past.has_begun and not self._created,
            )
        )
        return Outcome(exit_code=code, error=error)

    def _run_to_an_end(self) -> BatchRunError | None:
        """Why the run could not go on, or did not bring everything home; None where all is well."""
        try:
            self._go()
        except ServiceError as caught:
            self._is_end = is_end(caught)
            gone = self._services_ended()
            if gone is not None:
                return ServicesEndedError(gone)
            return show_place(caught, self._plan.workload.document)
        except BatchRunError as caught:
            self._is_end = is_end(caught)
            return caught
        except Exception as bug:  # noqa: BLE001 - a bug of ours must not leave nodes running
            return note_bug(bug, self._journal)
        failures = () if self._work is None else self._work.home.errors
        # What was not written down is done again by a resume: it must find what it needs.
        return next(iter(failures), self._unwritten())

    def what_may_be_left(self) -> tuple[str, ...]:
        """Names of all that the run may have made, for whoever leaves without a cleanup."""
        if not self._created:
            return ()
        names = self._submission
        containers = tuple(f"container {name}" for _, name in names.containers)
        if self._scheduling:
            return (f"job schedule {names.job_id}", *containers)
        pool = self._pool_id or names.kept_pool or f"{names.pool_prefix}*"
        pools = () if names.used_pool is not None else (f"pool {pool}",)
        return (f"job {names.job_id}", *pools, *containers)

    def _check(self) -> None:
        """Between any two steps: may we go on?"""
        if self._stop.requested:
            # Or whoever raises would wait for the transfers under way, and the nodes be paid for.
            self._blobs.abandon_transfers()
            self._stop.check()
        gone = self._services_ended()
        if gone is not None:
            raise ServicesEndedError(gone)
        self._claim.check()
        unwritten = self._unwritten()
        if unwritten is not None:
            raise unwritten

    def _unwritten(self) -> DiskFullError | None:
        """Why the journal does not tell all that has happened; None where it does."""
        if self._journal.problem is None:
            return None
        return DiskFullError(
            self._journal.problem, hint="what a run does must be written down while it goes"
        )

    def _go(self) -> None:
        """From the first look at the services to the last task that is home."""
        start = Start(
            self._plan,
            requests=self._requests,
            batch=self._batch,
            blobs=self._blobs,
            journal=self._journal,
            clock=self._clock,
            keep=self._options.keep,
            target=self._options.target,
            outlives_client=self._options.outlives_client,
            check=self._check,
            tell=self._tell,
            settled=self._settled,
            price=self._options.price,
            job_time=self._options.job_time,
            past=self._past,
            lease=self._lease,
        )
        self._check()
        past = self._past
        was_made = past is not None and past.submission is not None
        # Nothing of a run is touched that a client elsewhere goes on with.
        if was_made and not self._claim.take() and past and not self._settled.is_complete:
            self._claim.check_presence(past, self._submission.job_id, self._batch)
        self._created = was_made
        if self._settled.is_complete:
            # Of what was made before, only the end is left to do.
            start.begin(self._submission)
            return
        self._heed_budget()
        stopped = None if past is None else find_end(self._plan, past, self._batch)
        if stopped is not None:
            start.begin(self._submission)
            raise stopped
        self.doing.begin("looking at what is there")
        ground = start.look()
        self._submission, self._lease = ground.submission, ground.lease
        start.begin(ground.submission)
        self._check()
        self._created = True
        self.doing.begin("making containers")
        start.make_containers(ground)
        self._made.update(name for _, name in ground.submission.containers)
        # Before anything else takes its time: whoever comes after us finds the run by its record.
        self._claim.make()
        start.note_made()
        self.doing.begin("bringing up what nodes need")
        start.bring_first(ground, self._feeder)
        schedule = self._plan.workload.job.schedule
        if schedule is not None:
            self._feeder.upload_all(self._check)
            self.doing.begin("making the job schedule")
            self._scheduling = True
            start.make_schedule(ground, schedule)
            self._scheduled = True
            return
        self.doing.begin("making the job and its pool")
        self._pool_id = start.make_job(ground)
        self.doing.begin("")
        if ground.over is None:
            self._made.add(ground.submission.job_id)
        start.find_tasks(ground.submission.job_id, self._feeder)
        self._work = self._make_work(ground, self._pool_id)
        self._work.run()

    def _count_coming_home(self) -> int:
        work = self._work
        return 0 if work is None else work.ended - work.home.succeeded - work.home.failed

    def _heed_budget(self) -> None:
        """A run that has spent all that it may is only ended."""
        reason = None if self._budget is None else self._budget.reason(self._clock.now())
        if reason is not None:
            self._tally.stop(reason)

    def _wait(self, seconds: float) -> None:
        self._clock.wait(self._stop, seconds)
        self._check()

    def _make_work(self, ground: Ground, pool_id: str) -> Work:
        submission = ground.submission
        # A pool that an option keeps is given no end.
        lease = None if Keep.POOL in self._options.keep else self._lease
        verdicts = Verdicts(self._plan, self._dependents)
        ledger = Ledger(self._journal)
        if self._past is not None:
            ledger.restore(self._past.retried)
        watch = Watch(
            job_id=submission.job_id,
            pool_id=pool_id,
            batch=self._batch,
            journal=self._journal,
            clock=self._clock,
            is_ours=lambda task: verdicts.is_ours(task) and not self._settled.is_settled(int(task)),
            foreign_pool=submission.used_pool is not None,
            has_preparation=self._plan.preparation is not None,
            has_start_task=self._plan.start_task is not None,
            lease=lease,
            ledger=ledger,
            tell=self._tell,
            tend=tend_pool(
                self._plan.workload.pool,
                pool_id,
                batch=self._batch,
                clock=self._clock,
                preemptions=lambda: ledger.all_preemptions,
                is_stopping=lambda: self._tally.reason is not None,
                tell=self._tell,
            ),
        )
        collector = Collector(
            self._plan,
            window=self.window,
            blobs=self._blobs,
            journal=self._journal,
            output_directory=self._options.output_directory,
            all_logs=self._options.all_logs,
            reused=frozenset(role for role, _ in submission.reused),
        )
        return Work(
            self._plan,
            submission.job_id,
            batch=self._batch,
            feeder=self._feeder,
            watch=watch,
            ledger=ledger,
            verdicts=verdicts,
            collector=collector,
            clock=self._clock,
            stop=self._stop,
            check=self._check,
            abandon=self._blobs.abandon_transfers,
            outlives_client=self._options.outlives_client,
            settled=self._settled,
            detaches=self._options.detach,
            halting=Halting(
                self._plan,
                submission.job_id,
                tally=self._tally,
                batch=self._batch,
                feeder=self._feeder,
                watch=watch,
                journal=self._journal,
                clock=self._clock,
                budget=self._budget,
            ),
        )

    def _standing(self, error: BatchRunError | None) -> Standing:
        work = self._work
        if work is None:
            succeeded, failed = self._settled.succeeded, len(self._settled.failures)
        else:
            succeeded, failed = work.home.succeeded, work.home.failed
        return Standing(
            error=error,
            submission=self._submission,
            pool_id=self._pool_id,
            lease=self._lease,
            succeeded=succeeded,
            failed=failed,
            has_ends=bool(len(self._settled) or (work is not None and work.ended)),
            not_home=() if work is None else tuple(work.home.errors),
            scheduling=self._scheduling,
            scheduled=self._scheduled,
            interrupted=self._stop.requested,
            made=frozenset(self._made),
            may_go_on=self._past is not None
            and self._past.submission is not None
            and not self._is_end,
        )

    def _clean_up(self, standing: Standing) -> CleanupFinished:
        is_lost = self._claim.is_lost() or isinstance(standing.error, TakenOverError)
        if not self._created or is_lost:
            return CleanupFinished(deleted=(), left=())
        return conclude(
            self._plan,
            standing,
            batch=self._batch,
            blobs=self._blobs,
            journal=self._journal,
            keep=self._options.keep,
            outlives_client=self._options.outlives_client,
            now=self._clock.now,
            is_ours=self._claim.is_ours,
            tell=self._tell,
            begin=self.doing.end,
        )
