"""Takes a run up again, from its directory or from what the services have of it.

It must not know how a run is driven; it finds out what is to be driven.
"""

from __future__ import annotations

import argparse
import json
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import field, replace
from datetime import timedelta
from pathlib import Path

from runner.cli.driving import Drive, drive_run, make_output_directory
from runner.cli.rerunning import LazyServices, open_resumed
from runner.cli.secret_values import asks, read_secrets
from runner.cli.signals import Interruptions
from runner.cli.specs import read_secrets_file
from runner.cli.world import World
from runner.connect import AzureSettings, PreparedEmulator, open_azure, read_azure_settings
from runner.errors import ExitCode, UsageError, describe_os_error
from runner.frozen import dataclass
from runner.plan.expand import expand_again
from runner.plan.input_digests import ListBlobs
from runner.plan.local import without_packages
from runner.plan.model import LOGS, Plan, RunId, container_name
from runner.plan.prices.bounds import bound_by_cost
from runner.plan.snapshot import SNAPSHOT, read_snapshot
from runner.plan.trial import reduce_to_trial
from runner.report.as_json import report_as_json
from runner.report.as_text import plural
from runner.report.journal_fold import fold_journal
from runner.run.events import RunFinished
from runner.run.records.driving import drive as drive_alone
from runner.run.records.journal import create_run_directory, write_whole
from runner.run.records.past import Past, read_past
from runner.run.records.places import RUNS
from runner.run.records.reading import EVENTS, cut_torn_end, read_events
from runner.run.records.record import RECORD, RunRecord, read_record, record_as_json
from runner.run.records.record_blob import SPEC, fetch_record
from runner.run.results.moving import move_home
from runner.run.services import BlobMissingError
from runner.run.spending.budget import Budget
from runner.run.spending.node_time import NodeTime
from runner.run.transfers.downloads import remove_partials
from runner.spec.document import Document
from runner.spec.load import load_workload
from runner.spec.model.terms import SecretName
from runner.spec.model.workload import Workload
from runner.spec.parsing.parameters import Given

REPORT = "report.json"
# A quotation mark within a text has a backslash before it.
_END = f'"type":"{RunFinished.type}"'.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """How a run is to be taken up again."""

    as_json: bool
    quiet: bool
    output: str | None = None
    """Another output directory from here on."""
    secrets: Document | None = field(default=None, repr=False)
    """A file with the values of secret parameters."""
    prepared: PreparedEmulator | None = None
    """What loads the local services already."""


def read_resumption(
    arguments: argparse.Namespace, world: World, *, prepared: PreparedEmulator | None = None
) -> Resumption:
    """As the command line has it; raises `SpecError` with all that is wrong in `--params`."""
    return Resumption(
        as_json=arguments.json,
        quiet=arguments.quiet,
        output=arguments.output,
        secrets=read_secrets_file(arguments.params, world),
        prepared=prepared,
    )


def resume_run(
    directory: Path, resumption: Resumption, world: World, interruptions: Interruptions
) -> int:
    """Goes on with the run of a directory, to its end; the exit code.

    Raises `DriverPresentError` where another process does so already.
    """
    record = read_record(directory)
    with drive_alone(directory) as driver:
        cut_torn_end(directory)
        settings = settings_of(record, world)
        workload = load_again(record, directory, secrets=resumption.secrets)
        node_time, job_time = _spent(record, directory, workload, world)
        plan = plan_again(record, directory, workload)
        past = read_past(directory, plan)
        if resumption.output is not None and past.goes_on:
            here = make_output_directory(resumption.output, record.workload, world)
            record = move_home(directory, record, here)
            past = read_past(directory, plan)
        if record.from_service:
            # Its journal is on the machine that began it.
            past.has_begun = past.has_job = True
        if past.end is not None and not past.goes_on:
            _write_report(record, directory, world)
            if resumption.as_json:
                # Whoever reads events learns from the last one how the run ended.
                world.write(_line_of_end(directory))
            return _tell_ended(record, past.end, world)
        world.say(_describe(record, past, total=len(plan.tasks)))
        for line in _notes(record, resumption.secrets):
            world.say(line)
        values = read_secrets(
            workload,
            world.environ,
            ask=asks(world, quietly=resumption.as_json or resumption.quiet),
        )
        world.redaction.learn(*values.values())
        remove_partials(make_output_directory(record.output_directory, workload.name, world))
        drive = Drive(
            plan=plan,
            record=record,
            settings=settings,
            services=None,
            secrets=values,
            world=world,
            as_json=resumption.as_json,
            quiet=resumption.quiet,
            prepared=resumption.prepared,
            past=past,
            node_time=node_time,
            job_time=job_time,
        )
        with ExitStack() as stack:
            list_left = _lister(settings, values, workload, stack)
            lock = stack.enter_context(
                open_resumed(plan, record, directory, past.settled, list_left=list_left)
            )
            return drive_run(replace(drive, lock=lock), directory, driver.lease, interruptions)


def _lister(
    settings: AzureSettings | None,
    values: Mapping[SecretName, str],
    workload: Workload,
    stack: ExitStack,
) -> ListBlobs | None:
    """What lists containers of Azure once somebody asks; None for the services of this machine."""
    if settings is None:
        return None
    patience = workload.limits.patience
    return LazyServices(
        lambda: open_azure(settings, secrets=values.values(), patience=patience), stack
    ).list_blobs


