"""One run as the user asks for it: target, spec, plan, and how it is to be driven.

It strings the parts together; what each of them does is theirs.
"""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path

from runner import __version__
from runner.cli.checks import check_runs_here, check_schedule, check_signatures
from runner.cli.driving import Drive, drive_run, make_output_directory, write_down
from runner.cli.listing import list_stored, needs_listing
from runner.cli.notes import asks_for_admin, cost_notes, detach_notes, notes, plan_notes
from runner.cli.origins import versions
from runner.cli.pricing import price_for_run
from runner.cli.rerunning import LazyServices, open_rerun
from runner.cli.secret_values import asks, read_secrets
from runner.cli.signals import Interruptions
from runner.cli.specs import find_spec, load
from runner.cli.world import World
from runner.connect import (
    SURE_DELEGATION,
    AzureSettings,
    LocalNodes,
    PreparedEmulator,
    Target,
    find_nodes,
    finds_engine,
    open_azure,
    read_azure_settings,
)
from runner.plan.expand import expand
from runner.plan.local import without_packages
from runner.plan.model import Plan
from runner.plan.prices.bounds import bound_by_cost
from runner.plan.prices.node_price import NodePrice
from runner.plan.run_id import new_run_id
from runner.plan.trial import reduce_to_trial
from runner.run.pools.making import find_vm_size
from runner.run.records.driving import drive as drive_alone
from runner.run.records.git_state import find_git_state
from runner.run.records.journal import create_run_directory
from runner.run.records.record import RunRecord
from runner.run.results.evidence import Place
from runner.run.results.rerun import rerun_lines
from runner.spec.model.workload import Workload


def run_workload(
    arguments: argparse.Namespace,
    world: World,
    interruptions: Interruptions,
    target: Target,
    prepared: PreparedEmulator | None,
    *,
    trial: timedelta | None = None,
    tell_directory: Callable[[Path], None] | None = None,
) -> int:
    """From the command line to the exit code; nothing is created before the plan stands.

    `prepared` is what loads the services of the local target already. A `trial` is a run of the
    workload with one node, for so long at most, and does not become the folder's last run.
    `tell_directory` takes the run's own, as soon as it is there.
    """
    settings = read_azure_settings(world.environ) if target == "azure" else None
    workload, folder = load(arguments.spec, arguments, world)
    if trial is not None:
        workload = reduce_to_trial(workload, trial)
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
        lazily = stored = None
        if settings is not None:
            patience = workload.limits.patience
            lazily = LazyServices(
                lambda: open_azure(settings, secrets=values.values(), patience=patience), stack
            )
        price = price_for_run(
            workload,
            arguments.prices,
            world,
            endpoint=None if settings is None else settings.batch.endpoint,
            ask_pool=partial(_ask_pool, lazily),
        )
        if price is not None and settings is not None:
            workload = bound_by_cost(workload, price)
        if lazily is not None and needs_listing(workload):
            stored = list_stored(workload, lazily.open().blobs)
        said = notes(
            workload,
            run_id=run_id,
            keep=arguments.keep,
            allow_admin=arguments.allow_admin,
            local=settings is None,
            nodes=nodes,
            signed_for=signed_for,
        )
        with_packages = bool(
            settings is not None or arguments.allow_admin or (nodes and nodes.take_admin)
        )
        if not with_packages:
            workload = without_packages(workload)
        plan = expand(workload, folder=folder, run_id=run_id, stored=stored, keeps_tasks=True)
        for note in chain(said, plan_notes(plan, local=settings is None)):
            world.say(note)
        output_directory = make_output_directory(arguments.output, workload.name, world)
        place = Place(
            working_directory=world.working_directory,
            output_directory=output_directory,
            target=target,
            began=world.clock.now(),
        )
        rerun = stack.enter_context(
            open_rerun(
                plan,
                place,
                stored=stored,
                list_blobs=None if lazily is None else lazily.list_blobs,
                force=arguments.force,
                only=arguments.only,
            )
        )
        late = detach_notes(workload) if arguments.detach else ()
        of_cost = () if settings is None else cost_notes(workload, detach=arguments.detach)
        for line in chain(rerun.notes(), rerun_lines(rerun.verdict.decisions), late, of_cost):
            world.say(line)
        drive = Drive(
            plan=plan,
            settled=rerun.settled,
            record=_make_record(
                plan,
                arguments,
                place,
                settings,
                spec=find_spec(arguments.spec, world).resolve(),
                with_packages=with_packages,
                trial=trial,
                price=price,
            ),
            settings=settings,
            services=None if lazily is None else lazily.services,
            prepared=prepared,
            secrets=values,
            world=world,
            as_json=arguments.json,
            quiet=arguments.quiet,
            detach=arguments.detach,
        )
        directory = create_run_directory(world.working_directory, run_id, is_last=trial is None)
        if tell_directory is not None:
            tell_directory(directory)
        with drive_alone(directory) as driver, rerun.begin(directory) as lock:
            write_down(drive, directory)
            return drive_run(replace(drive, lock=lock), directory, driver.lease, interruptions)


def _make_record(
    plan: Plan,
    arguments: argparse.Namespace,
    place: Place,
    settings: AzureSettings | None,
    *,
    spec: Path,
    with_packages: bool,
    trial: timedelta | None,
    price: NodePrice | None,
) -> RunRecord:
    """How the run was asked for; `spec` is its file."""
    return RunRecord(
        run=plan.run_id,
        workload=plan.workload.name,
        version=__version__,
        created=place.began,
        spec=str(spec),
        folder=str(spec.parent),
        parameters=dict(plan.workload.parameters),
        target=place.target,
        output_directory=str(place.output_directory),
        keep=tuple(arguments.keep),
        logs=arguments.logs,
        allow_admin=arguments.allow_admin,
        isolation=arguments.isolation,
        limits=arguments.limits,
        batch_endpoint=None if settings is None else settings.batch.endpoint,
        storage_endpoint=None if settings is None else settings.storage.endpoint,
        detached=arguments.detach,
        with_packages=with_packages,
        trial_seconds=None if trial is None else trial.total_seconds(),
        git=find_git_state(spec),
        made_with=versions(),
        price=price,
    )


def _ask_pool(lazily: LazyServices | None, pool_id: str) -> str | None:
    """The VM size of a pool of the user's; None where there is nobody to ask."""
    return None if lazily is None else find_vm_size(lazily.open().batch, pool_id)


def _find_nodes(
    workload: Workload, arguments: argparse.Namespace, environ: Mapping[str, str]
) -> LocalNodes | None:
    """What the nodes of the local target are; None where it makes no difference to the run."""
    asked, limits = arguments.isolation, arguments.limits
    if asked == "auto" and limits in {"auto", "none"} and not asks_for_admin(workload):
        return None
    return find_nodes(asked, environ, limits=limits)
