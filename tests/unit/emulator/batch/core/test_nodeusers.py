"""The users of nodes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.emulator.batch.core.node import NodeUser
from runner.emulator.batch.core.nodeusers import add_user, delete_user, replace_user
from runner.emulator.batch.core.pool import Deallocation, StartTaskRule
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.restarts import reimage_node
from tests.unit.emulator.batch.core.world import World


def test_users_are_added_changed_and_deleted() -> None:
    world = World()
    world.pool()
    user = NodeUser(name="Ann", is_admin=True, expires=world.now)
    add_user(world.state, world.nodes()[0], user)
    with pytest.raises(RefusedError) as caught:
        add_user(
            world.state, world.nodes()[0], NodeUser(name="ann", is_admin=False, expires=world.now)
        )
    assert caught.value.reason is Reason.NODE_USER_EXISTS
    later = world.now + timedelta(days=2)
    replace_user(world.state, world.nodes()[0], "ANN", later)
    assert world.nodes()[0].users == (NodeUser(name="Ann", is_admin=True, expires=later),)
    delete_user(world.state, world.nodes()[0], "ann")
    assert world.nodes()[0].users == ()
    with pytest.raises(RefusedError) as missing:
        delete_user(world.state, world.nodes()[0], "ann")
    assert missing.value.reason is Reason.NODE_USER_NOT_FOUND


def test_users_need_a_node_that_is_ready() -> None:
    world = World()
    world.pool(start_task=StartTaskRule(wait_for_success=True, max_retry_count=0))
    user = NodeUser(name="ann", is_admin=False, expires=world.now)
    with pytest.raises(RefusedError) as caught:
        add_user(world.state, world.nodes()[0], user)
    assert caught.value.details == (
        ("Reason", "Operation add user is not valid on a node in the state waitingforstarttask"),
    )


def test_a_reimaged_node_has_lost_its_users() -> None:
    world = World()
    world.pool()
    add_user(world.state, world.nodes()[0], NodeUser(name="a", is_admin=False, expires=world.now))
    reimage_node(world.state, world.now, world.nodes()[0], Deallocation.REQUEUE)
    world.wait()
    assert world.nodes()[0].users == ()
