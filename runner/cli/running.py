"""One run as the user sees it: target, spec, plan, run directory, services, run, digest.

It strings the parts together; what each of them does is theirs.
"""

from __future__ import annotations

import argparse
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from runner.cli.audience import Audience
from runner.cli.progress import choose_display
from runner.cli.signals import Interruptions
from runner.cli.specs import load
from runner.cli.world import World
from runner.connect import (
    AzureSettings,
    Services,
    choose_target,
    open_azure,
    open_local,
    read_azure_settings,
)
from runner.errors import BatchRunError, ExitCode, UsageError, describe_os_error
from runner.plan.expand import expand, place
from runner.plan.model import Plan
from runner.plan.run_id import new_run_id
from runner.report.plan_as_json import write_plan
from runner.run.cleanup import Keep
from runner.run.clock import Clock
from runner.run.events import RunFinished
from runner.run.execute import Options, Outcome, Run
from runner.run.journal import Journal, create_run_directory
from runner.run.stop import Stop
from runner.spec.pool import NewPool
from runner.spec.terms import Elevation
from runner.spec.workload import Delete, ExistingContainer, OwnContainer, Workload


def run_workload(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """From the command line to the exit code; nothing is created before the plan stands."""
    choice = choose_target(arguments.target, world.environ)
    world.say(f"target: {choice.target}, {choice.why}")
    settings = read_azure_settings(world.environ) if choice.target == "azure" else None
    workload, folder = load(arguments.spec, arguments, world)
    run_id = new_run_id(workload.name, world.clock.now(), secrets.token_bytes(3))
    plan = expand(workload, folder=folder, run_id=run_id)
    output_directory = _make_output_directory(arguments.output, workload.name, world)
    for note in _notes(workload, arguments, local=settings is None):
        world.say(note)
    directory = create_run_directory(world.working_directory, run_id)
    audience = Audience(
        plan,
        display=choose_display(
            world,
            quiet=arguments.quiet,
            prints=workload.prints,
        ),
        directory=directory,
        world=world,
        as_json=arguments.json,
    )
    stop = Stop()
    with closing(
        Journal(directory, run=run_id, clock=world.clock.now, listener=audience.hear)
    ) as journal:
        _write_down(plan, journal)
        try:
            with _open_services(settings, arguments, journal, world) as services:
                run = _make_run(
                    plan,
                    services,
                    arguments,
                    journal=journal,
                    output_directory=output_directory,
                    clock=world.clock,
                    stop=stop,
                )
                _heed(interruptions, run, audience, stop, world, local=settings is None)
                outcome = run.execute()
        except BatchRunError as error:
            # The services could not be opened: nothing was made.
            outcome = Outcome(exit_code=error.exit_code, error=error)
            journal.record(
                RunFinished(
                    exit_code=error.exit_code,
                    succeeded=0,
                    failed=0,
                    unfinished=len(plan.tasks),
                    error=error.message,
                )
            )
        audience.finish(lambda: stop.requested)
        audience.tell_end(journal, output_directory=output_directory)
    if outcome.error is not None:
        world.show_error(outcome.error)
    return ExitCode.INTERRUPTED if stop.requested else outcome.exit_code


def _write_down(plan: Plan, journal: Journal) -> None:
    try:
        journal.write("spec.yaml", plan.workload.document.text)
        write_plan(journal.directory / "plan.json", plan)
    except OSError as error:
        reason = describe_os_error(error)
        raise UsageError(f"cannot write the run's directory: {reason}") from error


def _open_services(
    settings: AzureSettings | None,
    arguments: argparse.Namespace,
    journal: Journal,
    world: World,
) -> Services:
    if settings is not None:
        return open_azure(settings)
    return open_local(
        state=journal.directory / "emulator",
        allow_admin=arguments.allow_admin,
        environ=world.environ,
    )


def _make_run(
    plan: Plan,
    services: Services,
    arguments: argparse.Namespace,
    *,
    journal: Journal,
    output_directory: Path,
    clock: Clock,
    stop: Stop,
) -> Run:
    return Run(
        place(plan, storage_endpoint=services.blobs.endpoint),
        Options(
            target=services.target,
            outlives_client=services.target == "azure",
            output_directory=output_directory,
            keep=frozenset(Keep(each) for each in arguments.keep),
            all_logs=arguments.logs == "all",
        ),
        batch=services.batch,
        blobs=services.blobs,
        journal=journal,
        clock=clock,
        stop=stop,
        services_ended=services.ended,
    )


def _heed(
    interruptions: Interruptions,
    run: Run,
    audience: Audience,
    stop: Stop,
    world: World,
    *,
    local: bool,
) -> None:
    """From here on a signal raises nothing: the run ends where it can end in order."""

    def last_word() -> str:
        left = ", ".join(run.what_may_be_left()) or "nothing"
        if local:
            left = "nothing, since the local services end with this program"
        # The bars have hidden the cursor, and will not get to show it again.
        cursor = "\x1b[?25h" if world.stderr.isatty() else ""
        return f"{cursor}batch-run: left at once; what may still exist: {left}"

    interruptions.say = audience.say
    interruptions.first_word = lambda: "interrupted: cleaning up; Ctrl-C again leaves at once"
    interruptions.last_word = last_word
    interruptions.stop = stop.request


def _make_output_directory(given: str | None, workload: str, world: World) -> Path:
    """Made now: a place that cannot be written to stops the run before it costs anything."""
    directory = world.working_directory / (given or Path("results") / workload)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        reason = describe_os_error(error)
        raise UsageError(
            f"cannot write to the output directory `{directory}`: {reason}",
            hint="choose another one with `--output DIR`",
        ) from error
    return directory


def _notes(workload: Workload, arguments: argparse.Namespace, *, local: bool) -> Iterator[str]:
    targets = {output.to for step in workload.steps for output in step.outputs}
    for container in workload.containers:
        if isinstance(container, ExistingContainer):
            continue
        kept = container.delete is Delete.NEVER and not local
        if container.role in targets and not container.download and not kept:
            yield (
                f"note: outputs go to `{container.role}`, which is deleted after the run and not"
                " downloaded (`download: true` brings them home, `delete: never` keeps them)"
            )
    if not local:
        return
    pool = workload.pool
    start_task = pool.start_task if isinstance(pool, NewPool) else None
    if start_task is not None and start_task.run_as is Elevation.ADMIN:
        if arguments.allow_admin:
            yield "note: the start task runs as admin on this machine (--allow-admin)"
        else:
            yield (
                "note: the start task asks for admin and is not run on this machine; what it"
                " installs must be here already (--allow-admin runs it)"
            )
    if arguments.keep or any(
        isinstance(each, OwnContainer) and each.delete is Delete.NEVER
        for each in workload.containers
    ):
        yield "note: nothing is kept on the local target: its services end with the run"
