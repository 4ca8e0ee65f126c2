"""What a plan would cost: the price, as far as somebody asked, and how long tasks took before.

It must not know how that is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from runner.cli.pricing import Asked, NoPriceError, check_kinds, find_price, read_asked
from runner.cli.world import World
from runner.errors import UsageError
from runner.plan.model import Plan
from runner.plan.prices.bounds import bound_by_cost
from runner.report.cost import NO_PRICE
from runner.report.journal_fold import fold_journal
from runner.report.plan_cost import EarlierTasks, PlanCost
from runner.run.records.directory import list_runs
from runner.run.records.record import read_record
from runner.run.results.decisions import Action, Decisions
from runner.spec.model.workload import Workload

# Of runs that never came to their tasks there may be some.
_MOST_RUNS = 5


def find_plan_cost(
    workload: Workload,
    given: str | None,
    world: World,
    *,
    endpoint: str | None,
    asks_service: bool,
    is_local: bool,
    ask_pool: Callable[[str], str | None],
) -> PlanCost | None:
    """The price and what follows from it for the job; None where nobody wants to know.

    Where it `asks_service`, `limits.cost` alone has Azure asked for its prices, as a run would. A
    run that `is_local` is not bound by it, since it costs nothing.
    Raises `SpecError` for a table that is wrong, and for a limit that no run could keep to.
    """
    asked = read_asked(given, world.environ)
    if asked is None and workload.limits.cost is None:
        return None
    if asked is None and not asks_service:
        return PlanCost(workload=workload, tasks=0, price=None, unknown=NO_PRICE)
    try:
        price = find_price(workload, asked or Asked(), world, endpoint=endpoint, ask_pool=ask_pool)
        if workload.limits.cost is not None:
            check_kinds(workload, price)
    except NoPriceError as error:
        return PlanCost(
            workload=workload, tasks=0, price=None, unknown=error.message, hint=error.hint
        )
    bound = workload if is_local else bound_by_cost(workload, price)
    return PlanCost(workload=bound, tasks=0, price=price, unknown=None, is_local=is_local)


def complete(
    cost: PlanCost | None, plan: Plan, decisions: Decisions | None, world: World
) -> PlanCost | None:
    """With what the plan says of its tasks, and what is known of them from an earlier run."""
    if cost is None:
        return None
    tasks = len(plan.tasks) if decisions is None else decisions.count(Action.RUN)
    earlier = None if cost.price is None else find_earlier(plan.workload.name, world)
    return replace(cost, tasks=tasks, earlier=earlier)


def find_earlier(workload: str, world: World) -> EarlierTasks | None:
    """How long tasks took in the last run of a workload in this folder that ran any."""
    names = (each for each in reversed(list_runs(world.working_directory)))
    of_workload = [each for each in names if each.name.rsplit("-", 2)[0] == workload]
    for directory in of_workload[:_MOST_RUNS]:
        try:
            record, report = read_record(directory), fold_journal(directory).report
        except UsageError:
            # A run whose directory is damaged tells nothing of its tasks; others may.
            continue
        times = report.times
        # Tasks that were ended before their time say nothing of those that are not.
        if times.attempts and times.seconds and not report.halted:
            seconds = times.seconds / times.attempts
            return EarlierTasks(run=record.run, target=record.target, seconds=round(seconds, 3))
    return None
