"""What the parts of a node need to be called with."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from runner.emulator.batch.node.connections import Connections, TransferPolicy
from runner.emulator.batch.node.interruption import Interruption
from tests.unit.emulator.batch.node.blob_service import BlobService, serving


@pytest.fixture
def blobs() -> Iterator[BlobService]:
    """A blob service over HTTP, with a container `box`."""
    with serving() as service:
        yield service


@pytest.fixture
def silence_seconds() -> float:
    """How long a server may say nothing: longer than any test takes to answer itself."""
    return 60.0


@pytest.fixture
def policy(silence_seconds: float) -> TransferPolicy:
    """Retries without the wait."""
    return TransferPolicy(
        connect_timeout_seconds=60.0,
        silence_timeout_seconds=silence_seconds,
        retry_delays_seconds=(0.01, 0.02),
    )


@pytest.fixture
def connections(policy: TransferPolicy) -> Iterator[Connections]:
    made = Connections(policy)
    yield made
    made.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as made:
        yield made


@pytest.fixture
def interruption() -> Iterator[Interruption]:
    made = Interruption()
    yield made
    made.fire()
