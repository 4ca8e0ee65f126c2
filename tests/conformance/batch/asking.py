"""What the conformance tests of Batch keep asking for: waiting, pools, refusals.

It must not know how the emulator works.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from azure.batch import BatchClient, models
from azure.core.exceptions import HttpResponseError

T = TypeVar("T")

DEADLINE_SECONDS = 60.0
# The poller's thread must have ended before the client is closed, or it fails unheard: wait for it.
POLL: Any = {"polling_interval": 0.02}


def wait_until(what: Callable[[], T | None]) -> T:
    """Asks until the answer is neither None nor false."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        answer = what()
        if answer:
            return answer
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


def machine() -> models.VirtualMachineConfiguration:
    """An image of the list, and the node agent that goes with it."""
    return models.VirtualMachineConfiguration(
        image_reference=models.BatchVmImageReference(
            publisher="canonical", offer="ubuntu-24_04-lts", sku="server", version="latest"
        ),
        node_agent_sku_id="batch.node.ubuntu 24.04",
    )


def auto_pool(
    *, dedicated: int = 1, spot: int = 0, slots: int = 1, keep_alive: bool = False
) -> models.BatchPoolInfo:
    """A pool that comes and goes with its job."""
    return models.BatchPoolInfo(
        auto_pool_specification=models.BatchAutoPoolSpecification(
            pool_lifetime_option="job",
            auto_pool_id_prefix="auto-",
            keep_alive=keep_alive,
            pool=models.BatchPoolSpecification(
                vm_size="Standard_D2s_v5",
                target_dedicated_nodes=dedicated,
                target_low_priority_nodes=spot,
                task_slots_per_node=slots,
                virtual_machine_configuration=machine(),
            ),
        )
    )


def completed(client: BatchClient, job: str, task: str) -> models.BatchTask:
    """The task, once it has completed."""

    def look() -> models.BatchTask | None:
        found = client.get_task(job, task)
        return found if found.state == models.BatchTaskState.COMPLETED else None

    return wait_until(look)


def refused(ask: Callable[[], object]) -> tuple[int, str]:
    """Status and code with which the service refuses."""
    with pytest.raises(HttpResponseError) as caught:
        ask()
    error = caught.value
    assert error.status_code is not None
    assert error.response is not None
    # azure-batch 15.1 leaves the connection of a refused download open.
    response: Any = error.response
    closing = response.close()
    if inspect.iscoroutine(closing):
        closing.close()
    code = error.error.code if error.error is not None else ""
    return error.status_code, str(code)


def is_gone(ask: Callable[[], object]) -> bool:
    """Whether the service answers 404 by now."""
    try:
        ask()
    except HttpResponseError as error:
        if error.status_code == 404:
            return True
        raise
    return False
