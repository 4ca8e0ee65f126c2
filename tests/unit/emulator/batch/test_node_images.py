"""The images of containers that stand for those of virtual machines."""

from __future__ import annotations

import pytest

from runner.emulator.batch.launching.images import system_image


@pytest.mark.parametrize(
    ("publisher", "offer", "sku", "image"),
    [
        ("canonical", "ubuntu-24_04-lts", "server", "ubuntu:24.04"),
        ("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts", "ubuntu:22.04"),
        ("microsoft-azure-batch", "ubuntu-server-container", "20-04-lts", "ubuntu:20.04"),
        ("microsoft-dsvm", "ubuntu-hpc", "2204", "ubuntu:22.04"),
        ("debian", "debian-12", "12", "debian:12"),
        ("almalinux", "almalinux-x86_64", "9-gen2", "almalinux:9"),
        ("", "", "", "ubuntu:24.04"),
    ],
)
def test_each_system_has_its_image(publisher: str, offer: str, sku: str, image: str) -> None:
    assert system_image(publisher, offer, sku) == f"docker.io/library/{image}"
