"""Pools that outlive a run: the user's own, and those kept for the next run; and their secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from azure.batch.models import BatchPoolEvaluateAutoScaleOptions

from tests.e2e.accounts import Accounts, open_accounts
from tests.e2e.conftest import Emulator, User, wait_until

SPEC = """\
version: 1
name: demo
containers:
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
  keep: 30m
  start_task: {command: date +%N >> $AZ_BATCH_NODE_SHARED_DIR/started}
task:
  for_each: {range: {from: 1, to: 3}}
  command: cp $AZ_BATCH_NODE_SHARED_DIR/started started-{{ item }}
  outputs: [{pattern: "started-{{ item }}", to: output}]
"""


@pytest.fixture
def accounts(emulator: Emulator) -> Iterator[Accounts]:
    with open_accounts(emulator) as opened:
        yield opened


@pytest.fixture
def azure(user: User, emulator: Emulator) -> User:
    """A user whose environment names two accounts, which the emulator has."""
    return user.with_environ(**emulator.environ)


def starts(user: User, output: str) -> list[str]:
    """What the start task of the nodes left, as each task saw it."""
    folder = user.folder / output / "output"
    return [path.read_text() for path in sorted(folder.iterdir())]


def report(user: User) -> dict[str, Any]:
    """Of the last run."""
    content: dict[str, Any] = json.loads((user.last_run() / "report.json").read_text())
    return content


def end_of(accounts: Accounts, pool: str) -> datetime:
    """When the service takes the pool's nodes, as its formula says."""
    formula = accounts.batch.get_pool(pool).auto_scale_formula
    found = re.search(r'time\("(.*)"\)', formula or "")
    assert found, formula
    return datetime.fromisoformat(found[1].replace("Z", "+00:00"))


def left_line(pool: str, end: datetime) -> str:
    """What a run says of the pool that it leaves."""
    return (
        f"left: pool {pool} (1 node of Standard_D2s_v5 (1 node-hour an hour) until"
        f" {end:%Y-%m-%dT%H:%M:%SZ}, then none; the empty pool costs nothing, but counts towards"
        f" the quota of pools until az batch pool delete --pool-id {pool} removes it)\n"
    )


def test_the_next_run_uses_the_nodes_of_a_kept_pool(azure: User, accounts: Accounts) -> None:
    azure.write("spec.yaml", SPEC)
    first = azure.run("spec.yaml", "--output", "first")
    assert first.returncode == 0, first.stderr
    (pool,) = accounts.pools()
    nodes = accounts.nodes(pool)
    assert len(nodes) == 1
    assert accounts.jobs() == []
    assert accounts.containers() == []
    kept = accounts.batch.get_pool(pool)
    assert kept.enable_auto_scale is True
    assert left_line(pool, end_of(accounts, pool)) in first.stderr

    second = azure.run("spec.yaml", "--output", "second")

    assert second.returncode == 0, second.stderr
    assert accounts.pools() == [pool]
    assert accounts.nodes(pool) == nodes
    assert len(set(starts(azure, "first"))) == 1
    assert starts(azure, "second") == starts(azure, "first")
    assert [left["name"] for left in report(azure)["left"]] == [pool]


def test_runs_in_quick_succession_share_one_end(azure: User, accounts: Accounts) -> None:
    """The service takes a new end every 30 seconds only, and nobody waits for that."""
    azure.write("spec.yaml", SPEC)
    began = datetime.now(timezone.utc).replace(microsecond=0)
    first = azure.run("spec.yaml")
    assert first.returncode == 0, first.stderr
    (pool,) = accounts.pools()
    end = end_of(accounts, pool)
    assert began <= end - timedelta(minutes=30) <= datetime.now(timezone.utc)

    for _ in range(2):
        again = azure.run("spec.yaml", "--force")
        assert again.returncode == 0, again.stderr
        assert end_of(accounts, pool) == end
        assert left_line(pool, end) in again.stderr
    assert accounts.pools() == [pool]
    assert "waiting for pool" not in again.stderr


def test_the_end_that_is_left_takes_all_nodes(azure: User, accounts: Accounts) -> None:
    azure.write("spec.yaml", SPEC)
    assert azure.run("spec.yaml").returncode == 0
    (pool,) = accounts.pools()
    formula = accounts.batch.get_pool(pool).auto_scale_formula
    assert formula is not None

    def targets(at: datetime) -> list[str]:
        """What the formula comes to once its time is another."""
        moved = re.sub(r'time\(".*"\)', f'time("{at:%Y-%m-%dT%H:%M:%SZ}")', formula)
        body = BatchPoolEvaluateAutoScaleOptions(auto_scale_formula=moved)
        run = accounts.batch.evaluate_pool_auto_scale(pool, body)
        assert run.error is None
        return sorted((run.results or "").split(";"))

    now = datetime.now(timezone.utc)
    assert {"$TargetDedicatedNodes=1", "$TargetLowPriorityNodes=0"} < set(
        targets(now + timedelta(seconds=30))
    )
    assert {"$TargetDedicatedNodes=0", "$TargetLowPriorityNodes=0"} < set(
        targets(now - timedelta(seconds=1))
    )


