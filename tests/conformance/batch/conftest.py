"""A client of the emulator's Batch account, and names that no other test uses."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential

from tests.conformance.endpoints import Emulator


@pytest.fixture
def client(emulator: Emulator) -> Iterator[BatchClient]:
    """The real SDK with the account's key."""
    credential = AzureNamedKeyCredential(emulator.batch_account, emulator.batch_key)
    with BatchClient(emulator.batch_endpoint, credential) as opened:
        yield opened


@pytest.fixture
def name() -> str:
    """An id for the pool and the job of one test."""
    return f"test-{uuid.uuid4().hex[:12]}"
