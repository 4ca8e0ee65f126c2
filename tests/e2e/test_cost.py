"""What a run may cost: it stops in time, nothing is left, and a run that cannot keep to it is none.

Prices are absurd, so that seconds cost what hours do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.e2e.accounts import Accounts, open_accounts
from tests.e2e.conftest import Emulator, User, wait_until
from tests.e2e.gated import events
from tests.unit.remote.retail_service import serve_prices

SPEC = """\
version: 1
name: costly
limits: {cost: 122 EUR, duration: 1h}
containers:
  output: {download: true, delete: after-run}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
task:
  for_each: {list: [0, 100, 100]}
  command: sleep {{ item }}; echo {{ item }} > {{ index }}.txt
  outputs: [{pattern: "{{ index }}.txt", to: output}]
"""
WATCHED = SPEC.replace("nodes: {dedicated: 1}", "autoscale: {formula: $TargetDedicatedNodes = 1;}")
"""Nobody else can tell how many nodes there will be: this machine alone keeps to the limit."""
TABLE = "currency: EUR\nvm_sizes:\n  Standard_D2s_v5: {dedicated: 3600, spot: 3600}\n"
"""One a second: of 122, two minutes are for the end."""


@dataclass(frozen=True)
class Stage:
    """A user of an emulator that stands for Azure, and what is really in its accounts."""

    user: User
    accounts: Accounts


@pytest.fixture
def stage(user: User, shared_emulator: Emulator) -> Iterator[Stage]:
    user.write("spec.yaml", SPEC)
    user.write("prices.yaml", TABLE)
    with open_accounts(shared_emulator) as accounts:
        yield Stage(user.with_environ(**shared_emulator.environ), accounts)


def test_a_run_stops_before_it_costs_more(stage: Stage) -> None:
    stage.user.write("spec.yaml", WATCHED)
    done = stage.user.run("run", "spec.yaml", "--target", "azure", "--prices", "prices.yaml")
    assert done.returncode == 1, done.stderr
    *_, error, hint = done.stderr.splitlines()
    assert re.fullmatch(
        r"batch-run: the nodes have cost [2-9]\.\d\d EUR, and ending them brings that to"
        r" `limits\.cost` \(122\.00 EUR\); stopped early: 1 of 3 tasks ended with it, 1 never ran",
        error,
    )
    assert hint == "  hint: with a higher limit, run it again: what has succeeded is not run again"
    assert re.search(
        r"^cost: about \d+(\.\d+)? EUR, 0\.\d+ dedicated node-hours by prices\.yaml$",
        done.stderr,
        re.MULTILINE,
    )
    assert (stage.user.folder / "results" / "costly" / "output" / "0.txt").read_text() == "0\n"
    assert stage.accounts.pools() == []
    assert stage.accounts.jobs() == []
    report = json.loads((stage.user.last_run() / "report.json").read_text())
    assert report["halted"] is True
    assert 2 < report["cost"]["amount"] < 60
    causes = {each["task"]: each["cause"] for each in report["failures"]}
    assert causes == {"0002": "JobEnded", "0003": "Halted"}


def test_a_run_that_is_taken_up_again_goes_on_with_what_it_has_spent(stage: Stage) -> None:
    stage.user.write("spec.yaml", WATCHED.replace("122 EUR", "128"))
    process = stage.user.start("run", "spec.yaml", "--target", "azure", "--prices", "prices.yaml")
    results = stage.user.folder / "results" / "costly" / "output" / "0.txt"
    try:
        wait_until(results.exists, what="the first task is home")
        wait_until(
            lambda: "node.changed" in events(stage.user.last_run()), what="the node was seen"
        )
    finally:
        process.kill()
        process.communicate()
    (stage.user.folder / "prices.yaml").unlink()
    done = stage.user.run("resume")
    assert done.returncode == 1, done.stderr
    spent = re.search(
        r"^batch-run: the nodes have cost (\S+) EUR, and ending them brings that to `limits\.cost`"
        r" \(128\.00 EUR\)",
        done.stderr,
        re.MULTILINE,
    )
    assert spent is not None, done.stderr
    report = json.loads((stage.user.last_run() / "report.json").read_text())
    # The node may have been there all the time, also while nobody looked.
    assert report["cost"]["at_most"] >= float(spent[1]) >= 8
    assert stage.accounts.pools() == []


def test_the_service_ends_the_job_where_nobody_looks(stage: Stage) -> None:
    stage.user.write("spec.yaml", SPEC.replace("122 EUR", "1800.7"))
    begun = stage.user.run(
        "run", "spec.yaml", "--target", "azure", "--prices", "prices.yaml", "--detach"
    )
    assert begun.returncode == 0, begun.stderr
    (job,) = stage.accounts.jobs()
    constraints = stage.accounts.batch.get_job(job).constraints
    assert constraints is not None
    assert constraints.max_wall_clock_time == timedelta(seconds=1680)
    assert stage.user.run("cancel").returncode == 0
    assert stage.accounts.pools() == []


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        (
            (),
            [
                (
                    "batch-run: `limits.cost` needs the price of nodes: the region is not known,"
                    " whose prices Azure is to be asked for"
                ),
                "  hint: name it: `--prices azure:westeurope`, or give a table: `--prices FILE`",
            ],
        ),
        (
            ("--prices", "other.yaml"),
            [
                (
                    "batch-run: `limits.cost` needs the price of nodes: other.yaml has no price of"
                    " `Standard_D2s_v5`"
                ),
                "  hint: in the table: `Huge`",
            ],
        ),
        (
            ("--prices", "dear.yaml"),
            [
                (
                    "spec.yaml:3:16: cost: `limits.cost` (122.00 EUR) is less than what the node of"
                    " the pool costs in the 2m that ending takes"
                ),
                "  limits: {cost: 122 EUR, duration: 1h}",
                "                 ^^^^^^^",
                "hint: 1,800.00 EUR is for one minute of work; raise it, or ask for fewer nodes",
                "batch-run: 1 problem in the spec",
            ],
        ),
    ],
)
def test_a_limit_that_cannot_be_kept_to_is_refused_before_anything_is_made(
    stage: Stage, options: tuple[str, ...], lines: list[str]
) -> None:
    stage.user.write("other.yaml", TABLE.replace("Standard_D2s_v5", "Huge"))
    stage.user.write("dear.yaml", TABLE.replace("3600", "36000"))
    before = stage.accounts.containers()
    done = stage.user.run("run", "spec.yaml", "--target", "azure", *options)
    assert (done.returncode, done.stderr.splitlines()[1:]) == (2, lines)
    assert stage.accounts.jobs() == []
    assert stage.accounts.containers() == before
    assert not (stage.user.folder / ".batch-run").exists()


def test_a_plan_says_what_it_would_cost_by_azures_list_that_is_kept(user: User) -> None:
    user.write("spec.yaml", SPEC.replace("122 EUR", "5 EUR").replace("duration: 1h", ""))
    with serve_prices() as service:
        user = user.with_environ(
            BATCH_RUN_PRICES_ENDPOINT=service.endpoint,
            BATCH_RUN_PRICES="azure:westeurope",
            XDG_CACHE_HOME=str(user.folder / "cache"),
        )
        first = user.run("plan", "spec.yaml")
    assert first.returncode == 0, first.stderr
    (kept,) = (user.folder / "cache" / "batch-run" / "prices").glob("*/*.json")
    day = json.loads(kept.read_text())["read"][:10]
    costs = [
        (
            f"cost: 0.11 EUR an hour for 1 dedicated node of Standard_D2s_v5 (Azure's list prices"
            f" (westeurope), {day})"
        ),
        "  at most 2.64 EUR by `limits.duration` (1d)",
        "  stops at 5.00 EUR; `limits.duration` (1d) comes first",
        "  storage and network are not counted",
    ]
    assert [line for line in first.stdout.splitlines() if line in costs] == costs
    # The service is gone by now.
    assert user.run("plan", "spec.yaml").stdout == first.stdout
    kept.write_text(kept.read_text().replace(f'"read": "{day}', '"read": "2026-01-31'))
    late = user.run("plan", "spec.yaml")
    assert "; using the prices of 2026-01-31\n" in late.stderr
    assert "cost: 0.11 EUR an hour" in late.stdout
    kept.unlink()
    never = user.run("plan", "spec.yaml")
    assert never.returncode == 0
    assert "\ncost: price not known: the price service does not answer: " in never.stdout


def test_here_it_costs_nothing(user: User) -> None:
    user.write("spec.yaml", SPEC.replace("[0, 100, 100]", "[0]").replace("122 EUR", "0.01"))
    user.write("prices.yaml", TABLE)
    done = user.run("run", "spec.yaml", "--target", "local", "--prices", "prices.yaml")
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"^cost: nothing, on this machine \(\S+ dedicated node-hours\); on Azure about \S+ EUR$",
        done.stderr,
        re.MULTILINE,
    )
    plan = user.run("plan", "spec.yaml", "--target", "local", "--prices", "prices.yaml", "--force")
    assert plan.returncode == 0, plan.stderr
    assert re.search(
        rf"^  about \S+ EUR, if its one task takes \S+ s, as in run {user.last_run().name} ",
        plan.stdout,
        re.MULTILINE,
    )
    refused = user.run("plan", "spec.yaml", "--prices", "prices.yaml")
    assert (refused.returncode, refused.stdout) == (2, "")
