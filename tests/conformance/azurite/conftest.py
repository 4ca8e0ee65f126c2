"""Gives the tests a running Azurite beside the emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.azurite.installing import (
    VERSION,
    Azurite,
    install_azurite,
    start_azurite,
)
from tests.conformance.endpoints import Emulator


@pytest.fixture(scope="session")
def azurite(emulator: Emulator, pytestconfig: pytest.Config) -> Iterator[Azurite]:
    """One Azurite for the whole session, with the emulator's account."""
    package = install_azurite(pytestconfig.cache.mkdir(f"azurite-{VERSION}"))
    with start_azurite(package, emulator.storage_account, emulator.storage_key) as running:
        yield running
