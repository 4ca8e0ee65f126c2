"""What the accounts have already."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runner.errors import ServiceRefusedError
from runner.plan.model import RunId
from runner.run.diagnosis.answers import Counted, PoolSeen, Quotas
from runner.run.diagnosis.finding import Finding, Verdict
from runner.run.diagnosis.holdings import QUOTAS, TRACES, judge_holdings
from runner.run.diagnosis.rights import JOBS, POOLS
from runner.run.removal.traces import Kind, Trace
from tests.fakes.services import NOW

RUN = RunId("demo-20260101t030405z-abcd")
OLD = NOW - timedelta(days=1)
QUOTA = Quotas(
    location="westeurope",
    user_subscription=False,
    dedicated_cores=20,
    by_family={},
    spot_cores=0,
    pools=2,
    jobs=3,
    is_public=False,
)
GOOD: dict[str, Any] = {POOLS: (), JOBS: Counted(count=1), TRACES: ()}


def judge(answers: dict[str, Any]) -> list[tuple[Verdict, str, str]]:
    found: list[Finding] = list(judge_holdings(answers, account="mine", now=NOW))
    return [(each.verdict, each.check, each.seen) for each in found]


def test_an_account_that_nobody_uses() -> None:
    assert judge(GOOD) == [
        (Verdict.OK, "pools", "none"),
        (Verdict.OK, "jobs", "1 that is not over"),
        (Verdict.UNKNOWN, "quotas", "runs speak to the Batch service, which tells none"),
        (Verdict.OK, "leftovers", "runs have left nothing"),
    ]


def test_quotas_that_are_used_up() -> None:
    pools = tuple(
        PoolSeen(id=name, vm_size="Standard_D2s_v5", dedicated=3, spot=1) for name in "ab"
    )
    answers = {**GOOD, POOLS: pools, JOBS: Counted(count=1_000, more=True), QUOTAS: QUOTA}
    assert judge(answers)[:-1] == [
        (Verdict.OK, "pools", "2, with 6 dedicated and 2 spot nodes"),
        (Verdict.OK, "jobs", "1000 or more that are not over"),
        (
            Verdict.OK,
            "quotas",
            "20 dedicated and 0 spot cores, 2 pools, 3 jobs and schedules at once",
        ),
        (Verdict.ERROR, "pools", "all 2 pools that the account may have are there"),
        (Verdict.ERROR, "jobs", "all 3 jobs that the account may have at work are there"),
        (
            Verdict.WARNING,
            "network",
            (
                "the account's public network access is disabled: it is reached by its private"
                " endpoint alone"
            ),
        ),
    ]


def test_quotas_that_nobody_may_read() -> None:
    error = ServiceRefusedError("refused", code="AuthorizationFailed")
    assert (Verdict.UNKNOWN, "quotas", "refused") in judge({**GOOD, QUOTAS: error})


@pytest.mark.parametrize(
    ("traces", "verdict", "seen"),
    [
        (
            (
                Trace(kind=Kind.POOL, name="demo-1", run=RUN, state="active", made=OLD, nodes=2),
                Trace(kind=Kind.JOB, name=RUN, run=RUN, state="active", made=OLD),
                Trace(kind=Kind.CONTAINER, name=f"{RUN}-logs", run=RUN, made=OLD),
            ),
            Verdict.WARNING,
            "3 things of 1 run, 2 nodes that cost money, 1 jobs or schedules at work",
        ),
        (
            (Trace(kind=Kind.CONTAINER, name=f"{RUN}-logs", run=RUN, made=NOW),),
            Verdict.OK,
            "runs have left nothing",
        ),
        (
            ServiceRefusedError("refused", code="AuthenticationFailed"),
            Verdict.UNKNOWN,
            "not known, since an account cannot be listed",
        ),
    ],
)
def test_what_runs_have_left(traces: object, verdict: Verdict, seen: str) -> None:
    assert judge({**GOOD, TRACES: traces})[-1] == (verdict, "leftovers", seen)
