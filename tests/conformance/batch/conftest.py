"""A watched client of the Batch account, and names that no other test uses."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from azure.batch import BatchClient

from tests.conformance.batch.variants import ALL_VARIANTS, MAIN, Variant, open_client
from tests.conformance.endpoints import Emulator
from tests.conformance.openapi.judging import Judge
from tests.conformance.openapi.reference import read_reference

EVERY_VARIANT = os.environ.get("BATCH_RUN_VARIANTS", "main") == "all"
"""Whether every test runs in every variant, and those of one operation in more than four."""


@pytest.fixture(params=ALL_VARIANTS if EVERY_VARIANT else (MAIN,), ids=str)
def variant(request: pytest.FixtureRequest) -> Variant:
    """How the test talks to the service."""
    chosen: Variant = request.param
    return chosen


@pytest.fixture
def judge() -> Iterator[Judge | None]:
    """Sees every answer; None on a machine without the service's documents."""
    reference = read_reference()
    if reference is None:
        yield None
        return
    judge = Judge(reference=reference)
    yield judge
    assert not judge.faults, "\n".join(dict.fromkeys(judge.faults))


@pytest.fixture
def client(
    request: pytest.FixtureRequest, variant: Variant, judge: Judge | None
) -> Iterator[BatchClient]:
    """The real SDK with the account's key."""
    emulator: Emulator = request.getfixturevalue("tls_emulator" if variant.tls else "emulator")
    with open_client(variant, emulator, judge) as opened:
        yield opened


@pytest.fixture
def name() -> str:
    """An id for the pool and the job of one test."""
    return f"test-{uuid.uuid4().hex[:12]}"
