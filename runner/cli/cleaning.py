"""From `clean` on the command line to what is gone: which runs, which services, what goes.

What stays for a reason is decided in `run.tidying`; how it is shown is not its business.
"""

from __future__ import annotations

import argparse
import json
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from runner.cli.local_states import KIND, LocalState, find_state, remove_state
from runner.cli.world import World
from runner.connect import (
    AzureSettings,
    Services,
    Target,
    choose_target,
    open_azure,
    read_azure_settings,
)
from runner.errors import ExitCode, ServiceError, UsageError
from runner.frozen import dataclass
from runner.plan.model import RunId
from runner.report.as_text import plural
from runner.report.tidying import (
    Account,
    Fate,
    Thing,
    account_as_json,
    account_as_text,
    thing_lines,
    thing_of,
)
from runner.run.events import LeftBehind
from runner.run.records.directory import find_run, list_runs
from runner.run.records.driving import DriverPresentError, drive
from runner.run.records.past import note_cleaning
from runner.run.records.record import RunRecord, read_record
from runner.run.records.standing import Standing, find_standing
from runner.run.removal.sweeping import sweep
from runner.run.removal.taking import STILL_LISTED
from runner.run.removal.tidying import Decision, Scope, Tidying, decide, release
from runner.run.removal.traces import Trace, by_run, is_run_id, list_traces
from runner.run.services import Blobs

