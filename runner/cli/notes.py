"""What somebody should know before a run begins: what is not kept, what stays and what it costs.

It must not know how a run goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from runner.connect import LocalNodes
from runner.plan.model import Plan
from runner.plan.prices.bounds import most_nodes
from runner.report.as_text import plural, printable
from runner.report.secret_uses import secret_uses
from runner.run.events import format_moment
from runner.run.tasks.retries import keeps_job_open
from runner.spec.duration import write_duration
from runner.spec.model.pool import ExistingPool, NewPool
from runner.spec.model.terms import Elevation, Role, SecretName
from runner.spec.model.workload import Delete, OwnContainer, Schedule, Workload
from runner.spec.validation.rules.uses import step_resources

_LINKS_SHOWN = 3


def notes(
    workload: Workload,
    *,
    run_id: str,
    keep: Sequence[str],
    allow_admin: bool,
    local: bool,
    nodes: LocalNodes | None = None,
    signed_for: timedelta | None = None,
) -> Iterator[str]:
    """Lines for people; `keep` are the words of `--keep`, `nodes` what those of the local target
    are, where somebody asked for that or it makes a difference.

    `signed_for` is how long tasks surely reach their containers, None where it is long enough.
    """
    yield from _on_outputs(workload, keep, local=local)
    duration = workload.limits.duration
    if signed_for is not None and duration > signed_for:
        yield (
            "note: without the storage account's key tasks reach their containers for"
            f" {write_duration(signed_for)} only, and `limits.duration` is"
            f" {write_duration(duration)}"
        )
    if workload.job.schedule is not None:
        yield _on_schedule(workload.job.schedule, run_id)
    if local:
        yield from _on_nodes_here(workload, nodes, allow_admin=allow_admin)
        yield from _on_what_is_kept_here(workload, keep)
    elif "pool" in keep:
        yield from _on_kept_pools(workload)


def cost_notes(workload: Workload, *, detach: bool) -> Iterator[str]:
    """Lines for people about who keeps to `limits.cost` on Azure, where not everybody does."""
    limits = workload.limits
    if limits.cost is None:
        return
    longest = write_duration(limits.duration)
    if detach and limits.is_cost_bound:
        yield (
            "note: with `--detach` nobody adds up what nodes cost: for `limits.cost` the service"
            f" ends the job after {longest}"
        )
    elif detach:
        yield (
            "note: with `--detach` nobody adds up what nodes cost: the service ends the job by"
            f" `limits.duration` alone ({longest})"
        )
    elif most_nodes(workload.pool) is None:
        yield (
            "note: nobody can tell how many nodes there will be: `limits.cost` holds as long as"
            " this machine drives the run"
        )


def detach_notes(workload: Workload) -> Iterator[str]:
    """Lines for people about what is different where nobody waits for the tasks."""
    if keeps_job_open(workload):
        yield (
            "note: with `--detach` the service alone runs tasks again: of `retries` only exit codes"
            " count"
        )
    if any(step.needs for step in workload.steps):
        yield (
            "note: with `--detach`, where tasks wait for one that has failed, the job ends only by"
            f" `limits.duration` ({write_duration(workload.limits.duration)}) or `attach`"
        )


def plan_notes(plan: Plan, *, local: bool) -> Iterator[str]:
    """Lines for people about what a run gives away: files from elsewhere, values of secrets; and
    what it passes over."""
    found = [each.outside_links for each in plan.containers if each.outside_links.count]
    count = sum(links.count for links in found)
    if count:
        links = [f"{path} → {target}" for each in found for path, target in each.first]
        more = f" and {count - _LINKS_SHOWN:,} more" if count > _LINKS_SHOWN else ""
        them = "is a link" if count == 1 else "are links"
        yield printable(
            f"note: {plural(count, 'file')} to bring up {them} out of the folder of the spec:"
            f" {', '.join(links[:_LINKS_SHOWN])}{more}"
        )
    passed = [each.passed_over for each in plan.containers]
    count = sum(each.count for each in passed)
    if count:
        shown = [f"{path} ({what})" for each in passed for path, what in each.first]
        more = f" and {count - _LINKS_SHOWN:,} more" if count > _LINKS_SHOWN else ""
        yield printable(
            "note: not brought up, as links to folders and what is no file are passed over:"
            f" {', '.join(shown[:_LINKS_SHOWN])}{more}"
        )
    if local:
        return  # no value leaves this machine
    uses: dict[SecretName, list[str]] = {}
    for name, use in secret_uses(plan.workload.pool):
        uses.setdefault(name, []).append(use)
    for name, where in uses.items():
        yield printable(f"note: secret {name} goes to {' and to '.join(dict.fromkeys(where))}")


def _on_outputs(workload: Workload, keep: Sequence[str], *, local: bool) -> Iterator[str]:
    """Outputs that nobody gets to see."""
    targets = {output.to for step in workload.steps for output in step.outputs}
    targets -= _read_by_steps(workload)
    for container in workload.containers:
        if not isinstance(container, OwnContainer) or container.role not in targets:
            continue
        is_kept = not local and (container.delete is Delete.NEVER or "storage" in keep)
        if not container.download and not is_kept:
            yield (
                f"note: outputs go to `{container.role}`, which is deleted after the run and not"
                " downloaded (`download: true` brings them home, `delete: never` keeps them)"
            )


def _read_by_steps(workload: Workload) -> set[Role]:
    """Containers between steps: what they hold has been used when the run ends."""
    read = {resource.role for step in workload.steps for resource in step_resources(step)}
    needed = {name for step in workload.steps for name in step.needs}
    return read | {output.to for name in needed for output in workload.step(name).outputs}


def _on_schedule(schedule: Schedule, run_id: str) -> str:
    return (
        f"note: this run makes the job schedule `{run_id}` and ends; the service then runs a job"
        f" every {write_duration(schedule.every)} until {format_moment(schedule.end)}"
        f" (az batch job-schedule delete --job-schedule-id {run_id} ends it sooner)"
    )


def asks_for_admin(workload: Workload) -> bool:
    """Whether nodes are to be set up by an admin, which not every local node allows."""
    pool = workload.pool
    return isinstance(pool, NewPool) and bool(pool.packages or _admin_sets_up(pool))


def _admin_sets_up(pool: NewPool) -> bool:
    return pool.start_task is not None and pool.start_task.run_as is Elevation.ADMIN


def _on_nodes_here(
    workload: Workload, nodes: LocalNodes | None, *, allow_admin: bool
) -> Iterator[str]:
    pool = workload.pool
    if nodes is not None:
        yield f"note: {nodes.words}"
    if not isinstance(pool, NewPool) or (nodes is not None and nodes.take_admin):
        return
    if pool.packages:
        if allow_admin:
            yield "note: missing packages are installed on this machine (--allow-admin)"
        else:
            yield (
                "note: `packages` are not installed on this machine; what the tasks need of them"
                " must be here already (--allow-admin installs them)"
            )
    if _admin_sets_up(pool):
        if allow_admin:
            yield "note: the start task runs as admin on this machine (--allow-admin)"
        else:
            yield (
                "note: the start task asks for admin and is not run on this machine; what it"
                " installs must be here already (--allow-admin runs it)"
            )


def _on_what_is_kept_here(workload: Workload, keep: Sequence[str]) -> Iterator[str]:
    pool = workload.pool
    if (
        keep
        or (isinstance(pool, NewPool) and pool.keep is not None)
        or any(
            isinstance(each, OwnContainer)
            and (each.delete is Delete.NEVER or each.name is not None)
            for each in workload.containers
        )
    ):
        yield "note: nothing is kept on the local target: its services end with the run"


def _on_kept_pools(workload: Workload) -> Iterator[str]:
    match workload.pool:
        case ExistingPool() as pool:
            yield f"note: `--keep pool` changes nothing: pool `{pool.id}` is yours and stays"
        case NewPool(keep=timedelta() as keep):
            yield (
                "note: `--keep pool` leaves the pool until you delete it, though `pool.keep` says"
                f" {write_duration(keep)}"
            )
