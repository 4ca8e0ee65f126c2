"""The node agent of an image is found in the list as the service writes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.errors import UsageError
from runner.remote.images import find_node_agent
from tests.unit.remote.samples import IMAGE


def listed(
    publisher: str,
    offer: str,
    sku: str,
    agent: str,
    *,
    verified: bool = True,
    capabilities: tuple[str, ...] = (),
) -> dict[str, object]:
    """An entry; those without capabilities have no such property."""
    entry: dict[str, object] = {
        "nodeAgentSKUId": agent,
        "imageReference": {
            "publisher": publisher,
            "offer": offer,
            "sku": sku,
            "version": "latest",
        },
        "osType": "linux",
        "verificationType": "verified" if verified else "unverified",
    }
    return {**entry, "capabilities": list(capabilities)} if capabilities else entry


JAMMY = listed("canonical", "0001-com-ubuntu-server-jammy", "22_04-lts", "batch.node.ubuntu 22.04")
NOBLE = listed("Canonical", "ubuntu-24_04-lts", "SERVER", "batch.node.ubuntu 24.04")
WINDOWS = listed(
    "microsoftwindowsserver", "windowsserver", "2022", "batch.node.windows amd64", verified=False
)
DOCKER = listed(
    "microsoft-dsvm",
    "ubuntu-hpc",
    "2204",
    "batch.node.ubuntu 22.04",
    capabilities=("DockerCompatible", "Generation2VMImage"),
)


def test_an_image_is_found_in_any_case() -> None:
    assert find_node_agent([JAMMY, NOBLE], IMAGE, containers=False) == "batch.node.ubuntu 24.04"


def test_a_verified_entry_goes_before_one_that_is_not() -> None:
    older = listed(
        "canonical", "ubuntu-24_04-lts", "server", "batch.node.ubuntu 22.04", verified=False
    )

    assert find_node_agent([older, NOBLE], IMAGE, containers=False) == "batch.node.ubuntu 24.04"
    assert find_node_agent([older, JAMMY], IMAGE, containers=False) == "batch.node.ubuntu 22.04"


def test_an_unknown_image_is_answered_with_near_ones() -> None:
    with pytest.raises(UsageError) as caught:
        find_node_agent([NOBLE, WINDOWS], replace(IMAGE, offer="ubuntu-2404-lts"), containers=False)

    assert caught.value.message == (
        "image `canonical/ubuntu-2404-lts/server` is not in the service's list of supported images"
    )
    assert caught.value.hint == "did you mean `Canonical/ubuntu-24_04-lts/SERVER`?"


def test_an_image_like_no_other_gets_no_hint() -> None:
    with pytest.raises(UsageError) as caught:
        find_node_agent([WINDOWS], IMAGE, containers=True)

    assert caught.value.message == (
        "image `canonical/ubuntu-24_04-lts/server` is not in the service's list of supported images"
    )
    assert caught.value.hint is None


def test_an_image_for_containers_must_run_them() -> None:
    hpc = replace(IMAGE, publisher="microsoft-dsvm", offer="ubuntu-hpc", sku="2204")

    assert find_node_agent([NOBLE, DOCKER], hpc, containers=True) == "batch.node.ubuntu 22.04"
    with pytest.raises(UsageError) as caught:
        find_node_agent([NOBLE, DOCKER], IMAGE, containers=True)

    assert caught.value.message == (
        "image `canonical/ubuntu-24_04-lts/server` cannot run containers"
    )
    assert caught.value.hint == "images that can: `microsoft-dsvm/ubuntu-hpc/2204`"


def test_where_no_image_runs_containers_none_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        find_node_agent([NOBLE], IMAGE, containers=True)

    assert caught.value.hint is None
