"""A trial is the same workload with one node, a bound, and nothing that stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from runner.plan.trial import reduce_to_trial
from runner.spec.model.pool import ExistingPool, FixedNodes, NewPool
from runner.spec.model.step import Print
from runner.spec.model.workload import Delete, IfNotEmpty, OwnContainer
from tests.fakes.plans import SPEC, make_workload

WITHIN = timedelta(minutes=30)


@pytest.mark.parametrize(
    ("nodes", "size"),
    [
        ("nodes: {dedicated: 20}", FixedNodes(dedicated=1, spot=0)),
        ("nodes: {dedicated: 5, spot: 5}", FixedNodes(dedicated=1, spot=0)),
        ("nodes: {spot: 5}", FixedNodes(dedicated=0, spot=1)),
        (
            "nodes: {spot: 5, fallback: {wait: 10m, dedicated: 3}}",
            FixedNodes(dedicated=1, spot=0),
        ),
        ("keep: 2h\n  nodes: {dedicated: 2}", FixedNodes(dedicated=1, spot=0)),
    ],
)
def test_one_node_that_goes_with_the_job(tmp_path: Path, nodes: str, size: FixedNodes) -> None:
    text = SPEC.replace("nodes: {dedicated: 1}", nodes)
    pool = reduce_to_trial(make_workload(tmp_path, text), WITHIN).pool
    assert isinstance(pool, NewPool)
    assert (pool.size, pool.keep, pool.node_retries) == (size, None, 0)


def test_nothing_of_the_users_is_written_to(tmp_path: Path) -> None:
    text = SPEC.replace(
        "{download: true}", "{name: mine, if_not_empty: clear, delete: never, download: true}"
    )
    trial = reduce_to_trial(make_workload(tmp_path, text), WITHIN)
    for container in trial.containers:
        assert isinstance(container, OwnContainer)
        told = (container.name, container.if_not_empty, container.delete)
        assert told == (None, IfNotEmpty.KEEP, Delete.AFTER_RUN)


def test_it_ends_in_time_and_prints_nothing(tmp_path: Path) -> None:
    text = SPEC.replace("task:\n", "halt: {canary: 1}\ntask:\n  print: stdout\n")
    trial = reduce_to_trial(make_workload(tmp_path, text), WITHIN)
    assert (trial.limits.duration, trial.limits.wait) == (WITHIN, timedelta(minutes=45))
    assert [step.print for step in trial.steps] == [Print.NONE]
    assert trial.halt.canary == 0


def test_a_pool_of_the_users_is_used_as_it_is(tmp_path: Path) -> None:
    before, _, after = SPEC.partition("pool:\n")
    text = f"{before}pool: {{existing: mine}}\n{after[after.index('task:') :]}"
    workload = make_workload(tmp_path, text)
    assert isinstance(workload.pool, ExistingPool)
    assert reduce_to_trial(workload, WITHIN).pool == workload.pool
