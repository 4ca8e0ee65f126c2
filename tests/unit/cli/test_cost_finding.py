"""What `doctor` says of the cost of a spec."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli.cost_finding import judge_cost, wants_price
from runner.run.diagnosis.finding import Finding, Verdict
from runner.spec.model.workload import Workload
from tests.fakes.plans import SPEC, make_workload
from tests.unit.cli.worlds import make_world

TABLE = "currency: EUR\nvm_sizes:\n  Standard_D2s_v5: {dedicated: 0.1}\n"
NOWHERE = "http://127.0.0.1:1/localbatch"
"""An endpoint whose name tells no region, so that nobody is asked."""
POOL = SPEC[SPEC.index("pool:") : SPEC.index("task:")]
MINE = "pool: {existing: mine}\n"
NO_REGION = "the region is not known, whose prices Azure is to be asked for"
NAME_IT = "name it: `--prices azure:westeurope`, or give a table: `--prices FILE`"


def make(folder: Path, limits: str = "{}", pool: str = POOL) -> Workload:
    (folder / "prices.yaml").write_text(TABLE)
    return make_workload(folder, SPEC.replace(POOL, f"limits: {limits}\n{pool}"))


def judged(
    folder: Path, given: str | None, limits: str = "{}", pool: str = POOL
) -> tuple[Finding, ...]:
    world, _, _ = make_world(folder)
    return judge_cost(make(folder, limits, pool), given, world, endpoint=NOWHERE)


def test_what_an_hour_costs_and_what_bounds_the_rest(tmp_path: Path) -> None:
    (found,) = judged(tmp_path, "prices.yaml", "{duration: 10h}")
    assert (found.check, found.verdict, found.seen) == (
        "cost",
        Verdict.OK,
        (
            "0.10 EUR an hour for 1 dedicated node of Standard_D2s_v5 (prices.yaml); at most 1.00"
            " EUR by `limits.duration` (10h)"
        ),
    )


@pytest.mark.parametrize(
    ("limits", "pool", "verdict", "seen", "fix"),
    [
        ("{}", POOL, Verdict.UNKNOWN, f"price not known: {NO_REGION}", NAME_IT),
        (
            "{cost: 5}",
            POOL,
            Verdict.ERROR,
            f"`limits.cost` needs the price of nodes: {NO_REGION}",
            NAME_IT,
        ),
        (
            "{cost: 5}",
            MINE,
            Verdict.UNKNOWN,
            "the price follows from the VM size of your own pool",
            "`batch-run plan spec.yaml --target azure` asks for it",
        ),
    ],
)
def test_a_price_that_nobody_tells(
    tmp_path: Path, limits: str, pool: str, verdict: Verdict, seen: str, fix: str
) -> None:
    (found,) = judged(tmp_path, "azure", limits, pool)
    assert (found.check, found.verdict, found.seen, found.fix) == ("cost", verdict, seen, fix)
    assert (found.problem is not None) == (verdict is Verdict.ERROR)


def test_a_limit_that_no_run_could_keep_to_has_its_place(tmp_path: Path) -> None:
    pool = POOL.replace("dedicated: 1", "dedicated: 100")
    (found,) = judged(tmp_path, "prices.yaml", "{cost: 0.01}", pool)
    assert found.problem is not None
    assert found.problem.location().startswith("spec.yaml:")
    assert found.seen.startswith("`limits.cost` (0.01 EUR) is less than what the 100 nodes")


def test_a_table_that_is_wrong_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text(TABLE.replace("EUR", "euros"))
    (wrong,) = judged(tmp_path, "odd.yaml")
    assert (wrong.check, wrong.seen) == (
        "price-table",
        "`currency` must be three letters such as `EUR`",
    )
    (missing,) = judged(tmp_path, "missing.yaml")
    assert (missing.check, missing.verdict, missing.seen, missing.fix) == (
        "cost",
        Verdict.ERROR,
        "cannot read the prices `missing.yaml`: no such file or directory",
        "`--prices azure` asks for Azure's list prices",
    )


def test_nobody_is_asked_for_what_nobody_wants(tmp_path: Path) -> None:
    world, _, _ = make_world(tmp_path)
    assert not wants_price(make(tmp_path), None, world)
    assert wants_price(make(tmp_path), "azure", world)
    assert wants_price(make(tmp_path, "{cost: 5}"), None, world)
