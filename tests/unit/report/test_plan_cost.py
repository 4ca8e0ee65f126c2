"""What a plan would cost, in words and as data."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from runner.plan.prices.bounds import bound_by_cost
from runner.plan.prices.node_price import NodePrice
from runner.report.cost import NO_PRICE
from runner.report.plan_cost import EarlierTasks, PlanCost, plan_cost_as_json, plan_cost_lines
from tests.fakes.plans import SPEC, make_workload

PRICE = NodePrice(
    vm_size="Standard_D2s_v5",
    currency="EUR",
    dedicated=0.1,
    spot=0.02,
    source="p.yaml",
    as_of="2026-01-31",
)
NODES = "  nodes: {dedicated: 1}\n"
BOTH = "  nodes: {dedicated: 2, spot: 5}\n  task_slots_per_node: 2\n"
BY_FORMULA = "  autoscale: {formula: $TargetDedicatedNodes = 1;}\n"
EARLIER = EarlierTasks(run="demo-20260101t000000z-abcd", target="local", seconds=12.3456)
AS_OF = ", 2026-01-31)"
UNCOUNTED = "  storage and network are not counted"


def cost_of(
    folder: Path, limits: str = "duration: 10h", nodes: str = BOTH, price: NodePrice = PRICE
) -> PlanCost:
    spec = SPEC.replace(NODES, nodes).replace("pool:\n", f"limits: {{{limits}}}\npool:\n")
    workload = bound_by_cost(make_workload(folder, spec), price)
    return PlanCost(workload=workload, tasks=100, price=price, unknown=None)


def test_an_hour_and_the_most_by_the_time_of_the_job(tmp_path: Path) -> None:
    assert list(plan_cost_lines(cost_of(tmp_path))) == [
        (
            "cost: 0.30 EUR an hour for 2 dedicated and 5 spot nodes of Standard_D2s_v5 (p.yaml,"
            " 2026-01-31)"
        ),
        "  at most 3.01 EUR by `limits.duration` (10h)",
        UNCOUNTED,
    ]


def test_tasks_of_an_earlier_run_tell_about_how_much(tmp_path: Path) -> None:
    lines = list(plan_cost_lines(replace(cost_of(tmp_path), earlier=EARLIER)))
    assert lines[1] == (
        "  about 0.0073 EUR, if each of 100 tasks takes 12.3 s, as in run"
        " demo-20260101t000000z-abcd (local) and nodes are never idle"
    )


@pytest.mark.parametrize(
    ("limits", "nodes", "lines"),
    [
        (
            "cost: 1, duration: 10h",
            BOTH,
            [
                "  at most 1.00 EUR (`limits.cost`)",
                (
                    "  stops at 1.00 EUR; the service ends the job after 3h18m, whatever becomes of"
                    " this machine"
                ),
            ],
        ),
        (
            "cost: 5 EUR, duration: 10h",
            BOTH,
            [
                "  at most 3.01 EUR by `limits.duration` (10h)",
                "  stops at 5.00 EUR; `limits.duration` (10h) comes first",
            ],
        ),
        (
            "cost: 5 EUR",
            BY_FORMULA,
            [
                "  at most 5.00 EUR (`limits.cost`)",
                (
                    "  stops at 5.00 EUR as long as this machine watches: the formula may ask for"
                    " any number of nodes"
                ),
            ],
        ),
    ],
)
def test_a_limit_says_who_keeps_it(
    tmp_path: Path, limits: str, nodes: str, lines: list[str]
) -> None:
    assert list(plan_cost_lines(cost_of(tmp_path, limits, nodes)))[1:] == [*lines, UNCOUNTED]


def test_a_limit_stops_nothing_on_this_machine(tmp_path: Path) -> None:
    """Where the limit would come first, on Azure."""
    spec = SPEC.replace(NODES, BOTH).replace("pool:\n", "limits: {cost: 1, duration: 10h}\npool:\n")
    workload = make_workload(tmp_path, spec)
    cost = PlanCost(workload=workload, tasks=100, price=PRICE, unknown=None, is_local=True)
    assert list(plan_cost_lines(cost))[1:] == [
        "  at most 1.00 EUR (`limits.cost`)",
        "  stops at 1.00 EUR on Azure alone: on this machine nothing costs anything",
        UNCOUNTED,
    ]


def test_nodes_that_stay_for_the_next_run_cost_more_than_the_most_of_this_one(
    tmp_path: Path,
) -> None:
    cost = cost_of(tmp_path, "cost: 1, duration: 10h", f"{BOTH}  keep: 90m\n")
    assert list(plan_cost_lines(cost))[1:4] == [
        "  at most 1.00 EUR (`limits.cost`)",
        "  and 0.45 EUR more, if no run follows in the 1h30m that its nodes stay (`pool.keep`)",
        (
            "  stops at 1.00 EUR; the service ends the job after 3h18m, whatever becomes of this"
            " machine"
        ),
    ]
    assert plan_cost_as_json(cost)["kept"] == 0.45


def test_a_schedule_costs_so_much_with_each_job(tmp_path: Path) -> None:
    pool = SPEC[SPEC.index("pool:") : SPEC.index("task:")].replace(NODES, BOTH)
    text = f"version: 1\nname: demo\n{pool}"
    schedule = 'job: {schedule: {every: 1h, end: "2099-01-01T00:00:00Z"}}\n'
    spec = f"{text}limits: {{duration: 10h}}\n{schedule}task: {{command: echo}}\n"
    workload = make_workload(tmp_path, spec)
    cost = PlanCost(workload=workload, tasks=1, price=PRICE, unknown=None, earlier=EARLIER)
    assert list(plan_cost_lines(cost))[1:] == [
        "  at most 3.01 EUR for each job of the schedule, by `limits.duration` (10h)",
        UNCOUNTED,
    ]
    value = plan_cost_as_json(cost)
    assert (value["about"], value["at_most"], value["a_job"]) == (None, None, 3.01)


def test_of_a_formula_only_the_price_of_a_node_is_known(tmp_path: Path) -> None:
    assert list(plan_cost_lines(cost_of(tmp_path, nodes=BY_FORMULA))) == [
        (
            "cost: an hour of a node of Standard_D2s_v5: 0.10 EUR a dedicated one and 0.02 EUR a"
            f" spot one (p.yaml{AS_OF}"
        ),
        UNCOUNTED,
    ]


def test_a_kind_without_a_price_leaves_the_rest_open(tmp_path: Path) -> None:
    cost = cost_of(tmp_path, price=replace(PRICE, spot=None))
    assert list(plan_cost_lines(cost)) == [
        f"cost: not known: no price of spot nodes of Standard_D2s_v5 (p.yaml{AS_OF}",
        UNCOUNTED,
    ]


def test_why_a_price_is_not_known(tmp_path: Path) -> None:
    cost = replace(cost_of(tmp_path), price=None, unknown="nobody\x1b[2J knows")
    assert list(plan_cost_lines(cost)) == [r"cost: price not known: nobody\x1b[2J knows"]
    assert plan_cost_as_json(cost)["an_hour"] is None


def test_a_limit_without_a_price_would_be_refused(tmp_path: Path) -> None:
    limited = replace(
        cost_of(tmp_path, "cost: 1"),
        price=None,
        unknown="p.yaml is in USD",
        hint="give both in one currency",
    )
    assert list(plan_cost_lines(limited)) == [
        "cost: price not known: p.yaml is in USD",
        "  on Azure `limits.cost` needs it: a run would be refused",
        "  hint: give both in one currency",
    ]
    # Nobody asked for prices here: the run does so itself.
    unasked = replace(limited, unknown=NO_PRICE, hint=None)
    assert list(plan_cost_lines(unasked)) == [f"cost: price not known: {NO_PRICE}"]


def test_as_data(tmp_path: Path) -> None:
    cost = replace(cost_of(tmp_path, "cost: 1, duration: 10h"), earlier=EARLIER)
    assert json.loads(json.dumps(plan_cost_as_json(cost))) == {
        "currency": "EUR",
        "vm_size": "Standard_D2s_v5",
        "price": {"dedicated": 0.1, "spot": 0.02},
        "source": "p.yaml",
        "as_of": "2026-01-31",
        "unknown": None,
        "an_hour": 0.3,
        "about": 0.007349,
        "earlier": {
            "run": "demo-20260101t000000z-abcd",
            "target": "local",
            "task_seconds": 12.3456,
        },
        "at_most": 1.0,
        "a_job": None,
        "kept": None,
        "limit": {"amount": 1.0, "currency": "EUR", "ends_job": True},
    }
