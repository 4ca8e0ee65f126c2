"""Opens the emulator as a run opens Azure: by the environment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest

from runner.connect import Services, open_azure, read_azure_settings
from tests.conformance.endpoints import Emulator
from tests.conformance.remote.asking import sized


@pytest.fixture(scope="session")
def services(emulator: Emulator) -> Iterator[Services]:
    """Both services, as `--target azure` opens them."""
    settings = read_azure_settings(
        {
            "AZURE_BATCH_ENDPOINT": emulator.batch_endpoint,
            "AZURE_BATCH_ACCOUNT": emulator.batch_account,
            "AZURE_BATCH_ACCESS_KEY": emulator.batch_key,
            "AZURE_STORAGE_CONNECTION_STRING": emulator.connection_string,
        }
    )
    with open_azure(settings) as opened:
        yield opened


@pytest.fixture
def name() -> str:
    """A name that no other test uses, for a job or a container."""
    return f"t-{uuid4().hex[:12]}"


@pytest.fixture
def container(services: Services, name: str) -> Iterator[str]:
    """An empty container."""
    services.blobs.create_container(name, {"test": "conformance"})
    yield name
    services.blobs.delete_container(name)


@pytest.fixture
def expires() -> datetime:
    """An hour from now."""
    return datetime.now(timezone.utc) + timedelta(hours=1)


@pytest.fixture
def pool(services: Services, name: str) -> Iterator[str]:
    """A pool of one node that was made without a job; gone afterwards."""
    assert services.batch.create_pool(name, sized(name, 1)) is True
    yield name
    services.batch.delete_pool(name)
