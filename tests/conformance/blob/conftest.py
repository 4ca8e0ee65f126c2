"""Gives each test a container of its own, through the real SDK."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from tests.conformance.endpoints import Emulator


@pytest.fixture
def account(emulator: Emulator) -> Iterator[BlobServiceClient]:
    """A client of the account, holding its key."""
    client = BlobServiceClient.from_connection_string(emulator.connection_string)
    with client:
        yield client


@pytest.fixture
def container(account: BlobServiceClient) -> Iterator[ContainerClient]:
    """An empty container, removed at the end."""
    client = account.create_container(f"test-{uuid4().hex}")
    yield client
    client.delete_container()
