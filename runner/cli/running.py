"""One run as the user sees it: target, spec, plan, run directory, services, run, digest.

It strings the parts together; what each of them does is theirs.
"""

from __future__ import annotations

import argparse
import secrets
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path

from runner.cli.audience import Audience
from runner.cli.checks import check_runs_here, check_schedule, check_signatures
from runner.cli.clearing import clearing_notes
from runner.cli.listing import list_stored, needs_listing
from runner.cli.notes import asks_for_admin, notes, plan_notes
from runner.cli.progress import choose_display
from runner.cli.secret_values import asks, read_secrets
from runner.cli.signals import Interruptions
from runner.cli.specs import load
from runner.cli.world import World
from runner.connect import (
    SURE_DELEGATION,
    AzureSettings,
    LocalNodes,
    Services,
    choose_target,
    find_nodes,
    finds_engine,
    open_azure,
    open_local,
    read_azure_settings,
)
from runner.errors import BatchRunError, ExitCode, UsageError, describe_os_error
from runner.plan.expand import expand, place
from runner.plan.local import without_packages
from runner.plan.model import Plan
from runner.plan.run_id import new_run_id
from runner.report.plan_as_json import write_plan
from runner.run.cleanup import Keep
from runner.run.events import RunFinished
from runner.run.execute import Options, Outcome, Run
from runner.run.journal import Journal, create_run_directory
from runner.run.stop import Stop
from runner.spec.model.terms import SecretName
from runner.spec.model.workload import Workload


def run_workload(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """From the command line to the exit code; nothing is created before the plan stands."""
    choice = choose_target(arguments.target, world.environ)
    world.say(f"target: {choice.target}, {choice.why}")
    settings = read_azure_settings(world.environ) if choice.target == "azure" else None
    workload, folder = load(arguments.spec, arguments, world)
    signed_for = None
    check_schedule(workload, now=world.clock.now())
    if settings is None:
        check_runs_here(workload, find_engine=partial(finds_engine, world.environ))
    elif settings.storage.key is None:
        signed_for = SURE_DELEGATION
        check_signatures(workload, now=world.clock.now(), lifetime=signed_for)
    run_id = new_run_id(workload.name, world.clock.now(), secrets.token_bytes(3))
    ask = asks(world, quietly=arguments.json or arguments.quiet)
    values = read_secrets(workload, world.environ, ask=ask)
    world.redaction.learn(*values.values())
    nodes = _find_nodes(workload, arguments, world.environ) if settings is None else None
    with ExitStack() as stack:
        services = stored = None
        if settings is not None and needs_listing(workload):
            patience = workload.limits.patience
            services = stack.enter_context(
                open_azure(settings, secrets=values.values(), patience=patience)
            )
            stored = list_stored(workload, services.blobs)
        said = notes(
            workload,
            run_id=run_id,
            keep=arguments.keep,
            allow_admin=arguments.allow_admin,
            local=settings is None,
            nodes=nodes,
            signed_for=signed_for,
        )
        if settings is None and not (arguments.allow_admin or (nodes and nodes.take_admin)):
            workload = without_packages(workload)
        plan = expand(workload, folder=folder, run_id=run_id, stored=stored)
        for note in chain(said, plan_notes(plan, local=settings is None)):
            world.say(note)
        start = _Start(
            arguments=arguments, settings=settings, services=services, secrets=values, world=world
        )
        return _run(plan, start, interruptions)


def _find_nodes(
    workload: Workload, arguments: argparse.Namespace, environ: Mapping[str, str]
) -> LocalNodes | None:
    """What the nodes of the local target are; None where it makes no difference to the run."""
    asked, limits = arguments.isolation, arguments.limits
    if asked == "auto" and limits in {"auto", "none"} and not asks_for_admin(workload):
        return None
    return find_nodes(asked, environ, limits=limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """What a run begins with besides its plan; `services` are open where the plan needed them."""

    arguments: argparse.Namespace
    settings: AzureSettings | None
    services: Services | None
    secrets: Mapping[SecretName, str] = field(repr=False)
    world: World

    @property
    def is_local(self) -> bool:
        """Whether the services end with the run."""
        return self.settings is None

    def open_services(self, journal: Journal, patience: timedelta) -> Services:
        """The services of the target; to be closed, which those that were open before outlive."""
        if self.services is not None:
            return replace(self.services, stack=ExitStack())
        if self.settings is not None:
            return open_azure(self.settings, secrets=self.secrets.values(), patience=patience)
        return open_local(
            state=journal.directory / "emulator",
            allow_admin=self.arguments.allow_admin,
            isolation=self.arguments.isolation,
            limits=self.arguments.limits,
            environ=self.world.environ,
            secrets=self.secrets.values(),
            patience=patience,
        )


def _run(plan: Plan, start: _Start, interruptions: Interruptions) -> int:
    """The run, whose directory is made first; the exit code."""
    arguments, world, workload = start.arguments, start.world, plan.workload
    output_directory = _make_output_directory(arguments.output, workload.name, world)
    directory = create_run_directory(world.working_directory, plan.run_id)
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
        Journal(
            directory,
            run=plan.run_id,
            clock=world.clock.now,
            listener=audience.hear,
            redaction=world.redaction,
        )
    ) as journal:
        _write_down(plan, journal)
        try:
            with start.open_services(journal, workload.limits.patience) as services:
                services.heed(stop, audience.say)
                for note in clearing_notes(plan, services.blobs):
                    audience.say(note)
                run = _make_run(
                    plan,
                    services,
                    start,
                    journal=journal,
                    output_directory=output_directory,
                    stop=stop,
                    tell=_say_nothing if arguments.quiet else audience.say,
                )
                _heed(interruptions, run, audience, stop, world, local=start.is_local)
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


def _make_run(
    plan: Plan,
    services: Services,
    start: _Start,
    *,
    journal: Journal,
    output_directory: Path,
    stop: Stop,
    tell: Callable[[str], None],
) -> Run:
    arguments = start.arguments
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
        clock=start.world.clock,
        stop=stop,
        services_ended=services.ended,
        secrets=start.secrets,
        tell=tell,
    )


def _say_nothing(line: str) -> None:
    """`-q`: only the end is of interest."""


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
