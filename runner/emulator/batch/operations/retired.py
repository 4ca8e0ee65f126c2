"""Images that the service no longer lists and that scripts of their time still ask for.

It must not know how images are listed or checked.
"""

from __future__ import annotations

_WINDOWS = ("microsoftwindowsserver", "windowsserver")
_WINDOWS_AGENT = "batch.node.windows amd64"
_WINDOWS_SKUS = (
    "2012-datacenter",
    "2012-datacenter-smalldisk",
    "2012-r2-datacenter",
    "2012-r2-datacenter-smalldisk",
    "2016-datacenter-smalldisk",
    "2016-datacenter-with-containers",
    "2019-datacenter-smalldisk",
    "2019-datacenter-with-containers",
    "2022-datacenter-smalldisk",
)

RETIRED: frozenset[tuple[str, str, str, str]] = frozenset(
    {
        ("canonical", "ubuntuserver", "16.04-lts", "batch.node.ubuntu 16.04"),
        ("canonical", "ubuntuserver", "18.04-lts", "batch.node.ubuntu 18.04"),
        ("canonical", "ubuntuserver", "18_04-lts-gen2", "batch.node.ubuntu 18.04"),
        ("debian", "debian-10", "10", "batch.node.debian 10"),
        ("microsoft-azure-batch", "centos-container", "7-8", "batch.node.centos 7"),
        (
            "microsoft-azure-batch",
            "ubuntu-server-container",
            "20-04-lts",
            "batch.node.ubuntu 20.04",
        ),
        ("openlogic", "centos", "7_9", "batch.node.centos 7"),
        *((*_WINDOWS, sku, _WINDOWS_AGENT) for sku in _WINDOWS_SKUS),
    }
)
"""Publisher, offer, SKU and node agent, all in lower case."""
