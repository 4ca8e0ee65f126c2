"""What was there before a recording began: pools and jobs that its client had not made itself.

It must not know how requests are sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OLDEST = "2020-03-01.11.0"
"""The oldest version that the emulator speaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Bodies of what is created first; `settled` lets the pools arrive at their sizes.

    `applications` are ids with versions.
    """

    applications: tuple[tuple[str, str], ...] = ()
    pools: tuple[Mapping[str, Any], ...] = ()
    jobs: tuple[Mapping[str, Any], ...] = ()
    settled: bool = False


def _pool(identifier: str, nodes: int) -> dict[str, Any]:
    return {
        "id": identifier,
        "displayName": "test_pool",
        "vmSize": "standard_d2_v2",
        "virtualMachineConfiguration": {
            "imageReference": {
                "publisher": "Canonical",
                "offer": "UbuntuServer",
                "sku": "18.04-LTS",
            },
            "nodeAgentSKUId": "batch.node.ubuntu 18.04",
        },
        "userAccounts": [{"name": "task-user", "password": "secret", "elevationLevel": "admin"}],
        "targetDedicatedNodes": nodes,
    }


NOT_SENT = {
    ("python-2023-03/test_batch.test_batch_scale_pools.yaml", 0): (
        "the service itself failed with 500, and the client asked again"
    ),
    ("python-2023-03/test_batch.test_batch_create_pools.yaml", 3): (
        "the subnet of another subscription is refused; an account of the emulator is in none"
    ),
}
"""Requests that are left out, by source and number, and why."""

_USERS = "test_batch_test_batch_compute_node_user3c670ff0"
_NODES = "test_batch_test_batch_compute_nodesff3f0e45"
_FILES = "test_batch_test_batch_files98930ae3"
_SCALED = "test_batch_test_batch_scale_poolse2690d64"
_NOTHING = Scenario()
# The pool of these jobs has no nodes: their tasks wait.
_WAITING = Scenario(
    jobs=(
        {
            "id": "batch98da0af6",
            "poolInfo": {"poolId": "pool"},
            "onTaskFailure": "performexitoptionsjobaction",
        },
    )
)

_SCENARIOS = {
    "test_batch_applications.yaml": Scenario(
        applications=(("application_id", "v1.0"),),
        jobs=({"id": "batch", "poolInfo": {"poolId": "pool"}},),
    ),
    "test_batch_compute_node_user.yaml": Scenario(pools=(_pool(_USERS, 1),)),
    "test_batch_compute_nodes.yaml": Scenario(pools=(_pool(_NODES, 2),)),
    "test_batch_files.yaml": Scenario(
        pools=(_pool(_FILES, 1),), jobs=({"id": "batch", "poolInfo": {"poolId": _FILES}},)
    ),
    "test_batch_scale_pools.yaml": Scenario(pools=(_pool(_SCALED, 0),), settled=True),
    "test_batch_tasks.06bd1e99.yaml": _WAITING,
    "test_batch_tasks.0d971e4e.yaml": _WAITING,
    "test_batch_tasks.2a034712.yaml": _WAITING,
    "test_batch_tasks.f03e47e1.yaml": _WAITING,
}


def scenario_of(source: str) -> Scenario:
    """What was there before a recording began."""
    file = source.rpartition("/")[2]
    return next((s for name, s in _SCENARIOS.items() if file.endswith(name)), _NOTHING)


def spoken_version(version: str) -> str:
    """The version in which a recorded request is replayed: none before the oldest is spoken."""
    return max(version, OLDEST)