@pytest.mark.slow
@pytest.mark.timeout(800)
def test_nodes_go_when_their_time_is_over(azure: User, accounts: Accounts) -> None:
    """The service looks every five minutes, and the shortest time that a pool stays is as long."""
    azure.write("spec.yaml", SPEC.replace("keep: 30m", "keep: 5m"))
    assert azure.run("spec.yaml").returncode == 0
    assert azure.run("spec.yaml").returncode == 0
    (pool,) = accounts.pools()
    end = end_of(accounts, pool)
    wait_until(lambda: not accounts.nodes(pool), limit_seconds=660, what="the nodes are gone")
    assert datetime.now(timezone.utc) >= end
    assert accounts.pools() == [pool]


def test_another_pool_is_made_where_the_pool_is_another(azure: User, accounts: Accounts) -> None:
    azure.write("spec.yaml", SPEC)
    assert azure.run("spec.yaml").returncode == 0
    (first,) = accounts.pools()

    azure.write("spec.yaml", SPEC.replace("date +%N", "date +%s"))
    done = azure.run("spec.yaml", "--output", "other")

    assert done.returncode == 0, done.stderr
    assert len(accounts.pools()) == 2
    assert first in accounts.pools()


@pytest.mark.parametrize(
    ("options", "is_said"),
    [(("--keep", "pool"), False), pytest.param((), True, marks=pytest.mark.slow)],
)
def test_a_kept_pool_grows_with_the_spec(
    azure: User, accounts: Accounts, options: tuple[str, ...], is_said: bool
) -> None:
    """Where the service has just taken an end for fewer nodes, another has to wait."""
    azure.write("spec.yaml", SPEC)
    assert azure.run("spec.yaml", *options).returncode == 0
    (pool,) = accounts.pools()
    before = accounts.nodes(pool)

    azure.write("spec.yaml", SPEC.replace("dedicated: 1", "dedicated: 2"))
    done = azure.run("spec.yaml", "--output", "more")

    assert done.returncode == 0, done.stderr
    assert (
        f"waiting for pool {pool} to take the end of its nodes: the service lets it be changed"
        " every 30 seconds only, and not while nodes come or go\n" in done.stderr
    ) is is_said
    assert accounts.pools() == [pool]
    wait_until(lambda: len(accounts.nodes(pool)) == 2, what="the pool has grown")
    assert before.items() <= accounts.nodes(pool).items()


def test_nodes_that_a_kept_pool_gets_later_find_the_script_of_their_run(
    azure: User, accounts: Accounts
) -> None:
    """A script too long for the wire lies in the logs of its run, which go with that run."""
    command = "command: date +%N >> $AZ_BATCH_NODE_SHARED_DIR/started"
    spec = SPEC.replace(
        f"start_task: {{{command}}}",
        f"start_task:\n    {command} && true {'x' * 120_000}",
    )
    azure.write("spec.yaml", spec)
    assert azure.run("spec.yaml", "--keep", "pool").returncode == 0
    (pool,) = accounts.pools()
    assert accounts.containers() == []

    azure.write("spec.yaml", spec.replace("dedicated: 1", "dedicated: 3"))
    done = azure.run("spec.yaml", "--output", "more", "--keep", "pool", "--keep", "storage")

    assert done.returncode == 0, done.stderr
    assert accounts.pools() == [pool]
    wait_until(
        lambda: [node.state for node in accounts.batch.list_nodes(pool)] == ["idle"] * 3,
        what="all nodes have been started",
    )


def test_a_kept_pool_is_left_by_keep_pool_without_an_end(azure: User, accounts: Accounts) -> None:
    azure.write("spec.yaml", SPEC)

    done = azure.run("spec.yaml", "--keep", "pool")

    assert done.returncode == 0, done.stderr
    assert (
        "note: `--keep pool` leaves the pool until you delete it, though `pool.keep` says 30m\n"
    ) in done.stderr
    (pool,) = accounts.pools()
    assert accounts.batch.get_pool(pool).enable_auto_scale is False


