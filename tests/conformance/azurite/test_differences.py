"""The emulator and Azurite answer the same requests alike, but for a closed list."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.conformance.azurite.asking import Service
from tests.conformance.azurite.comparing import Difference, compare, play
from tests.conformance.azurite.differences import KEPT
from tests.conformance.azurite.installing import Azurite
from tests.conformance.azurite.scenarios import STORIES
from tests.conformance.endpoints import Emulator

pytestmark = pytest.mark.xdist_group("azurite")


@pytest.fixture(scope="module")
def services(emulator: Emulator, azurite: Azurite) -> Iterator[tuple[Service, Service]]:
    """Both, with the same account and key."""
    ours = Service(
        endpoint=emulator.blob_endpoint, account=azurite.account, key=emulator.storage_key
    )
    azurites = Service(endpoint=azurite.endpoint, account=azurite.account, key=azurite.key)
    yield ours, azurites
    ours.close()
    azurites.close()


@pytest.fixture(scope="module")
def found(services: tuple[Service, Service]) -> list[Difference]:
    """All differences of all stories."""
    ours, azurites = services
    differences: list[Difference] = []
    for story, steps in STORIES.items():
        container = f"{story}-{uuid4().hex[:8]}"
        answers = (play(service, steps, container) for service in (ours, azurites))
        for number, (mine, other) in enumerate(zip(*answers, strict=True)):
            differences += compare(f"{story}/{number}", mine, other)
    return differences


@pytest.mark.parametrize("story", STORIES)
def test_the_two_differ_only_where_it_is_meant(found: list[Difference], story: str) -> None:
    unlisted = [
        difference
        for difference in found
        if difference.where.startswith(f"{story}/")
        and not any(kept.covers(difference) for kept in KEPT)
    ]

    assert unlisted == []


def test_no_difference_is_listed_that_there_is_not(found: list[Difference]) -> None:
    wheres = {(kept.where, where): kept for kept in KEPT for where in kept.where}

    unused = [
        (where, kept.reason)
        for (_, where), kept in wheres.items()
        if not any(kept.covers(d) and _is_at(d, where) for d in found)
    ]

    assert unused == []


def _is_at(difference: Difference, where: str) -> bool:
    return where == "*" or difference.where == where or difference.where.startswith(where[:-1])
