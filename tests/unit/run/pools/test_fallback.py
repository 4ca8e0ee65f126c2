"""When dedicated nodes take the place of spot nodes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.run.advice import SPOT_IS_GONE
from runner.run.pools.fallback import SpotWatch
from runner.run.services import NodeStatus, PoolStatus
from runner.spec.model.pool import Fallback, FixedNodes
from tests.fakes.services import FakeBatch, FakeBlobs
from tests.fakes.stage import MovedClock

PLACE = "1 dedicated node in place of the spot nodes"
SPOT = NodeStatus(
    id="s", state="idle", start_task_exit_code=None, start_task_failure=None, is_dedicated=False
)
GONE = NodeStatus(
    id="s",
    state="preempted",
    start_task_exit_code=None,
    start_task_failure=None,
    is_dedicated=False,
)


class Scene:
    """A pool of two spot nodes, for which one dedicated node may stand in."""

    def __init__(self) -> None:
        self.batch = FakeBatch(FakeBlobs())
        self.clock = MovedClock()
        self.lost = 0
        self.told: list[str] = []
        fallback = Fallback(
            dedicated=1, after_preemptions=3, wait=timedelta(minutes=15), pointer=()
        )
        size = FixedNodes(dedicated=1, spot=2, fallback=fallback)
        self.watch = SpotWatch(
            "pool",
            size,
            fallback,
            batch=self.batch,
            clock=self.clock.clock(),
            preemptions=lambda: self.lost,
            tell=self.told.append,
        )

    def look(
        self, *nodes: NodeStatus, errors: tuple[str, ...] = (), spot: int = 2, dedicated: int = 1
    ) -> bool:
        pool = PoolStatus(
            state="active",
            allocation_state="steady" if errors else "resizing",
            dedicated_nodes=0,
            spot_nodes=len(nodes),
            target_dedicated_nodes=dedicated,
            target_spot_nodes=spot,
            resize_errors=errors,
        )
        return self.watch.look(pool, nodes)

    @property
    def given(self) -> list[tuple[int, int]]:
        return [(size.dedicated, size.spot) for size in self.batch.sizes]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_after_preemptions(scene: Scene) -> None:
    scene.lost = 2
    assert not scene.look(SPOT)
    scene.lost = 3
    assert scene.look(SPOT)
    assert scene.given == [(2, 0)]
    assert scene.told == [f"note: tasks have lost their spot nodes 3 times: {PLACE}"]
    # The service has taken it, and may be some time about it.
    assert scene.look(errors=("AllocationFailed",))
    assert not scene.look(dedicated=2, spot=0)
    scene.clock.passed += 200
    assert not scene.look(dedicated=0, spot=0)
    assert scene.given == [(2, 0)]


def test_without_a_spot_node_for_long(scene: Scene) -> None:
    assert not scene.look()
    scene.clock.passed += 800
    assert not scene.look(SPOT)
    assert not scene.look(GONE)
    scene.clock.passed += 899
    assert not scene.look(GONE)
    # The formula asks for none, since no task waits.
    assert not scene.look(spot=0)
    assert not scene.look(GONE)
    scene.clock.passed += 900
    assert scene.look(GONE)
    assert scene.told == [f"note: there has been no spot node for 15m: {PLACE}"]


def test_where_the_service_has_none(scene: Scene) -> None:
    assert not scene.look(SPOT, errors=("AllocationFailed: no",))
    assert scene.look(errors=("AllocationFailed: no",))
    assert scene.given == [(2, 0)]
    assert scene.told == [
        f"note: there are no spot nodes to be had (AllocationFailed: no; {SPOT_IS_GONE}): {PLACE}"
    ]


def test_what_the_service_does_not_take_yet_is_asked_for_again(scene: Scene) -> None:
    scene.batch.takes_no_expiry = lambda: True
    assert scene.look(errors=("AllocationFailed",))
    assert scene.look(errors=("AllocationFailed",))
    assert scene.batch.log == ["give size"]
    scene.clock.passed += 2
    scene.batch.takes_no_expiry = lambda: False
    assert scene.look()
    assert scene.given == [(2, 0)]
    assert len(scene.told) == 1
