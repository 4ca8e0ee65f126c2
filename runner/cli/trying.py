"""`doctor --run`: checks a spec, runs its first task on one node, and proves that nothing is left.

The run is one as any other, of a smaller workload; it must not know how that goes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from runner.cli.commands import run
from runner.cli.driving import OutputUnwritableError
from runner.cli.examining import SECONDS, find_groups, show_group, tell_end
from runner.cli.local_states import find_state, remove_state
from runner.cli.pricing import Asked, NoPriceError, find_price, read_asked
from runner.cli.signals import Interruptions
from runner.cli.spec_examination import read_specs
from runner.cli.world import World
from runner.connect import (
    AzureSettings,
    Target,
    choose_target,
    open_azure,
    preparing_local,
    read_azure_settings,
)
from runner.errors import BatchRunError, ExitCode, UsageError, most_severe
from runner.plan.model import RunId
from runner.plan.prices.bounds import most_nodes
from runner.plan.prices.node_price import write_amount
from runner.plan.trial import GRACE, reduce_to_trial
from runner.remote.examination.account import Examination
from runner.report.as_text import plural
from runner.report.stages import Stage, fold_stages
from runner.run.diagnosis.finding import (
    Area,
    Finding,
    Group,
    exit_code,
    of_error,
    ok,
    unknown,
    wrong,
)
from runner.run.events import Event, PoolChanged, StartTaskFailed, TaskFinished
from runner.run.records.driving import drive
from runner.run.records.past import note_cleaning
from runner.run.records.reading import read_events
from runner.run.removal.sweeping import sweep
from runner.run.removal.tidying import Scope, Tidying
from runner.run.removal.traces import Kind, list_traces
from runner.run.results.results_store import OutputInUseError
from runner.spec.duration import parse_duration, write_duration

_Events = list[tuple[datetime, Event]]
_FIRST = "1"
_LONGEST = timedelta(days=1)


def try_spec(
    arguments: argparse.Namespace, world: World, interruptions: Interruptions, *, within: str
) -> int:
    """The exit code of the run, 5 where anything of it is left, 2 or 3 where it was not begun."""
    limit = _read_limit(within)
    choice = choose_target(arguments.target, world.environ)
    began = world.clock.monotonic()
    groups: list[Group] = []
    for group in find_groups(arguments, world, choice):
        groups.append(group)
        if not arguments.json:
            show_group(group, world)
    code = exit_code(groups)
    if code is not ExitCode.SUCCESS:
        tell_end(groups, arguments, world, target=choice.target, began=began)
        world.say("nothing was run: mend the errors first")
        return code
    cost = _bound(arguments, world, choice.target, limit)
    _make_sure(arguments, world, choice.target, cost)
    made: list[Path] = []
    ended = _run(arguments, world, interruptions, choice.target, limit, tell_directory=made.append)
    trial = _judge(ended, made, world, choice.target, cost)
    groups.append(trial)
    if not arguments.json:
        show_group(trial, world)
    tell_end(groups, arguments, world, target=choice.target, began=began)
    return most_severe(ended, exit_code([trial]))


def _read_limit(within: str) -> timedelta:
    try:
        limit = parse_duration(within)
    except ValueError as error:
        raise UsageError(f"`--within`: {error}") from error
    if not timedelta() < limit <= _LONGEST:
        raise UsageError(f"`--within {within}`: more than nothing, and a day at most")
    return limit


def _bound(
    arguments: argparse.Namespace, world: World, target: Target, limit: timedelta
) -> Finding:
    """What the trial may cost at most, in time of nodes and, where somebody tells it, in money."""
    if target == "local":
        return ok("cost", "nothing, on this machine")
    (spec,) = read_specs(arguments, world)
    assert spec.workload is not None  # else there were errors
    trial = reduce_to_trial(spec.workload, limit)
    longest = limit + GRACE
    nodes = most_nodes(trial.pool)
    if nodes is None:
        return ok("cost", "what your own pool costs anyway")
    count = nodes.dedicated + nodes.spot
    bound = (
        f"{plural(count, 'node')} for {write_duration(longest)} at most: the service ends the job"
        f" after {write_duration(limit)}, and takes the pool with it"
    )
    try:
        price = find_price(
            trial,
            read_asked(arguments.prices, world.environ) or Asked(),
            world,
            endpoint=read_azure_settings(world.environ).batch.endpoint,
            ask_pool=lambda _: None,
        )
    except NoPriceError as error:
        return unknown("cost", f"{bound}; price not known: {error.message}", error.hint or "")
    seconds = longest.total_seconds()
    amount = price.amount(
        dedicated_seconds=nodes.dedicated * seconds, spot_seconds=nodes.spot * seconds
    )
    if amount is None:
        return unknown(
            "cost",
            f"{bound}; {price.source} has no price of such nodes",
            "give a table of your own that has one: `--prices FILE`",
        )
    money = write_amount(amount, price.currency)
    return ok("cost", f"{money} at most by {price.source}: {bound}")


def _make_sure(arguments: argparse.Namespace, world: World, target: Target, cost: Finding) -> None:
    """Says what it may cost, and has somebody say yes; raises `UsageError` where nobody does."""
    if target == "local":
        return
    world.say(cost.seen)
    if arguments.yes:
        return
    if not world.has_someone():
        raise UsageError(
            "a run on Azure costs money, and there is nobody to ask",
            hint="`--yes` says that it may",
        )
    answer = world.ask("run it? (yes or no) ")
    if (answer or "").strip().lower() not in {"yes", "y"}:
        raise UsageError("nothing was run")


def _run(
    arguments: argparse.Namespace,
    world: World,
    interruptions: Interruptions,
    target: Target,
    limit: timedelta,
    *,
    tell_directory: Callable[[Path], None],
) -> ExitCode:
    """The run of the first task, with everything that it is told; its exit code."""
    from runner.cli.running import run_workload

    spec = arguments.specs[0]
    words = [spec, "--target", target, "--only", _FIRST, "--force", "--logs", "all"]
    words += ["--output", str(Path("results") / f"{Path(spec).stem}-doctor")]
    words += [f"-p{each}" for each in arguments.parameters]
    words += [] if arguments.params is None else ["--params", arguments.params]
    words += [] if arguments.prices is None else ["--prices", arguments.prices]
    parser = argparse.ArgumentParser()
    run.add_arguments(parser)
    with preparing_local(world.environ, wanted=target == "local") as prepared:
        try:
            code = run_workload(
                parser.parse_args(words),
                world,
                interruptions,
                target,
                prepared,
                trial=limit,
                tell_directory=tell_directory,
            )
        except OutputInUseError as error:
            # What else a run could be told to do, nobody can tell `doctor`.
            hint = "a trial of a spec has one output directory: wait for the end of that run"
            raise UsageError(error.message, hint=hint) from error
        except OutputUnwritableError as error:
            raise UsageError(error.message, hint="try it in a folder of your own") from error
    return ExitCode(code)


def _judge(
    ended: ExitCode, made: Sequence[Path], world: World, target: Target, cost: Finding
) -> Group:
    """What the run's own journal tells of it, and what both accounts still list.

    Never that of another run, which may begin in the same folder meanwhile.
    """
    if not made:
        finding = wrong("trial", "no run was begun", "the lines above say why", code=ended)
        return Group(area=Area.TRIAL, findings=(finding,))
    (directory,) = made
    events = list(read_events(directory))
    shown = f"`batch-run status {directory.name}` shows it; the folder's last run stays what it was"
    findings = [
        ok("run", f"{directory.name}: {shown}"),
        cost,
        *map(_stage, fold_stages(events)),
        _judge_task(ended, events, directory.name),
        _prove(directory, world, target),
    ]
    return Group(area=Area.TRIAL, findings=tuple(findings))


def _stage(stage: Stage) -> Finding:
    if stage.lasted is None:
        return unknown(stage.name, "not seen to its end")
    return ok(stage.name, f"{stage.lasted.total_seconds():.1f} s")


def _judge_task(ended: ExitCode, events: _Events, run_id: str) -> Finding:
    task = next((each for _, each in reversed(events) if isinstance(each, TaskFinished)), None)
    if task is not None and task.succeeded and ended is ExitCode.SUCCESS:
        return ok("task", f"succeeded on node {task.node}")
    seen = _why_none(events)
    if task is not None:
        code = "" if task.exit_code is None else f", exit code {task.exit_code}"
        seen = f"task {task.task} failed: {task.cause}{code}"
        if task.succeeded:
            seen = f"the task succeeded, and the run ended with {int(ended)}"
    fix = f"`batch-run status {run_id}` and `batch-run logs 1 {run_id}` tell what is known"
    return wrong("task", seen, fix, code=ended or ExitCode.TASKS_FAILED)


def _why_none(events: _Events) -> str:
    """Why no task has ended, as far as nodes tell."""
    for _, event in reversed(events):
        if isinstance(event, StartTaskFailed):
            lines = event.stderr_tail.strip().splitlines()
            last = f": {lines[-1]}" if lines else ""
            return f"the {event.command} failed on node {event.node}{last}"
        if isinstance(event, PoolChanged) and event.errors:
            return f"the pool got no node: {event.errors[0]}"
    return "no task has ended"


def _prove(directory: Path, world: World, target: Target) -> Finding:
    """That nothing is left: asked anew, by clients that did not make it."""
    run_id = RunId(directory.name)
    try:
        if target == "local":
            return _prove_here(directory, run_id)
        settings = read_azure_settings(world.environ)
        _remove_rest(directory, run_id, settings, world)
        with closing(
            Examination(settings, environ=world.environ, clock=world.clock, seconds=SECONDS)
        ) as account:
            traces = account.list_traces(run_id)
    except BatchRunError as error:
        return of_error("removed", error, f"`batch-run clean {run_id}` takes away what is left")
    if not traces:
        kinds = ", ".join(f"{kind.value}s" for kind in Kind)
        return ok("removed", f"both accounts list none of: {kinds} of run {run_id}")
    left = ", ".join(f"{each.kind.value} {each.name}" for each in traces)
    return wrong(
        "removed",
        f"still listed: {left}",
        f"`batch-run clean {run_id}` takes it away",
        code=ExitCode.LEFT_BEHIND,
    )


def _remove_rest(directory: Path, run_id: RunId, settings: AzureSettings, world: World) -> None:
    """Takes away what a run keeps that failed or was broken off: nobody goes on with a trial."""
    with open_azure(settings) as services, drive(directory) as driver:
        batch, blobs = services.batch, services.blobs
        going = list_traces(batch, blobs, run_id)
        if going:
            sweep(
                run_id,
                going,
                Tidying(scope=Scope.NAMED, takes_kept=True, now=world.clock.now()),
                is_home=True,
                holder=driver.lease,
                batch=batch,
                blobs=blobs,
                begin=partial(note_cleaning, directory),
            )


def _prove_here(directory: Path, run_id: RunId) -> Finding:
    """The services of this machine end with the run, and their state goes with them."""
    state = find_state(directory, Scope.NAMED)
    if state is not None:
        remove_state(directory, state)
    return ok("removed", f"the local services of run {run_id} have ended, and their state is gone")
