"""Drives one run with the user watching: its directory, its services, the run, the digest.

It must not know whether the run begins or is taken up again; what either needs is given.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import field, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryFile

from runner.cli.audience import Audience
from runner.cli.clearing import clearing_notes
from runner.cli.live.display import Gauges, choose_display
from runner.cli.signals import Interruptions
from runner.cli.world import World
from runner.connect import AzureSettings, PreparedEmulator, Services, open_azure, open_local
from runner.errors import (
    BatchRunError,
    ExitCode,
    StoppedWaitingError,
    UsageError,
    describe_os_error,
)
from runner.frozen import dataclass
from runner.plan.expand import place
from runner.plan.model import Plan
from runner.plan.snapshot import SNAPSHOT, write_snapshot
from runner.report.plan_as_json import write_plan
from runner.run.asking import Options, Outcome
from runner.run.ending import run_finished
from runner.run.events import Event, RunFinished
from runner.run.execute import Run
from runner.run.records.journal import Journal, Listener, write_whole
from runner.run.records.past import CAN_GO_ON, Past
from runner.run.records.places import LOCAL_STATE
from runner.run.records.reading import read_events
from runner.run.records.record import RECORD, RunRecord, record_as_json
from runner.run.records.record_blob import SPEC
from runner.run.removal.cleanup import Keep
from runner.run.results.locking import LockWriter
from runner.run.results.rerun import record_nothing_to_do
from runner.run.results.settled import Settled
from runner.run.silence import say_nothing
from runner.run.spending.budget import Budget
from runner.run.spending.node_time import NodeTime
from runner.run.stop import Stop
from runner.run.transfers.downloads import remove_partials
from runner.spec.model.terms import SecretName
from runner.spec.problem import SpecRefusedError

# So many more objects than before are there when garbage is looked for while a run goes on.
_GARBAGE_THRESHOLD = 50_000


class OutputUnwritableError(UsageError):
    """Nothing can be brought home to the output directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """A run to be driven; `services` are open where the plan needed them.

    `past` is of a run that is taken up again; of another, tasks may be `settled` by what an earlier
    run has left.
    """

    plan: Plan
    record: RunRecord
    settings: AzureSettings | None
    services: Services | None
    secrets: Mapping[SecretName, str] = field(repr=False)
    world: World
    as_json: bool
    quiet: bool
    prepared: PreparedEmulator | None = None
    """What loads the local services already."""
    detach: bool = False
    """Leave once every task is added."""
    past: Past | None = None
    settled: Settled | None = None
    node_time: NodeTime | None = None
    """Of nodes that the run had before it was taken up again."""
    job_time: timedelta | None = None
    """How long a job may take that is made now, where earlier nodes have cost a part."""
    lock: LockWriter | None = None
    """Writes down what tasks were made of, as events tell it."""

    @property
    def is_local(self) -> bool:
        """Whether the services end with the run."""
        return self.settings is None

    def tell_first(self, listener: Listener) -> Listener:
        """The listener, behind whoever writes events down."""
        lock = self.lock
        if lock is None:
            return listener

        def hear(event: Event, line: bytes) -> None:
            lock.hear(event)
            listener(event, line)

        return hear

    def open_services(self, journal: Journal, patience: timedelta) -> Services:
        """The services of the target; to be closed, which those that were open before outlive."""
        if self.services is not None:
            return replace(self.services, stack=ExitStack())
        if self.settings is not None:
            return open_azure(self.settings, secrets=self.secrets.values(), patience=patience)
        return open_local(
            state=journal.directory / LOCAL_STATE,
            allow_admin=self.record.allow_admin,
            isolation=self.record.isolation,
            limits=self.record.limits,
            outlives=self.record.detached,
            environ=self.world.environ,
            secrets=self.secrets.values(),
            patience=patience,
            prepared=self.prepared,
        )


def write_down(drive: Drive, directory: Path) -> None:
    """Everything that somebody needs who takes the run up later; `UsageError` if it cannot be."""
    try:
        write_whole(directory / SPEC, drive.plan.workload.document.text)
        write_plan(directory / "plan.json", drive.plan)
        write_snapshot(directory / SNAPSHOT, drive.plan)
        write_whole(directory / RECORD, record_as_json(drive.record))
    except OSError as error:
        reason = describe_os_error(error)
        raise UsageError(f"cannot write the run's directory: {reason}") from error


def drive_run(drive: Drive, directory: Path, lease: str, interruptions: Interruptions) -> int:
    """The run to its end; the exit code. `lease` is what the service knows this client by."""
    remove_partials(Path(drive.record.output_directory))
    world, plan = drive.world, drive.plan
    audience = Audience(
        plan,
        display=choose_display(world, plan, quiet=drive.quiet),
        directory=directory,
        world=world,
        as_json=drive.as_json,
    )
    if drive.past is not None:
        audience.recall(read_events(directory))
    stop = Stop()
    with (
        closing(
            Journal(
                directory,
                run=plan.run_id,
                clock=world.clock.now,
                listener=drive.tell_first(audience.hear),
                redaction=world.redaction,
            )
        ) as journal,
        ExitStack() as stack,
    ):
        # Whatever happens, the terminal is left as it was.
        stack.callback(audience.stop_showing)
        if drive.lock is not None:
            journal.after(drive.lock.flush)
        try:
            if drive.past is None and drive.settled is not None and drive.settled.is_complete:
                code = record_nothing_to_do(
                    plan, drive.settled, journal, target=drive.record.target
                )
                outcome = Outcome(exit_code=code, error=None)
            else:
                outcome = _run_on_services(drive, journal, audience, lease, stop, interruptions)
        except BatchRunError as error:
            # The services could not be opened: nothing was made, or nothing more.
            outcome = Outcome(exit_code=error.exit_code, error=error)
            journal.record(_not_begun(error, drive))
        audience.finish(lambda: stop.requested)
        audience.tell_end(journal, record=drive.record)
    if outcome.error is not None:
        world.show_error(outcome.error)
    code = ExitCode.INTERRUPTED if stop.requested else outcome.exit_code
    if outcome.detached:
        world.say(f"the work goes on; `batch-run attach {plan.run_id}` brings its results home")
    if code in CAN_GO_ON and not _needs_another_spec(outcome.error):
        world.say(f"`batch-run resume {plan.run_id}` goes on with the run")
    return code


