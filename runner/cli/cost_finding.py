"""What `doctor` says of the cost of a spec: its price, as far as somebody wants it, and its limit.

It must not know how other findings come about.
"""

from __future__ import annotations

from collections.abc import Iterator

from runner.cli.pricing import Asked, NoPriceError, check_kinds, find_price, read_asked
from runner.cli.world import World
from runner.errors import UsageError
from runner.plan.prices.bounds import bound_by_cost
from runner.report.plan_cost import PlanCost, plan_cost_lines
from runner.run.diagnosis.finding import Finding, of_error, of_problem, ok, unknown, wrong
from runner.run.diagnosis.setting import at
from runner.spec.model.pool import ExistingPool
from runner.spec.model.workload import Workload
from runner.spec.problem import SpecError

_CHECK = "cost"
_LIMIT = ("limits", "cost")
_HEAD = "cost: "


def wants_price(workload: Workload, given: str | None, world: World) -> bool:
    """Whether a run on Azure would ask for prices; `UsageError` for an option that makes no sense.

    `given` is the option `--prices`.
    """
    is_asked = read_asked(given, world.environ) is not None
    return is_asked or workload.limits.cost is not None


def judge_cost(
    workload: Workload, given: str | None, world: World, *, endpoint: str
) -> tuple[Finding, ...]:
    """What an hour costs and what bounds the rest, or why a run on Azure would be refused.

    `endpoint` is that of the Batch account. May wait for a price service.
    """
    try:
        return tuple(_judge(workload, given, world, endpoint))
    except SpecError as error:
        return tuple(map(of_problem, error.problems))
    except NoPriceError as error:
        if workload.limits.cost is None:
            return (unknown(_CHECK, f"price not known: {error.message}", error.hint or ""),)
        seen = f"`limits.cost` needs the price of nodes: {error.message}"
        return (at(workload, _LIMIT, wrong(_CHECK, seen, error.hint or "")),)
    except UsageError as error:
        return (of_error(_CHECK, error),)


def _judge(workload: Workload, given: str | None, world: World, endpoint: str) -> Iterator[Finding]:
    if isinstance(workload.pool, ExistingPool):
        fix = f"`batch-run plan {workload.document.name} --target azure` asks for it"
        yield unknown(_CHECK, "the price follows from the VM size of your own pool", fix)
        return
    asked = read_asked(given, world.environ) or Asked()
    price = find_price(workload, asked, world, endpoint=endpoint, ask_pool=lambda _: None)
    if workload.limits.cost is not None:
        check_kinds(workload, price)
    cost = PlanCost(workload=bound_by_cost(workload, price), tasks=0, price=price, unknown=None)
    *lines, _ = plan_cost_lines(cost)
    yield ok(_CHECK, "; ".join(line.strip() for line in lines).removeprefix(_HEAD))
