"""A pool that the service itself empties when its time is over, asked of the emulator."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from runner.connect import Services
from runner.run.services import Expiry
from runner.spec.model.pool import FixedNodes
from tests.conformance.remote.asking import idle_nodes, sized, wait_for

ONE = FixedNodes(dedicated=1, spot=0)


def test_a_pool_keeps_its_nodes_until_its_time(services: Services, pool: str) -> None:
    wait_for(lambda: len(idle_nodes(services, pool)) == 1)
    nodes = idle_nodes(services, pool)
    now = datetime.now(timezone.utc)

    assert services.batch.expire_pool(pool, Expiry(size=ONE, at=now + timedelta(hours=1)))
    assert idle_nodes(services, pool) == nodes

    assert services.batch.create_pool(pool, sized(pool, 2, run="r2")) is False
    wait_for(lambda: len(idle_nodes(services, pool)) == 2)
    assert set(nodes) < set(idle_nodes(services, pool))


def test_a_pool_whose_time_is_over_gives_its_nodes_up_and_gets_them_back(
    services: Services, pool: str
) -> None:
    wait_for(lambda: len(idle_nodes(services, pool)) == 1)
    past = datetime.now(timezone.utc) - timedelta(seconds=1)

    assert services.batch.expire_pool(pool, Expiry(size=ONE, at=past))
    wait_for(lambda: services.batch.node_statuses(pool) == ())

    assert services.batch.create_pool(pool, sized(pool, 1, run="r2")) is False
    wait_for(lambda: len(idle_nodes(services, pool)) == 1)
