"""What the service fills in of a pool's machines that follows from other properties of theirs.

It must not know which values are allowed.
"""

from __future__ import annotations

from typing import Any

from runner.emulator.batch.core.document import Document

_BATCH_LOGIN = {"loginMode": "batch"}


def is_windows(pool: Document) -> bool:
    """Whether the nodes of a checked pool are Windows machines."""
    machine = pool.get("virtualMachineConfiguration")
    if machine is None:
        return "cloudServiceConfiguration" in pool
    return bool(machine["nodeAgentSKUId"].lower().startswith("batch.node.windows"))


def fill_in_pool(pool: dict[str, Any]) -> None:
    """Completes user accounts, in place."""
    if "userAccounts" in pool and is_windows(pool):
        pool["userAccounts"] = [
            {**account, "windowsUserConfiguration": _BATCH_LOGIN | _login(account)}
            for account in pool["userAccounts"]
        ]


def _login(account: Document) -> dict[str, Any]:
    given: dict[str, Any] = account.get("windowsUserConfiguration", {})
    return given
