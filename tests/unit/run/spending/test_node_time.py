"""How long nodes were there: what is paid for, and what is known of times when nobody looked."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from runner.run.events import (
    CleanupFinished,
    Event,
    LeftBehind,
    NodeChanged,
    PoolChanged,
    RunFinished,
    RunStarted,
)
from runner.run.spending.node_time import NodeSeconds, NodeTime

BEGIN = datetime(2026, 1, 2, 3, 0, 0, tzinfo=timezone.utc)
CLEAN = CleanupFinished(deleted=("pool p",), left=())
ENDED = RunFinished(exit_code=0, succeeded=1, failed=0, unfinished=0, error=None)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def began(*, resumed: bool = False) -> RunStarted:
    return RunStarted(workload="w", target="azure", tasks=1, files=0, bytes=0, resumed=resumed)


def node(
    name: str, state: str, *, since: float | None = None, dedicated: bool | None = True
) -> NodeChanged:
    return NodeChanged(
        node=name,
        state=state,
        previous=None,
        dedicated=dedicated,
        allocated=None if since is None else at(since),
    )


def pool(*, dedicated: int, spot: int) -> PoolChanged:
    return PoolChanged(
        pool="p",
        allocation="steady",
        dedicated=dedicated,
        spot=spot,
        target_dedicated=dedicated,
        target_spot=spot,
        errors=(),
        vm_size="Standard_D2s_v5",
    )


def fold(*events: tuple[float, Event]) -> NodeTime:
    time = NodeTime()
    for seconds, event in events:
        time.add(at(seconds), event)
    return time


def test_nodes_count_from_their_allocation_to_the_end_of_their_pool() -> None:
    time = fold(
        (0, began()),
        (20, node("a", "starting", since=10)),
        (30, node("b", "creating", since=25, dedicated=False)),
        (60, node("a", "idle", since=10)),
        (61, node("b", "waitingforstarttask", since=25, dedicated=False)),
        (100, node("a", "running", since=10)),
        (310, CLEAN),
        (311, ENDED),
    )
    assert time.least() == time.most() == NodeSeconds(dedicated=300, spot=285)
    assert not time.stays
    assert time.nodes == (0, 0)


def test_a_preempted_node_costs_nothing_until_it_has_a_machine_again() -> None:
    time = fold(
        (0, began()),
        (10, node("a", "running", since=0, dedicated=False)),
        (100, node("a", "preempted", since=0, dedicated=False)),
        (400, node("a", "starting", since=390, dedicated=False)),
        (500, CLEAN),
        (500, ENDED),
    )
    assert time.least() == time.most() == NodeSeconds(spot=100 + 110)


def test_a_resize_takes_nodes_and_brings_others() -> None:
    time = fold(
        (0, began()),
        (10, node("a", "idle", since=0)),
        (10, node("b", "idle", since=0)),
        (100, node("b", "leavingpool", since=0)),
        (130, node("b", "gone")),
        (200, node("c", "starting", since=190)),
        (300, CLEAN),
    )
    assert time.least() == NodeSeconds(dedicated=300 + 130 + 110)


def test_a_node_of_a_pool_that_was_there_before_counts_from_the_beginning_of_the_run() -> None:
    time = fold((0, began()), (50, node("a", "idle", since=-9_000)), (80, CLEAN))
    assert time.least() == NodeSeconds(dedicated=80)


def test_nodes_that_stay_may_have_cost_more_than_is_known() -> None:
    kept = CleanupFinished(
        deleted=(), left=(LeftBehind(kind="pool", name="p", why="--keep pool", kept=True),)
    )
    time = fold((0, began()), (10, node("a", "idle", since=0)), (100, kept), (101, ENDED))
    assert time.stays
    assert time.least(at(5_000)) == NodeSeconds(dedicated=101)


def test_while_somebody_looks_the_clock_runs() -> None:
    time = fold((0, began()), (10, node("a", "idle", since=0)))
    assert time.least(at(60)) == NodeSeconds(dedicated=60)
    assert time.nodes == (1, 0)
    assert not time.stays
    assert time.least() == NodeSeconds(dedicated=10)


def test_a_run_that_was_seen_alive_had_its_nodes_until_then() -> None:
    time = fold((0, began()), (10, node("a", "idle", since=0)))
    time.look(at(50))
    time.look(at(40))
    assert time.least() == NodeSeconds(dedicated=50)
    time.add(at(60), ENDED)
    time.look(at(500))
    assert time.least() == NodeSeconds(dedicated=60)
    assert time.stays


def test_a_node_that_is_there_after_the_client_was_away_was_there_all_the_time() -> None:
    time = fold(
        (0, began()),
        (10, node("a", "running", since=0)),
        (1_000, began(resumed=True)),
        (1_010, node("a", "running", since=0)),
        (1_100, CLEAN),
        (1_100, ENDED),
    )
    assert time.least() == time.most() == NodeSeconds(dedicated=1_100)


def test_of_nodes_that_went_while_nobody_looked_only_bounds_are_known() -> None:
    time = fold(
        (0, began()),
        (10, node("a", "running", since=0)),
        (10, node("b", "running", since=0, dedicated=False)),
        (1_000, began(resumed=True)),
        (1_010, node("b", "running", since=900, dedicated=False)),
        (1_100, CLEAN),
        (1_100, ENDED),
    )
    # The second has another machine by then; the first never came back.
    assert time.least() == NodeSeconds(dedicated=10, spot=10 + 200)
    assert time.most() == NodeSeconds(dedicated=1_000, spot=1_000 + 200)


def test_a_node_that_is_told_gone_after_the_client_was_away_is_bounded_too() -> None:
    time = fold(
        (0, began()),
        (10, node("a", "running", since=0)),
        (1_000, began(resumed=True)),
        (1_010, node("a", "preempted", since=0)),
        (1_100, CLEAN),
    )
    assert time.least() == NodeSeconds(dedicated=10)
    assert time.most() == NodeSeconds(dedicated=1_000)


def test_nodes_whose_kind_nobody_told_are_those_that_the_pool_asked_for() -> None:
    only_spot = fold(
        (0, began()),
        (5, pool(dedicated=0, spot=2)),
        (10, node("a", "idle", dedicated=None)),
        (20, CLEAN),
    )
    assert only_spot.least() == NodeSeconds(spot=10)
    both = fold(
        (0, began()),
        (5, pool(dedicated=1, spot=1)),
        (10, node("a", "idle", dedicated=None)),
        (20, CLEAN),
    )
    assert both.least() == NodeSeconds(dedicated=10)
    assert both.vm_size == "Standard_D2s_v5"


def test_clocks_that_differ_make_no_time_negative() -> None:
    time = fold((0, began()), (10, node("a", "idle", since=400)), (20, CLEAN))
    assert time.least() == NodeSeconds(dedicated=10)


def test_a_node_that_comes_back_with_its_old_allocation_is_not_counted_twice() -> None:
    time = fold(
        (0, began()),
        (10, node("a", "running", since=0, dedicated=False)),
        (100, node("a", "preempted", since=0, dedicated=False)),
        (400, node("a", "starting", since=0, dedicated=False)),
        (500, CLEAN),
        (500, ENDED),
    )
    assert time.least() == time.most() == NodeSeconds(spot=100 + 100)


def test_between_two_drives_nodes_of_others_cost_the_run_nothing() -> None:
    time = fold(
        (0, began()),
        (10, node("a", "idle", since=-9_000)),
        (100, CLEAN),
        (100, ENDED),
        (5_000, began(resumed=True)),
        (5_010, node("a", "idle", since=-9_000)),
        (5_010, node("b", "idle", since=3_000)),
        (5_100, CLEAN),
    )
    assert time.least() == time.most() == NodeSeconds(dedicated=100 + 2 * 100)


def test_nodes_may_be_there_as_long_as_nobody_who_came_back_has_looked() -> None:
    time = fold(
        (0, began()),
        (10, node("a", "running", since=0)),
        (1_000, began(resumed=True)),
        (3_000, began(resumed=True)),
        (3_010, node("b", "running", since=2_900)),
        (3_100, CLEAN),
    )
    assert time.least() == NodeSeconds(dedicated=10 + 200)
    assert time.most() == NodeSeconds(dedicated=3_000 + 200)


def test_nodes_that_nobody_ever_saw_leave_a_doubt() -> None:
    asked = pool(dedicated=2, spot=0)
    unseen = fold((0, began()), (5, asked), (9_000, began(resumed=True)), (9_100, CLEAN))
    assert unseen.is_blind
    seen = fold(
        (0, began()),
        (5, asked),
        (9_000, began(resumed=True)),
        (9_010, node("a", "idle", since=20)),
        (9_010, node("b", "idle", since=20)),
        (9_100, CLEAN),
    )
    assert not seen.is_blind
    assert seen.least() == NodeSeconds(dedicated=2 * 9_080)


def test_a_run_may_be_told_when_it_began_on_another_machine() -> None:
    time = NodeTime(began=BEGIN)
    time.add(at(5_000), began(resumed=False))
    time.add(at(5_010), node("a", "idle", since=100))
    assert time.least(at(5_100)) == NodeSeconds(dedicated=5_000)
