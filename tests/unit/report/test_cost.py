"""What a run's nodes cost, in words and as data."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from runner.plan.prices.node_price import NodePrice, write_amount
from runner.report.cost import Spending, cost_as_json, describe_cost, write_hours
from runner.run.events import (
    CleanupFinished,
    LeftBehind,
    NodeChanged,
    PoolChanged,
    RunFinished,
    RunStarted,
)

BEGIN = datetime(2026, 1, 2, 3, 0, 0, tzinfo=timezone.utc)
PRICE = NodePrice(
    vm_size="Standard_D2s_v5",
    currency="EUR",
    dedicated=0.1,
    spot=0.02,
    source="prices.yaml",
    as_of="2026-01-01",
)


def spend(
    price: NodePrice | None,
    *,
    target: str = "azure",
    kept: bool = False,
    dedicated: int = 2,
    spot: int = 5,
    hours: float = 1.8,
) -> Spending:
    spending = Spending()
    spending.add(
        BEGIN, RunStarted(workload="w", target=target, tasks=1, files=0, bytes=0, price=price)
    )
    for number in range(dedicated + spot):
        changed = NodeChanged(
            node=f"n{number}", state="idle", previous=None, dedicated=number < dedicated
        )
        spending.add(BEGIN, changed)
    end = BEGIN + timedelta(hours=hours)
    left = (LeftBehind(kind="pool", name="p", why="kept", kept=True),) if kept else ()
    spending.add(end, CleanupFinished(deleted=(), left=left))
    spending.add(end, RunFinished(exit_code=0, succeeded=1, failed=0, unfinished=0, error=None))
    return spending


def test_the_line_has_the_amount_the_hours_and_who_says_so() -> None:
    assert describe_cost(spend(PRICE).cost()) == (
        "cost: about 0.54 EUR, 3.6 dedicated and 9 spot node-hours by prices.yaml"
    )


def test_nodes_that_stay_make_it_a_lower_bound() -> None:
    cost = spend(PRICE, kept=True, spot=0).cost()
    assert describe_cost(cost) == (
        "cost: at least 0.36 EUR, 3.6 dedicated node-hours by prices.yaml"
    )
    assert (cost.is_lower_bound, cost.at_most) == (True, None)


def test_both_bounds_are_told_where_a_node_went_while_nobody_looked() -> None:
    spending = Spending()
    started = RunStarted(workload="w", target="azure", tasks=1, files=0, bytes=0, price=PRICE)
    node = NodeChanged(node="n", state="running", previous=None, dedicated=True)
    spending.add(BEGIN, started)
    spending.add(BEGIN, node)
    spending.add(BEGIN + timedelta(hours=2), replace(node, state="idle", previous="running"))
    later = BEGIN + timedelta(hours=9)
    spending.add(later, replace(started, resumed=True))
    spending.add(later, CleanupFinished(deleted=(), left=()))
    spending.add(later, RunFinished(exit_code=0, succeeded=1, failed=0, unfinished=0, error=None))
    assert describe_cost(spending.cost()) == (
        "cost: at least 0.20 EUR and at most 0.90 EUR, 2 dedicated node-hours by prices.yaml"
    )


def test_nodes_that_nobody_may_have_seen_make_it_a_lower_bound() -> None:
    spending = Spending()
    started = RunStarted(workload="w", target="azure", tasks=1, files=0, bytes=0, price=PRICE)
    asked = PoolChanged(
        pool="p",
        allocation="resizing",
        dedicated=0,
        spot=0,
        target_dedicated=2,
        target_spot=0,
        errors=(),
    )
    spending.add(BEGIN, started)
    spending.add(BEGIN, asked)
    later = BEGIN + timedelta(hours=9)
    spending.add(later, replace(started, resumed=True))
    spending.add(later, CleanupFinished(deleted=(), left=()))
    spending.add(later, RunFinished(exit_code=0, succeeded=1, failed=0, unfinished=0, error=None))
    cost = spending.cost()
    assert (cost.amount, cost.at_most, cost.is_lower_bound) == (0.0, None, True)


def test_without_a_price_the_hours_are_told_and_why() -> None:
    assert describe_cost(spend(None, dedicated=0).cost()) == (
        "cost: 9 spot node-hours; price not known: none was asked for (`--prices`)"
    )


def test_a_kind_of_node_without_a_price_leaves_the_amount_open() -> None:
    only = NodePrice(
        vm_size="Standard_D2s_v5", currency="EUR", dedicated=0.1, spot=None, source="prices.yaml"
    )
    assert describe_cost(spend(only).cost()) == (
        "cost: 3.6 dedicated and 9 spot node-hours; price not known: prices.yaml has none for spot"
        " nodes of `Standard_D2s_v5`"
    )
    assert spend(only, spot=0).cost().amount == pytest.approx(0.36)


def test_on_this_machine_it_costs_nothing() -> None:
    assert describe_cost(spend(PRICE, target="local", spot=0, hours=0.01).cost()) == (
        "cost: nothing, on this machine (0.02 dedicated node-hours); on Azure about 0.002 EUR"
    )
    assert describe_cost(spend(None, target="local", spot=0).cost()) == (
        "cost: nothing, on this machine (3.6 dedicated node-hours)"
    )


def test_a_run_without_nodes_says_nothing() -> None:
    assert describe_cost(Spending().cost()) is None


def test_as_data() -> None:
    assert json.loads(json.dumps(cost_as_json(spend(PRICE).cost()))) == {
        "amount": 0.54,
        "at_most": 0.54,
        "on_azure": None,
        "currency": "EUR",
        "node_hours": {"dedicated": 3.6, "spot": 9.0},
        "vm_size": "Standard_D2s_v5",
        "price": {"dedicated": 0.1, "spot": 0.02},
        "source": "prices.yaml",
        "as_of": "2026-01-01",
        "unknown": None,
        "is_lower_bound": False,
    }


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (0.0, "0.00 EUR"),
        (1234.5, "1,234.50 EUR"),
        (0.1234, "0.12 EUR"),
        (0.0123, "0.012 EUR"),
        (0.0001234, "0.00012 EUR"),
        (0.00000001, "0.00 EUR"),
        (0.01, "0.01 EUR"),
    ],
)
def test_small_amounts_are_told_from_nothing(amount: float, written: str) -> None:
    assert write_amount(amount, "EUR") == written


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (12_345.67, "12,345.7"),
        (9.96, "10"),
        (3.61, "3.6"),
        (2.0, "2"),
        (0.0241, "0.024"),
        (4.5e-05, "0.000045"),
        (1e-9, "0.000001"),
    ],
)
def test_hours_are_written_as_people_do(hours: float, words: str) -> None:
    assert write_hours(hours) == words
