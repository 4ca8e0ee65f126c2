"""Which image of a container stands for the image of a virtual machine: the same system.

It must not know whether nodes are containers.
"""

from __future__ import annotations

import re

from runner.emulator.batch.core.pool import Pool

_UBUNTU = re.compile(r"(?<!\d)([12]\d)[._-]?(04|10)(?!\d)")
_UBUNTU_NAMES = {"focal": "20.04", "jammy": "22.04", "noble": "24.04"}
_LIBRARY = "docker.io/library"
_OTHERS = {"debian": "debian", "almalinux": "almalinux", "resf": "rockylinux"}
_DEFAULT = f"{_LIBRARY}/ubuntu:24.04"


def node_image(pool: Pool) -> str:
    """The image for the nodes of a pool; for what no image stands for, that of Ubuntu 24.04."""
    machine = pool.document.get("virtualMachineConfiguration", {})
    reference = machine.get("imageReference", {})
    return system_image(*(reference.get(key, "") for key in ("publisher", "offer", "sku")))


def system_image(publisher: str, offer: str, sku: str) -> str:
    """As `node_image`, by the names of the image in the marketplace."""
    names = f"{offer} {sku}".lower()
    other = _OTHERS.get(publisher.lower())
    if other is not None:
        version = re.search(r"\d+", sku) or re.search(r"\d+", offer)
        return f"{_LIBRARY}/{other}:{version[0]}" if version else _DEFAULT
    for name, version_of_name in _UBUNTU_NAMES.items():
        if name in names:
            return f"{_LIBRARY}/ubuntu:{version_of_name}"
    found = _UBUNTU.search(names)
    return f"{_LIBRARY}/ubuntu:{found[1]}.{found[2]}" if found else _DEFAULT