_CONNECTIONS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """Whose things are looked for, and where."""

    scope: Scope
    run: RunId | None
    """The one that is meant; None for all."""
    directories: tuple[Path, ...]
    target: Target
    settings: AzureSettings | None
    """Of the accounts to look in; None where only this machine is meant."""

    def directory(self, run: RunId) -> Path | None:
        """None for a run that was begun elsewhere."""
        return next((each for each in self.directories if each.name == run), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is, and what is to become of it."""

    decisions: tuple[Decision, ...]
    states: tuple[tuple[Path, LocalState], ...]
    holders: Mapping[RunId, str]
    """By what the services know us, for each run that is not driven here."""

    @property
    def going(self) -> tuple[Trace, ...]:
        """What goes in the services."""
        return tuple(each.trace for each in self.decisions if each.stays_because is None)

    @property
    def going_states(self) -> tuple[tuple[Path, LocalState], ...]:
        """What goes on this machine."""
        return tuple(each for each in self.states if each[1].stays_because is None)


def clean(arguments: argparse.Namespace, world: World) -> int:
    """Takes away what is to go, and tells of each thing; the exit code."""
    search = _search(arguments, world)
    tidying = Tidying(scope=search.scope, takes_kept=arguments.kept, now=world.clock.now())
    with ExitStack() as stack:
        services = None
        if search.settings is not None:
            world.say(f"target: azure, {search.settings.batch.endpoint}")
            services = stack.enter_context(open_azure(search.settings))
        found = _look(search, tidying, services, stack)
        if arguments.all and not (arguments.yes or arguments.dry_run):
            make_sure(found, world)
        account = _tidy(found, search, tidying, services, world, dry_run=arguments.dry_run)
    if arguments.json:
        world.print(json.dumps(account_as_json(account), indent=1, ensure_ascii=False))
    else:
        world.print(account_as_text(account))
    is_left = any(thing.fate is Fate.LEFT for thing in account.things)
    return ExitCode.LEFT_BEHIND if is_left else ExitCode.SUCCESS


def _search(arguments: argparse.Namespace, world: World) -> _Search:
    if arguments.all:
        target = choose_target(arguments.target, world.environ).target
        return _Search(
            scope=Scope.ALL,
            run=None,
            directories=list_runs(world.working_directory),
            target=target,
            settings=read_azure_settings(world.environ) if target == "azure" else None,
        )
    directory = _find_directory(arguments.run, world)
    record = None if directory is None else _read_record(directory)
    if arguments.target is None and record is not None:
        target = choose_target(record.target, {}).target
    else:
        target = choose_target(arguments.target, world.environ).target
    settings = read_azure_settings(world.environ) if target == "azure" else None
    if settings is not None and record is not None and record.target == "azure":
        _check_accounts(record, settings)
    return _Search(
        scope=Scope.LAST if arguments.run is None else Scope.NAMED,
        run=RunId(arguments.run if directory is None else directory.name),
        directories=() if directory is None else (directory,),
        target=target,
        settings=settings,
    )


def _find_directory(run: str | None, world: World) -> Path | None:
    """None for a run that was begun elsewhere: its id is all that is known of it."""
    try:
        return find_run(world.working_directory, run)
    except UsageError:
        if run is None or not is_run_id(run):
            raise
        return None


def _read_record(directory: Path) -> RunRecord | None:
    """None where the run ended before it began, or its record is damaged: its id is enough."""
    try:
        return read_record(directory)
    except UsageError:
        return None


def _check_accounts(record: RunRecord, settings: AzureSettings) -> None:
    for what, begun, named in (
        ("Batch account", record.batch_endpoint, settings.batch.endpoint),
        ("storage account", record.storage_endpoint, settings.storage.endpoint),
    ):
        if begun is not None and begun != named:
            raise UsageError(
                f"run `{record.run}` is in the {what} {begun}, and the environment names {named}",
                hint="set the variables that were set when it began",
            )


def _look(search: _Search, tidying: Tidying, services: Services | None, stack: ExitStack) -> Found:
    """What there is; while the stack is open, nobody takes up a run of which something goes."""
    # First, since a run that we hold ourselves would seem to be driven.
    states = tuple(
        (directory, state)
        for directory in search.directories
        if (state := find_state(directory, search.scope)) is not None
    )
    decisions: list[Decision] = []
    holders: dict[RunId, str] = {}
    if services is not None:
        stranger = str(uuid.uuid4())
        for run, traces in by_run(list_traces(services.batch, services.blobs, search.run)).items():
            try:
                holder = _hold_here(search.directory(run), stack) or stranger
            except DriverPresentError as error:
                why = f"{error.message}; `batch-run cancel {run}` ends it"
                decisions.extend(Decision(trace=each, stays_because=why) for each in traces)
                continue
            batch, blobs = services.batch, services.blobs
            decisions += decide(
                run,
                traces,
                tidying,
                is_home=_is_home(search.directory(run)),
                holder=holder,
                batch=batch,
                blobs=blobs,
            )
            holders[run] = holder
            stack.callback(_let_go, run, holder, blobs)
    return Found(decisions=tuple(decisions), states=states, holders=holders)


def _is_home(directory: Path | None) -> bool:
    """Whether a run's directory says that nothing of its results is missing."""
    record = None if directory is None else _read_record(directory)
    if directory is None or record is None:
        return False
    standing = find_standing(directory, record, driver=None)
    return standing is Standing.LEFT_BEHIND or not standing.is_resumable


def _hold_here(directory: Path | None, stack: ExitStack) -> str | None:
    """What the services know the run's directory by, of which we are the driver from here on."""
    return None if directory is None else stack.enter_context(drive(directory)).lease


def make_sure(found: Found, world: World) -> None:
    """Somebody has to say yes, where anything goes; raises `UsageError` where nobody does."""
    count = len(found.going) + len(found.going_states)
    if not count:
        return
    for line in thing_lines(_things(found)):
        world.say(line)
    if not world.has_someone():
        raise UsageError(
            f"{plural(count, 'thing')} of all runs would go, and there is nobody to ask",
            hint="`--yes` says that they are to go, `--dry-run` only shows them",
        )
    answer = world.ask(f"remove {plural(count, 'thing')}? (yes or no) ")
    if (answer or "").strip().lower() not in {"yes", "y"}:
        raise UsageError("nothing was removed")


def _things(found: Found) -> tuple[Thing, ...]:
    """All that was found, before anything of it goes."""
    things = [
        thing_of(each.trace, Fate.WOULD_GO)
        if each.stays_because is None
        else thing_of(each.trace, Fate.STAYS, each.stays_because)
        for each in found.decisions
    ]
    things.extend(
        _thing_of_state(state, Fate.STAYS if state.stays_because else Fate.WOULD_GO)
        for _, state in found.states
    )
    # Of each run what is in the services, then what is here.
    runs = list(dict.fromkeys(thing.run for thing in things))
    return tuple(sorted(things, key=lambda thing: runs.index(thing.run)))


def _tidy(
    found: Found,
    search: _Search,
    tidying: Tidying,
    services: Services | None,
    world: World,
    *,
    dry_run: bool,
) -> Account:
    things = _things(found)
    checked: datetime | None = world.clock.now() if services is not None else None
    if not dry_run:
        left = _remove(found, search, replace(tidying, now=world.clock.now()), services)
        checked = world.clock.now() if services is not None else None
        things = tuple(
            thing
            if thing.fate is not Fate.WOULD_GO
            else replace(thing, fate=Fate.LEFT, why=left[thing.kind, thing.name])
            if (thing.kind, thing.name) in left
            else replace(thing, fate=Fate.GONE)
            for thing in things
        )
    return Account(things=things, target=search.target, dry_run=dry_run, checked_at=checked)


def _remove(
    found: Found, search: _Search, tidying: Tidying, services: Services | None
) -> dict[tuple[str, str], str]:
    """What is still there although it was to go, by kind and name, and why."""
    left: dict[tuple[str, str], str] = {}
    if services is not None and found.going:
        runs = by_run(found.going)
        remove = partial(
            _remove_run, found=found, search=search, tidying=tidying, services=services
        )
        with ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="clean") as pool:
            for stayed in pool.map(remove, runs.keys(), runs.values()):
                left.update(((each.kind, each.name), each.why) for each in stayed)
        gone = {(trace.kind, trace.name) for trace in found.going}
        for trace in list_traces(services.batch, services.blobs, search.run):
            if (trace.kind, trace.name) in gone:
                left.setdefault((trace.kind.value, trace.name), STILL_LISTED)
    for directory, state in found.going_states:
        try:
            remove_state(directory, state)
        except ServiceError as error:
            left[KIND, str(state.path)] = error.message
    return left


def _remove_run(
    run: RunId,
    traces: tuple[Trace, ...],
    *,
    found: Found,
    search: _Search,
    tidying: Tidying,
    services: Services,
) -> tuple[LeftBehind, ...]:
    """What stayed of one run, which somebody may have taken up since we looked."""
    directory = search.directory(run)

    def begin() -> None:
        if directory is not None:
            note_cleaning(directory)

    return sweep(
        run,
        traces,
        tidying,
        is_home=_is_home(directory),
        holder=found.holders[run],
        batch=services.batch,
        blobs=services.blobs,
        begin=begin,
    )


def _let_go(run: RunId, holder: str, blobs: Blobs) -> None:
    """What is held is let go by itself after a minute, if it cannot be now."""
    with suppress(ServiceError):
        release(run, holder, blobs)


def _thing_of_state(state: LocalState, fate: Fate) -> Thing:
    return Thing(
        run=state.run,
        kind=KIND,
        name=str(state.path),
        fate=fate,
        why=state.stays_because,
        state="its emulator runs" if state.is_at_work else "",
        size_bytes=state.size_bytes,
    )