@pytest.fixture
def shared(azure: User, accounts: Accounts) -> str:
    """A pool with a node that is there already, and that no run may take away."""
    azure.write("first.yaml", SPEC)
    assert azure.run("first.yaml", "--keep", "pool").returncode == 0
    (pool,) = accounts.pools()
    return pool


def existing(pool: str) -> str:
    return (
        SPEC[: SPEC.index("pool:")]
        + f"pool: {{existing: {pool}}}\n"
        + SPEC[SPEC.index("\ntask:\n") + 1 :].replace(
            "cp $AZ_BATCH_NODE_SHARED_DIR/started", "echo >"
        )
    )


def test_an_existing_pool_is_used_and_left_as_it_is(
    azure: User, accounts: Accounts, shared: str
) -> None:
    before = accounts.batch.get_pool(shared)
    nodes = accounts.nodes(shared)
    azure.write("spec.yaml", existing(shared))

    done = azure.run("spec.yaml", "--output", "own", "--keep", "pool")

    assert done.returncode == 0, done.stderr
    assert (
        f"note: `--keep pool` changes nothing: pool `{shared}` is yours and stays\n" in done.stderr
    )
    assert len(list((azure.folder / "own" / "output").iterdir())) == 3
    assert accounts.pools() == [shared]
    assert accounts.nodes(shared) == nodes
    assert accounts.batch.get_pool(shared).etag == before.etag
    assert report(azure)["left"] == []
    assert accounts.jobs() == []


@pytest.mark.parametrize("words", [("run",), ("plan", "--target", "azure")])
def test_an_existing_pool_that_is_not_there_is_a_problem(
    azure: User, accounts: Accounts, words: tuple[str, ...]
) -> None:
    azure.write("spec.yaml", existing("nowhere"))

    done = azure.run(*words, "spec.yaml")

    assert done.returncode == 2
    assert "there is no pool `nowhere`" in done.stderr
    assert (accounts.containers(), accounts.jobs()) == ([], [])


def test_a_plan_names_the_pool_that_is_there(azure: User, shared: str) -> None:
    azure.write("spec.yaml", existing(shared))

    done = azure.run("plan", "spec.yaml", "--target", "azure")

    assert done.returncode == 0, done.stderr
    assert done.stderr == f"the service has pool `{shared}`\n"


SECRET = "s3cret-never-shown"
WITH_USER = SPEC.replace("  keep: 30m\n", "  users: [{name: worker, password_secret: WORKER}]\n")


def files_with(folder: Path, text: str) -> list[str]:
    """Files below the folder that hold the text, in whatever encoding a file has it."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and text.encode() in path.read_bytes()
    ]


@pytest.mark.parametrize("target", ["local", "azure"])
def test_a_secret_is_in_no_output_and_no_file(azure: User, tmp_path: Path, target: str) -> None:
    azure.write("spec.yaml", WITH_USER)
    holder = azure.with_environ(BATCH_RUN_SECRET_WORKER=SECRET)

    plan = holder.run("plan", "spec.yaml", "--json")
    done = holder.run("run", "spec.yaml", "--target", target, "--json", "--logs", "all")

    assert done.returncode == 0, done.stderr
    for text in (plan.stdout, plan.stderr, done.stdout, done.stderr):
        assert SECRET not in text
    assert files_with(azure.folder, SECRET) == []
    # Nor in the state of the service, which need not be asked for it again.
    assert files_with(tmp_path / "emulator", SECRET) == []


def test_a_refusal_of_the_service_tells_no_secret(azure: User, accounts: Accounts) -> None:
    azure.write(
        "spec.yaml",
        WITH_USER.replace("  users:", "  extra: {resizeTimeout: PT1S}\n  users:"),
    )
    holder = azure.with_environ(BATCH_RUN_SECRET_WORKER=SECRET)

    done = holder.run("spec.yaml")

    assert done.returncode == 3
    assert "    extra: {resizeTimeout: PT1S}\n                           ^^^^\n" in done.stderr
    assert "InvalidPropertyValue" in done.stderr
    assert SECRET not in done.stderr
    assert files_with(azure.folder, SECRET) == []
    assert (accounts.pools(), accounts.containers()) == ([], [])


def test_a_secret_that_is_missing_is_named(user: User) -> None:
    user.write("spec.yaml", WITH_USER)

    done = user.run("spec.yaml", "--target", "local")

    assert done.returncode == 2
    assert (
        "missing-secret: the environment variable BATCH_RUN_SECRET_WORKER is not set\n"
        in done.stderr
    )
    assert not (user.folder / ".batch-run").exists()