def fetch_run(run: str, output: str | None, world: World) -> Path:
    """A directory for a run that was begun elsewhere, made from what the services have of it.

    Its outputs come to `output`, by default `results/<workload>` of this folder. Raises
    `UsageError` where there is nothing of it, or where it has a directory here already.
    """
    settings = read_azure_settings(world.environ)
    directory = world.working_directory / RUNS / run
    if directory.exists():
        raise UsageError(
            f"run `{run}` has a directory here", hint=f"`batch-run resume {run}` goes on with it"
        )
    container = container_name(RunId(run), LOGS)
    with open_azure(settings) as services:
        directory = create_run_directory(world.working_directory, RunId(run))
        try:
            fetch_record(services.blobs, container, directory)
            record = read_record(directory)
        except BlobMissingError as error:
            _forget(directory)
            raise UsageError(
                f"{services.blobs.endpoint} has nothing of run `{run}`",
                hint="it may have ended, or never begun: what a run made goes with its end",
            ) from error
        except BaseException:
            _forget(directory)
            raise
    here = make_output_directory(output, record.workload, world)
    ours = replace(record, output_directory=str(here), from_service=True)
    write_whole(directory / RECORD, record_as_json(ours))
    return directory


def settings_of(record: RunRecord, world: World) -> AzureSettings | None:
    """The accounts that the run is in; `UsageError` where the environment names others."""
    if record.target == "local":
        return None
    settings = read_azure_settings(world.environ)
    for what, begun, named in (
        ("Batch account", record.batch_endpoint, settings.batch.endpoint),
        ("storage account", record.storage_endpoint, settings.storage.endpoint),
    ):
        if begun != named:
            raise UsageError(
                f"run `{record.run}` is in the {what} {begun}, and the environment names {named}",
                hint="set the variables that were set when it began",
            )
    return settings


def load_again(record: RunRecord, directory: Path, *, secrets: Document | None = None) -> Workload:
    """The workload as it was, whatever became of its spec's file since.

    `secrets` is a file with values of its secret parameters. Raises `SpecError` where it has others
    than the workload takes, and `UsageError` where the run's directory lacks its spec.
    """
    given = Given(record.parameters, secrets)
    kept = directory / SPEC
    try:
        kept.open("rb").close()
    except OSError as error:  # otherwise told of the user's own file
        raise UsageError(f"cannot read `{kept}`: {describe_os_error(error)}") from error
    workload = load_workload(kept, name=record.spec, given=given)
    if record.trial_seconds is not None:
        workload = reduce_to_trial(workload, timedelta(seconds=record.trial_seconds))
    workload = workload if record.with_packages else without_packages(workload)
    if record.price is not None and record.target != "local":
        workload = bound_by_cost(workload, record.price)
    return workload


def _spent(
    record: RunRecord, directory: Path, workload: Workload, world: World
) -> tuple[NodeTime | None, timedelta | None]:
    """The time of the run's nodes so far, and how long another job may take for what is left.

    None where nothing bounds what they cost.
    """
    limits, price = workload.limits, record.price
    if limits.cost is None or price is None or record.target == "local":
        return None, None
    # The journal of another machine is not here: nodes of its time are known by their allocation.
    node_time = NodeTime(began=record.created if record.from_service else None)
    for at, event in read_events(directory):
        node_time.add(at, event)
    spent = Budget(limits.cost, price, node_time).spent(world.clock.now())
    return node_time, bound_by_cost(workload, price, spent=spent).limits.duration


def plan_again(record: RunRecord, directory: Path, workload: Workload) -> Plan:
    """The plan as it was, whatever became of its files since."""
    return expand_again(
        workload,
        folder=Path(record.folder),
        run_id=record.run,
        snapshot=read_snapshot(directory / SNAPSHOT, workload),
    )


def _write_report(record: RunRecord, directory: Path, world: World) -> None:
    """Anew: whoever drove the run may have died between its last event and its report."""
    report = fold_journal(directory).report
    text = json.dumps(report_as_json(report, run=record.run), indent=2)
    try:
        write_whole(directory / REPORT, f"{text}\n")
    except OSError as error:
        world.say(f"batch-run: cannot write `{REPORT}`: {describe_os_error(error)}")


def _line_of_end(directory: Path) -> bytes:
    """The line of the last `run.finished`, as whoever drove the run has written it."""
    with (directory / EVENTS).open("rb") as stream:
        found = deque((line for line in stream if _END in line), maxlen=1)
    return b"".join(found)


def _tell_ended(record: RunRecord, end: RunFinished, world: World) -> int:
    succeeded = f"{plural(end.succeeded, 'task')} succeeded"
    if not end.failed and not end.unfinished:
        world.say(f"run {record.run} has ended: {succeeded}")
        return ExitCode.SUCCESS
    world.say(
        f"run {record.run} has ended: {succeeded}, {end.failed} failed, {end.unfinished} did not"
        f" run; `batch-run run {record.spec}` runs what did not succeed"
    )
    return end.exit_code


def _describe(record: RunRecord, past: Past, *, total: int) -> str:
    done = len(past.settled)
    where = f"target: {record.target}, as run {record.run} began"
    return f"{where}; {done} of {plural(total, 'task')} {'is' if done == 1 else 'are'} done"


def _notes(record: RunRecord, secrets: Document | None) -> Iterator[str]:
    """Values of a file that the run does not take, since it has begun with others."""
    written = {} if secrets is None else secrets.data
    for name, value in record.parameters.items():
        if name in written and str(written[name]) != str(value):
            yield f"note: `{name}` stays as the run began; `--params` gives it its secrets alone"


def _forget(directory: Path) -> None:
    """Takes back a directory that came to nothing."""
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()
