"""Clients of Azure Batch, for services of canned answers."""

from __future__ import annotations

import base64

from azure.core.credentials import AzureNamedKeyCredential

from runner.remote.batch import RemoteBatch
from runner.remote.endurance import Endurance
from tests.unit.remote.stub import Pauses

KEY = base64.b64encode(b"not a secret").decode()
HINT = "check AZURE_BATCH_ACCESS_KEY"


def open_batch(
    endpoint: str,
    pauses: Pauses,
    endurance: Endurance | None = None,
    secrets: tuple[str, ...] = (),
) -> RemoteBatch:
    """One that is to be closed."""
    return RemoteBatch(
        endpoint=endpoint,
        credential=AzureNamedKeyCredential("acct", KEY),
        key_hint=HINT,
        endurance=endurance or pauses.endurance(),
        secrets=secrets,
    )
