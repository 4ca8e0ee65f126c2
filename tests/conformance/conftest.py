"""Gives the conformance tests a running emulator; it knows nothing of what they ask of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.endpoints import Emulator, start_emulator


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """One emulator for the whole session, on a free port; admin start tasks are allowed."""
    with start_emulator("--allow-admin") as running:
        yield running


@pytest.fixture(scope="session")
def tls_emulator() -> Iterator[Emulator]:
    """The same over TLS, started only where a test wants it."""
    with start_emulator("--allow-admin", "--tls") as running:
        yield running
