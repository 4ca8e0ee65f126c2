"""Runs against an emulator that has been told to make trouble come to their end all the same."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Emulator, User

SPEC = """\
version: 1
name: demo
containers:
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {spot: 2}
task:
  for_each: {range: {from: 1, to: 8}}
  command: sleep 0.2; echo {{ item }} > n-{{ item }}
  outputs: [{pattern: "n-{{ item }}", to: output}]
"""


@pytest.fixture
def azure(user: User, emulator: Emulator) -> User:
    """A user whose environment names two accounts, which the emulator has."""
    return user.with_environ(**emulator.environ)


def tell(emulator: Emulator, method: str, body: object = None) -> Any:
    """Asks `/.emulator/faults`."""
    origin = emulator.batch["endpoint"].rpartition("/")[0]
    request = urllib.request.Request(
        f"{origin}/.emulator/faults",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


@pytest.fixture
def told(emulator: Emulator) -> Iterator[Emulator]:
    """An emulator whose rules the test sets."""
    yield emulator
    assert [rule for rule in tell(emulator, "GET")["rules"] if not rule["strikes"]] == []


def outputs(user: User, folder: str) -> dict[str, str]:
    """What the tasks made, by name."""
    found = user.folder / folder / "output"
    return {path.name: path.read_text() for path in sorted(found.iterdir())}


def test_the_tasks_of_a_preempted_node_run_again_to_the_end(azure: User, told: Emulator) -> None:
    tell(told, "PUT", [{"fault": "preempt", "tasks": 2}])
    azure.write("spec.yaml", SPEC)
    result = azure.run("spec.yaml", "--target", "azure", "--output", "out")
    assert result.returncode == os.EX_OK, result.stderr
    assert outputs(azure, "out") == {f"n-{n}": f"{n}\n" for n in range(1, 9)}


def test_a_run_rides_over_a_service_in_trouble(azure: User, told: Emulator) -> None:
    tell(
        told,
        "PUT",
        [
            {"fault": "503", "every": 4, "retry-after": "0s", "first": 12},
            {"fault": "latency=1ms..20ms"},
            {"fault": "reset", "service": "batch", "operation": "list_tasks", "first": 1},
            {"fault": "reset=after", "service": "blob", "operation": "get_blob", "first": 1},
            {"fault": "task-error", "first": 3},
        ],
    )
    azure.write("spec.yaml", SPEC)
    result = azure.run("spec.yaml", "--target", "azure", "--output", "out")
    assert result.returncode == os.EX_OK, result.stderr
    assert outputs(azure, "out") == {f"n-{n}": f"{n}\n" for n in range(1, 9)}
