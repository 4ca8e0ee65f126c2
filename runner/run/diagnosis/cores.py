"""Judges the cores that a pool needs against what the account may have.

It must not know how quotas are read.
"""

from __future__ import annotations

from collections.abc import Iterator

from runner.plan.prices.bounds import most_nodes
from runner.run.diagnosis.answers import Answers, Quotas, failed
from runner.run.diagnosis.finding import Finding, ok, unknown, warning, wrong
from runner.run.diagnosis.holdings import QUOTAS, used_cores
from runner.run.diagnosis.rights import POOLS
from runner.run.diagnosis.sizes import VmSize, read_vm_size
from runner.spec.model.pool import NewPool

_MORE = "ask for more: portal, Batch account, Quotas; or fewer nodes, or a smaller VM size"
_SIZES = "`az batch location list-skus --location REGION -o table` shows the sizes of a region"
_MODE = "`az batch account show` says which it has, as `poolAllocationMode`"


def judge_cores(pool: NewPool, common: Answers) -> Iterator[Finding]:
    """Dedicated and spot cores, each against its own quota, beside what other pools have."""
    most, told = most_nodes(pool), common.get(QUOTAS)
    quotas = told if isinstance(told, Quotas) else None
    if most is None:
        seen = "how many nodes there will be, the formula says as it goes"
        yield unknown("cores", seen, "compare the most that it can ask for with the line on quotas")
        return
    vm = read_vm_size(pool.vm_size)
    if vm is None or vm.cores is None:
        seen = f"the name `{pool.vm_size}` does not tell the cores of a node"
        yield unknown("cores", seen, _SIZES)
        return
    pools = common[POOLS]
    used = 0 if failed(pools) is not None else used_cores(pools)
    if most.dedicated:
        yield _judge_dedicated(most.dedicated * vm.cores, used, vm, quotas)
    if most.spot:
        yield _judge_spot(most.spot * vm.cores, quotas)


def _judge_dedicated(needed: int, used: int, vm: VmSize, quotas: Quotas | None) -> Finding:
    seen = f"{needed} dedicated cores needed"
    if quotas is None or quotas.user_subscription:
        return _not_told(seen)
    limits = [
        limit for limit in (quotas.dedicated_cores, _of_family(quotas, vm)) if limit is not None
    ]
    if not limits:
        return _not_told(seen)
    return _compare(seen, needed, used, min(limits))


def _judge_spot(needed: int, quotas: Quotas | None) -> Finding:
    seen = f"{needed} spot cores needed"
    if quotas is None:
        return unknown(
            "cores",
            f"{seen}; accounts of the mode BatchService have had no spot nodes since 2025-09-30",
            _MODE,
        )
    if not quotas.user_subscription:
        return wrong(
            "cores",
            f"{seen}, and the account is of the mode BatchService, which has had no spot nodes"
            " since 2025-09-30",
            "ask for dedicated nodes, or use an account of the mode UserSubscription",
        )
    return _not_told(seen)


def _compare(seen: str, needed: int, used: int, limit: int) -> Finding:
    if needed > limit:
        return wrong("cores", f"{seen}, and the quota is {limit}", _MORE)
    if needed + used > limit:
        return warning(
            "cores", f"{seen}, of a quota of {limit} of which other pools have {used}", _MORE
        )
    return ok("cores", f"{seen}, of a quota of {limit}")


def _not_told(seen: str) -> Finding:
    return unknown("cores", f"{seen}; the quota is not known", "the line on quotas says how to see")


def _of_family(quotas: Quotas, vm: VmSize) -> int | None:
    """The quota of the size's family; its names are written as `standardDSv5Family`."""
    for name, limit in quotas.by_family.items():
        if name.lower().removeprefix("standard").removesuffix("family").strip() == vm.family:
            return limit
    return None
