"""Which operations the service has, by the methods of the SDK, and which test is of which.

It must not know what the tests ask.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from azure.batch import BatchClient

# `create_tasks` only calls `create_task_collection`, and the others are no operations.
_NO_OPERATIONS = frozenset({"close", "create_tasks", "send_request"})

ABSENT = {
    # On record for the third: only on pools with a `cloudServiceConfiguration`.
    "2024-02-01.19.0": frozenset({"deallocate_node", "start_node", "reimage_node"}),
}
"""What nodes of virtual machines cannot be asked for in an earlier version."""


def operations() -> frozenset[str]:
    """All of the client's."""
    methods = {name for name in dir(BatchClient) if not name.startswith("_")} - _NO_OPERATIONS
    return frozenset(name.removeprefix("begin_") for name in methods)


def operation_of(test: Callable[..., Any]) -> str:
    """The operation after which a test is named."""
    return test.__name__.removeprefix("test_")
