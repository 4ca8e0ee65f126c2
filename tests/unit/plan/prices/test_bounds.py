"""How long a job may take for what its nodes may cost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from runner.plan.prices.bounds import bound_by_cost, most_nodes
from runner.plan.prices.node_price import NodePrice
from runner.spec.model.pool import FixedNodes
from runner.spec.model.workload import Workload
from runner.spec.problem import SpecError
from tests.fakes.plans import SPEC, make_workload

PRICE = NodePrice(
    vm_size="Standard_D2s_v5", currency="EUR", dedicated=0.1, spot=0.02, source="prices.yaml"
)
NODES = "  nodes: {dedicated: 1}\n"
FALLBACK = "  nodes: {dedicated: 1, spot: 4, fallback: {dedicated: 2}}\n"
BY_TASKS = "  autoscale: {scenario: tasks, max: 9, kind: spot}\n"
BY_FORMULA = "  autoscale: {formula: $TargetDedicatedNodes = 1;}\n"


def workload_of(folder: Path, limits: str, nodes: str = NODES) -> Workload:
    spec = SPEC.replace(NODES, nodes).replace("pool:\n", f"limits: {{{limits}}}\npool:\n")
    return make_workload(folder, spec)


@pytest.mark.parametrize(
    ("nodes", "most"),
    [
        (NODES, FixedNodes(dedicated=1, spot=0)),
        (FALLBACK, FixedNodes(dedicated=3, spot=4)),
        (BY_TASKS, FixedNodes(dedicated=0, spot=9)),
        (BY_FORMULA, None),
    ],
)
def test_the_most_nodes_that_there_ever_are(
    tmp_path: Path, nodes: str, most: FixedNodes | None
) -> None:
    assert most_nodes(workload_of(tmp_path, "cost: 5", nodes).pool) == most


def test_the_job_ends_before_all_nodes_have_cost_as_much(tmp_path: Path) -> None:
    bound = bound_by_cost(workload_of(tmp_path, "cost: 1", FALLBACK), PRICE).limits
    # 0.38 an hour: 2.6315... hours, of which two minutes go by while the nodes go.
    assert bound.duration == timedelta(seconds=9473 - 120)
    assert bound.is_cost_bound
    assert bound.wait == bound.duration + timedelta(minutes=2)


def test_what_was_spent_before_is_not_there_any_more(tmp_path: Path) -> None:
    workload = workload_of(tmp_path, "cost: 1")
    assert bound_by_cost(workload, PRICE, spent=0.4).limits.duration == timedelta(
        hours=5, minutes=58
    )
    assert bound_by_cost(workload, PRICE, spent=3).limits.duration == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("limits", "nodes"),
    [
        ("duration: 2h", NODES),
        ("cost: 5, duration: 2h", NODES),
        ("cost: 1, duration: 300h", BY_FORMULA),
    ],
)
def test_what_leaves_the_duration_as_it_is(tmp_path: Path, limits: str, nodes: str) -> None:
    workload = workload_of(tmp_path, limits, nodes)
    assert bound_by_cost(workload, PRICE) is workload


def test_a_limit_below_what_ending_costs_is_a_problem_of_the_spec(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        bound_by_cost(workload_of(tmp_path, "cost: 0.01 EUR", FALLBACK), PRICE)
    (problem,) = caught.value.problems
    assert (problem.location(), problem.code, problem.message, problem.hint) == (
        "spec.yaml:7:16",
        "cost",
        (
            "`limits.cost` (0.01 EUR) is less than what the 7 nodes of the pool cost in the 2m"
            " that ending takes"
        ),
        "0.019 EUR is for one minute of work; raise it, or ask for fewer nodes",
    )
