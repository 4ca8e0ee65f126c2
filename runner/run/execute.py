"""The order of a run, from its first creation to its cleanup, on every path.

It decides the exit code; each step is a module of its own, and what is shown is not its business.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from runner.errors import (
    BatchRunError,
    ExitCode,
    InterruptedRunError,
    ServiceError,
    StoppedWaitingError,
    TransferError,
    describe_os_error,
    most_severe,
)
from runner.plan.model import Plan
from runner.run.cleanup import Cleanup, Ending, Keep
from runner.run.clock import Clock
from runner.run.events import CleanupFinished, JobCreated, RunFinished, RunStarted
from runner.run.feed import Feeder
from runner.run.journal import Journal
from runner.run.outputs import Collector
from runner.run.parallel import run_together
from runner.run.services import AutoPool, Batch, Blobs
from runner.run.stop import Stop
from runner.run.submit import Requests, plan_submission, submission_as_json
from runner.run.watch import JobEndedError, Watch
from runner.spec.pool import CustomImage, ExistingPool, NewPool

_COLLECTORS = 16
_CREATORS = 8
# How soon a wish to stop is seen while results are still coming home.
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line adds to a plan."""

    target: str
    outlives_client: bool
    """The services go on when we stop waiting: true for Azure, false for the local emulator."""
    output_directory: Path
    keep: frozenset[Keep]
    all_logs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the run ended; `error` is why it could not go on."""

    exit_code: ExitCode
    error: BatchRunError | None


class UnfinishedError(BatchRunError):
    """The job is over, and tasks of it never ran to their end."""

    exit_code = ExitCode.TASKS_FAILED


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
        services_ended: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`stop` is looked at between steps; `services_ended` says why they are gone for good."""
        self._plan = plan
        self._options = options
        self._batch = batch
        self._blobs = blobs
        self._journal = journal
        self._clock = clock
        self._submission = plan_submission(plan)
        self._requests = Requests(plan, blobs, started=clock.now())
        self._feeder = Feeder(
            plan, self._submission, self._requests, batch=batch, blobs=blobs, journal=journal
        )
        self._collector = Collector(
            plan,
            blobs=blobs,
            journal=journal,
            output_directory=options.output_directory,
            all_logs=options.all_logs,
        )
        self._stop = stop
        self._services_ended = services_ended
        self._created = False
        self._ended = 0
        self._pool_id: str | None = None
        self._collecting: list[Future[bool]] = []
        self._succeeded = 0
        self._failed = 0
        self._transfer_errors: list[ServiceError] = []

    def execute(self) -> Outcome:
        """Runs to the end; whatever happens is in the outcome, and nothing is raised."""
        error = self._run_to_an_end()
        cleanup = self._clean_up(error)
        self._journal.record(cleanup)
        code = self._exit_code(error, cleanup)
        self._journal.record(
            RunFinished(
                exit_code=code,
                succeeded=self._succeeded,
                failed=self._failed,
                unfinished=len(self._plan.tasks) - self._succeeded - self._failed,
                error=None if error is None else error.message,
            )
        )
        return Outcome(exit_code=code, error=error)

    def _run_to_an_end(self) -> BatchRunError | None:
        """Why the run could not go on, or did not bring everything home; None where all is well."""
        try:
            self._work(self._start())
        except ServiceError as caught:
            gone = self._services_ended()
            return caught if gone is None else ServiceError(gone)
        except BatchRunError as caught:
            return caught
        except Exception as bug:  # noqa: BLE001 - a bug of ours must not leave nodes running
            return self._report_bug(bug)
        return next(iter(self._transfer_errors), None)

    def what_may_be_left(self) -> tuple[str, ...]:
        """Names of all that the run may have made, for whoever leaves without a cleanup."""
        if not self._created:
            return ()
        pool = self._pool_id or f"{self._submission.pool_prefix}*"
        containers = (f"container {name}" for _, name in self._submission.containers)
        return (f"job {self._submission.job_id}", f"pool {pool}", *containers)

    def _report_bug(self, bug: Exception) -> BatchRunError:
        trace = "".join(traceback.format_exception(bug))
        message = f"a bug in batch-run: {type(bug).__name__}: {bug}"
        try:
            path = self._journal.write("bug.txt", trace)
        except OSError:
            return BatchRunError(message, hint=f"please report it: {trace}")
        return BatchRunError(message, hint=f"please report it with the content of `{path}`")

    def _check(self) -> None:
        """Between any two steps: may we go on?"""
        if self._stop.requested:
            # Or whoever raises would wait for the transfers under way, and the nodes be paid for.
            self._blobs.abandon_transfers()
            self._stop.check()
        gone = self._services_ended()
        if gone is not None:
            raise ServiceError(gone)
        if self._journal.problem is not None:
            raise TransferError(
                self._journal.problem, hint="what a run does must be written down while it goes"
            )

    def _start(self) -> str:
        """Everything up to the job; returns its pool.

        Nothing is created before both services have answered.
        """
        workload = self._plan.workload
        self._check()
        pool = workload.pool
        if isinstance(pool, ExistingPool):
            raise NotImplementedError
        node_agent = self._node_agent(pool)
        self._blobs.list_containers(f"{self._plan.run_id}-")
        files = [file for container in self._plan.containers for file in container.files]
        self._journal.record(
            RunStarted(
                workload=workload.name,
                target=self._options.target,
                tasks=len(self._plan.tasks),
                files=len(files),
                bytes=sum(file.size_bytes for file in files),
            )
        )
        self._write_submission()
        self._check()
        self._created = True
        self._create_containers()
        self._feeder.upload_for_nodes(self._check)
        auto_pool = AutoPool(
            id_prefix=self._submission.pool_prefix,
            request=self._requests.pool(pool, node_agent=node_agent),
            keep=Keep.POOL in self._options.keep,
        )
        request = self._requests.job(self._submission, pool=auto_pool)
        self._check()
        # An answer on its way is waited for: a job that appears behind our back costs money.
        self._pool_id = self._batch.create_job(request)
        self._journal.record(JobCreated(job=self._submission.job_id, pool=self._pool_id))
        return self._pool_id

    def _node_agent(self, pool: NewPool) -> str:
        if isinstance(pool.image, CustomImage):
            return pool.image.node_agent
        return self._batch.find_node_agent(pool.image)

    def _write_submission(self) -> None:
        try:
            self._journal.write("submission.json", submission_as_json(self._submission))
        except OSError as error:
            reason = describe_os_error(error)
            raise TransferError(
                f"cannot write into `{self._journal.directory}`: {reason}"
            ) from error

    def _create_containers(self) -> None:
        metadata = {"batchrun": self._plan.run_id}
        calls = (
            partial(self._blobs.create_container, name, metadata)
            for _, name in self._submission.containers
        )
        run_together(calls, threads=_CREATORS, check=self._check)

    def _work(self, pool_id: str) -> None:
        """Feeds, watches and collects side by side until every task is home."""
        watch = Watch(
            job_id=self._submission.job_id,
            pool_id=pool_id,
            batch=self._batch,
            journal=self._journal,
            clock=self._clock,
        )
        feeding = ThreadPoolExecutor(1, thread_name_prefix="feed")
        collecting = ThreadPoolExecutor(_COLLECTORS, thread_name_prefix="collect")
        try:
            fed = feeding.submit(self._feeder.feed)
            fed.add_done_callback(lambda _: self._stop.wake())
            self._watch(watch, fed, collecting)
        finally:
            self._feeder.stop()
            collecting.shutdown(cancel_futures=True)
            feeding.shutdown()
            self._reap()

    def _watch(self, watch: Watch, fed: Future[None], collecting: ThreadPoolExecutor) -> None:
        total = len(self._plan.tasks)
        limit = self._plan.workload.limits.wait
        deadline = self._clock.monotonic() + limit.total_seconds()
        while True:
            self._check()
            if fed.done():
                fed.result()
            try:
                statuses = watch.look()
            except JobEndedError as error:
                left = total - self._ended
                raise UnfinishedError(
                    f"the job ended before {left} of its {total} tasks: {error.reason}"
                ) from error
            for status in statuses:
                self._collecting.append(collecting.submit(self._collector.collect, status))
            self._ended += len(statuses)
            self._reap()
            if self._ended == total:
                break
            if not statuses and fed.done() and self._clock.monotonic() >= deadline:
                left = total - self._ended
                raise StoppedWaitingError(
                    f"stopped waiting after {limit}: {left} of {total} tasks have not ended",
                    hint="`limits.wait` in the spec says how long to wait",
                )
            self._clock.wait(self._stop, watch.pause_seconds)
        fed.result()
        while wait(self._collecting, timeout=_LOOK_SECONDS).not_done:
            self._check()

    def _reap(self) -> None:
        """Counts what has been collected; what could not be is remembered, and the rest goes on."""
        under_way = []
        for future in self._collecting:
            if not future.done():
                under_way.append(future)
            elif not future.cancelled():
                self._count(future)
        self._collecting = under_way

    def _count(self, future: Future[bool]) -> None:
        try:
            if future.result():
                self._succeeded += 1
            else:
                self._failed += 1
        except ServiceError as error:
            self._failed += 1
            self._transfer_errors.append(error)

    def _clean_up(self, error: BatchRunError | None) -> CleanupFinished:
        if not self._created or self._services_ended() is not None:
            return CleanupFinished(deleted=(), left=())
        cleanup = Cleanup(
            self._plan,
            self._submission,
            batch=self._batch,
            blobs=self._blobs,
            keep=self._options.keep,
            may_keep=self._options.outlives_client,
        )
        if isinstance(error, StoppedWaitingError) and self._options.outlives_client:
            return cleanup.leave(pool_id=self._pool_id, why="the work goes on")
        return cleanup.clean_up(pool_id=self._pool_id, ending=self._ending(error))

    def _ending(self, error: BatchRunError | None) -> Ending:
        if isinstance(error, InterruptedRunError):
            return Ending.NOTHING_DONE
        if error is None and not self._failed:
            return Ending.SUCCEEDED
        return Ending.FAILED_WITH_RESULTS if self._ended else Ending.NOTHING_DONE

    def _exit_code(self, error: BatchRunError | None, cleanup: CleanupFinished) -> ExitCode:
        return most_severe(
            ExitCode.INTERRUPTED if self._stop.requested else ExitCode.SUCCESS,
            ExitCode.SUCCESS if error is None else error.exit_code,
            ExitCode.TASKS_FAILED if self._failed else ExitCode.SUCCESS,
            ExitCode.SUCCESS if all(each.kept for each in cleanup.left) else ExitCode.LEFT_BEHIND,
        )
