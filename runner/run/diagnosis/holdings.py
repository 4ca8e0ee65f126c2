"""Judges what the accounts have already: quotas and what is used of them, and earlier runs' things.

It must not know what a spec asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from runner.run.diagnosis.answers import Answers, Counted, PoolSeen, Quotas, failed
from runner.run.diagnosis.finding import Finding, ok, unknown, warning, wrong
from runner.run.diagnosis.rights import JOBS, POOLS
from runner.run.diagnosis.sizes import read_vm_size
from runner.run.removal.traces import Kind, Trace, by_run

TRACES, QUOTAS = "traces", "quotas"
_FRESH = timedelta(minutes=5)


def judge_holdings(answers: Answers, *, account: str, now: datetime) -> Iterator[Finding]:
    """What there is, what there may be in the Batch `account`, and what nobody needs any more."""
    pools, jobs = answers[POOLS], answers[JOBS]
    if failed(pools) is None:
        yield ok("pools", _describe_pools(pools))
    if isinstance(jobs, Counted):
        more = " or more" if jobs.more else ""
        yield ok("jobs", f"{jobs.count}{more} that {'is' if jobs.count == 1 else 'are'} not over")
    yield from _judge_quotas(answers, account)
    yield from _judge_traces(answers[TRACES], now)


def used_cores(pools: tuple[PoolSeen, ...]) -> int:
    """Dedicated cores of all pools, as far as the names of their sizes tell."""
    sizes = ((pool.dedicated, read_vm_size(pool.vm_size)) for pool in pools)
    return sum(nodes * (size.cores or 0) for nodes, size in sizes if size is not None)


def _describe_pools(pools: tuple[PoolSeen, ...]) -> str:
    if not pools:
        return "none"
    dedicated = sum(pool.dedicated for pool in pools)
    spot = sum(pool.spot for pool in pools)
    return f"{len(pools)}, with {dedicated} dedicated and {spot} spot nodes"


def _judge_quotas(answers: Answers, account: str) -> Iterator[Finding]:
    told = answers.get(QUOTAS)
    how_to_see = (
        f"set AZURE_SUBSCRIPTION_ID and AZURE_RESOURCE_GROUP and `az login`; or `az batch account"
        f" show --name {account} --resource-group GROUP` shows them"
    )
    if told is None:
        yield unknown("quotas", "runs speak to the Batch service, which tells none", how_to_see)
        return
    error = failed(told)
    if error is not None:
        yield unknown("quotas", error.message, error.hint or how_to_see)
        return
    assert isinstance(told, Quotas)
    pools, jobs = answers[POOLS], answers[JOBS]
    yield ok("quotas", _describe_quotas(told))
    if failed(pools) is None and told.pools is not None and len(pools) >= told.pools:
        yield _full("pools", f"all {told.pools} pools that the account may have are there")
    if isinstance(jobs, Counted) and told.jobs is not None and jobs.count >= told.jobs:
        yield _full("jobs", f"all {told.jobs} jobs that the account may have at work are there")
    if not told.is_public:
        yield warning(
            "network",
            "the account's public network access is disabled: it is reached by its private"
            " endpoint alone",
            "drive runs from inside that network",
        )


def _full(check: str, seen: str) -> Finding:
    return wrong(check, seen, "delete some, or ask for more: portal, Batch account, Quotas")


def _describe_quotas(told: Quotas) -> str:
    if told.user_subscription:
        cores = "cores are the subscription's (`az vm list-usage --location REGION`)"
    else:
        cores = f"{told.dedicated_cores} dedicated and {told.spot_cores} spot cores"
    return f"{cores}, {told.pools} pools, {told.jobs} jobs and schedules at once"


def _judge_traces(answer: object, now: datetime) -> Iterator[Finding]:
    error = failed(answer)
    if error is not None:
        yield unknown("leftovers", "not known, since an account cannot be listed")
        return
    assert isinstance(answer, tuple)
    traces = [each for each in answer if not _is_fresh(each, now)]
    if not traces:
        yield ok("leftovers", "runs have left nothing")
        return
    runs = by_run(traces)
    nodes = sum(each.nodes for each in traces if each.kind is Kind.POOL)
    at_work = sum(1 for each in traces if each.is_active)
    what = [f"{len(traces)} things of {len(runs)} {'run' if len(runs) == 1 else 'runs'}"]
    if nodes:
        what.append(f"{nodes} nodes that cost money")
    if at_work:
        what.append(f"{at_work} jobs or schedules at work")
    yield warning(
        "leftovers",
        ", ".join(what),
        "`batch-run clean --all --dry-run` shows them, and without `--dry-run` takes away what is"
        " not in use",
    )


def _is_fresh(trace: Trace, now: datetime) -> bool:
    """Whether it is of a run that has just begun."""
    return trace.made is not None and now - trace.made < _FRESH
