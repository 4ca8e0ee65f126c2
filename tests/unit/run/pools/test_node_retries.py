"""Nodes whose start task failed are replaced, as long as the budget lasts."""

from __future__ import annotations

import pytest

from runner.run.pools.node_retries import NodeRetries
from runner.run.services import NodeStatus, PoolStatus
from runner.spec.model.pool import FixedNodes
from tests.fakes.services import FakeBatch, FakeBlobs
from tests.fakes.stage import MovedClock


def node(name: str, state: str = "idle") -> NodeStatus:
    return NodeStatus(id=name, state=state, start_task_exit_code=None, start_task_failure=None)


class Scene:
    """A pool of three nodes, of which two may be replaced."""

    def __init__(self) -> None:
        self.batch = FakeBatch(FakeBlobs())
        self.clock = MovedClock()
        self.told: list[str] = []
        self.size: FixedNodes | None = FixedNodes(dedicated=3, spot=0)
        self.retries = NodeRetries(
            "pool",
            2,
            size=lambda: self.size,
            batch=self.batch,
            clock=self.clock.clock(),
            tell=self.told.append,
        )

    def look(self, *nodes: NodeStatus, target: int = 3, allocation: str = "steady") -> bool:
        self.clock.passed += 2
        pool = PoolStatus(
            state="active",
            allocation_state=allocation,
            dedicated_nodes=len(nodes),
            spot_nodes=0,
            target_dedicated_nodes=target,
            target_spot_nodes=0,
            resize_errors=(),
        )
        return self.retries.look(pool, nodes)


@pytest.fixture
def scene() -> Scene:
    return Scene()


FAILED = "starttaskfailed"


def test_nodes_are_replaced_until_the_budget_is_used_up(scene: Scene) -> None:
    assert not scene.look(node("a"), node("b"), node("c", "starting"))
    assert scene.look(node("a", FAILED), node("b"), allocation="resizing")
    assert scene.batch.log == []
    assert scene.look(node("a", FAILED), node("b", FAILED), node("c", FAILED))
    assert scene.batch.log == ["remove a b"]
    assert scene.look(node("c", FAILED), target=1, allocation="resizing")
    assert scene.look(node("c", FAILED), target=1)
    assert scene.batch.log == ["remove a b", "give size"]
    assert scene.batch.sizes == [FixedNodes(dedicated=3, spot=0)]
    assert not scene.look(node("c", FAILED), node("d"), node("e"))
    assert not scene.look(node("c", FAILED), node("d", FAILED), node("e"))
    assert scene.told == ["note: 2 nodes are replaced, since the start task failed there"]


def test_a_size_that_is_not_taken_is_asked_for_again(scene: Scene) -> None:
    scene.look(node("a", FAILED))
    scene.batch.takes_no_expiry = lambda: True
    assert scene.look(target=2)
    scene.batch.takes_no_expiry = lambda: False
    assert scene.look(target=2)
    assert not scene.look(target=3)
    assert scene.batch.log == ["remove a", "give size", "give size"]


@pytest.mark.parametrize("target", [3, 4])
def test_a_pool_that_grows_by_itself_is_left_to_that(scene: Scene, target: int) -> None:
    scene.look(node("a", FAILED))
    assert scene.look(target=target)
    assert scene.batch.log == ["remove a"]


def test_a_formula_of_the_user_says_the_size(scene: Scene) -> None:
    scene.size = None
    scene.look(node("a", FAILED))
    scene.look(target=0)
    assert not scene.look(target=0)
    assert scene.batch.log == ["remove a"]
    assert scene.told == ["note: node a is replaced, since the start task failed there"]