def _run_on_services(
    drive: Drive,
    journal: Journal,
    audience: Audience,
    lease: str,
    stop: Stop,
    interruptions: Interruptions,
) -> Outcome:
    plan = drive.plan
    with drive.open_services(journal, plan.workload.limits.patience) as services:
        services.heed(stop, audience.say)
        for note in () if drive.past else clearing_notes(plan, services.blobs):
            audience.say(note)
        run = _make_run(drive, services, journal, audience, lease=lease, stop=stop)
        if drive.lock is not None:
            drive.lock.share(run.window)
        audience.watch(
            Gauges(
                doing=run.doing,
                under_way=services.under_way,
                troubles=lambda: services.endurance.troubles,
            )
        )
        _heed(interruptions, run, audience, stop, drive)
        _keep_what_is_loaded()
        outcome = run.execute()
        if outcome.detached or _is_left_for_later(outcome.error):
            services.leave()
        return outcome


def _keep_what_is_loaded() -> None:
    """Has the search for garbage leave out the program and the plan, which stay to the end.

    To look through them but once takes a twentieth of a second.
    """
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD)


def make_output_directory(given: str | None, workload: str, world: World) -> Path:
    """Made now: a place that cannot be written to stops the run before it costs anything."""
    directory = world.working_directory / (given or Path("results") / workload)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=directory):
            pass
    except OSError as error:
        reason = describe_os_error(error)
        raise OutputUnwritableError(
            f"cannot write to the output directory `{directory}`: {reason}",
            hint="choose another one with `--output DIR`",
        ) from error
    return directory


def _is_left_for_later(error: BatchRunError | None) -> bool:
    """Whether the work may go on until somebody takes it up again."""
    return error is not None and (error.is_resumable or isinstance(error, StoppedWaitingError))


def _not_begun(error: BatchRunError, drive: Drive) -> RunFinished:
    past = drive.past
    succeeded = failed = 0
    if past is not None:
        succeeded, failed = past.settled.succeeded, len(past.settled.failures)
    return run_finished(
        error,
        exit_code=error.exit_code,
        tasks=len(drive.plan.tasks),
        succeeded=succeeded,
        failed=failed,
        untouched=past is not None and past.has_begun,
    )


def _make_run(
    drive: Drive,
    services: Services,
    journal: Journal,
    audience: Audience,
    *,
    lease: str,
    stop: Stop,
) -> Run:
    record = drive.record
    outlives_client = services.target == "azure"
    return Run(
        place(drive.plan, storage_endpoint=services.blobs.endpoint),
        Options(
            target=services.target,
            outlives_client=outlives_client,
            output_directory=Path(record.output_directory),
            keep=frozenset(Keep(each) for each in record.keep),
            all_logs=record.logs == "all",
            price=record.price,
            job_time=drive.job_time,
            detach=drive.detach,
        ),
        batch=services.batch,
        blobs=services.blobs,
        journal=journal,
        clock=drive.world.clock,
        stop=stop,
        services_ended=services.ended,
        secrets=drive.secrets,
        tell=say_nothing if drive.quiet else audience.say,
        past=drive.past,
        settled=drive.settled,
        # Services of this machine alone are kept to one client by the lock of the directory.
        holder=lease if outlives_client else None,
        budget=_budget(drive),
    )


def _budget(drive: Drive) -> Budget | None:
    """What the nodes may cost; None where the spec does not say, or where they cost nothing."""
    limit, price = drive.plan.workload.limits.cost, drive.record.price
    if limit is None or price is None or drive.is_local:
        return None
    return Budget(limit, price, drive.node_time or NodeTime())


def _needs_another_spec(error: BatchRunError | None) -> bool:
    """Whether the service would refuse the same again, since the run keeps the spec that it has."""
    if not isinstance(error, SpecRefusedError) or error.refusal is None:
        return False
    return error.refusal.property is not None


def _heed(
    interruptions: Interruptions, run: Run, audience: Audience, stop: Stop, drive: Drive
) -> None:
    """From here on a signal raises nothing: the run ends where it can end in order."""

    def last_word() -> str:
        left = ", ".join(run.what_may_be_left()) or "nothing"
        if drive.is_local and not drive.record.detached:
            left = "nothing, since the local services end with this program"
        audience.stop_showing()
        return f"batch-run: left at once; what may still exist: {left}"

    interruptions.say = audience.say
    interruptions.first_word = lambda: "interrupted: cleaning up; Ctrl-C again leaves at once"
    interruptions.last_word = last_word
    interruptions.stop = stop.request
