"""Short names of common images: `ubuntu 24.04` for publisher, offer and sku.

It knows nothing of which images an account is offered: the service's list says that.
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.spec.model.pool import CustomImage, Image

# publisher, offer, sku, as Microsoft publishes them for Batch pools
# (Microsoft Learn, "Choose VM sizes and images for pools").
ALIASES: Mapping[str, tuple[str, str, str]] = {
    "ubuntu 24.04": ("canonical", "ubuntu-24_04-lts", "server"),
    "ubuntu 22.04": ("canonical", "0001-com-ubuntu-server-jammy", "22_04-lts"),
    "debian 12": ("debian", "debian-12", "12-gen2"),
    "almalinux 9": ("almalinux", "almalinux-x86_64", "9-gen2"),
    "almalinux 8": ("almalinux", "almalinux-x86_64", "8-gen2"),
    "ubuntu 22.04 containers": ("microsoft-dsvm", "ubuntu-hpc", "2204"),
    "windows 2022": ("microsoftwindowsserver", "windowsserver", "2022-datacenter"),
    "windows 2019": ("microsoftwindowsserver", "windowsserver", "2019-datacenter"),
    # The plain images of Windows Server 2022 run no containers on nodes; this one does.
    "windows 2022 containers": ("microsoft-dsvm", "dsvm-win-2022", "winserver-2022"),
}


_WITH_APT = ("ubuntu", "debian")
# Publishers, offers and node agents of systems that install by dnf, yum, tdnf or zypper.
_WITHOUT_APT = (
    *("almalinux", "centos", "openlogic", "oracle", "redhat", "rhel", "resf", "rocky"),
    *("fedora", "suse", "sles", "mariner", "azurelinux", "azure-linux", "batch.node.el "),
)


def find_image(alias: str) -> Image:
    """The image of a short name; `KeyError` for one that the schema does not list."""
    publisher, offer, sku = ALIASES[alias]
    return Image(publisher=publisher, offer=offer, sku=sku, version="latest", alias=alias)


def told_by(image: Image | CustomImage) -> str:
    """What an image tells of its system: publisher and offer, or the node agent that fits it."""
    if isinstance(image, CustomImage):
        return image.node_agent
    return f"{image.publisher} {image.offer}"


def is_windows(told: str) -> bool:
    """Whether an image is one of Windows: its publisher, offer or node agent says so."""
    return any(word in told.lower() for word in ("windows", "dsvm-win"))


def lacks_apt(told: str) -> bool:
    """Whether an image is known to be of another family than Debian's, told as above."""
    plain = told.lower()
    if any(word in plain for word in _WITH_APT):
        return False
    return any(word in plain for word in _WITHOUT_APT)
