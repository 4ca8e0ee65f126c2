"""The images that pools may be made of, as the service lists them.

It must not know that a local node is made of none.
"""

from __future__ import annotations

import re

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.refusal import Reason, RefusedError, invalid_property
from runner.emulator.batch.operations.retired import RETIRED
from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class Image:
    """One entry of the list."""

    publisher: str
    offer: str
    sku: str
    agent: str
    verified: bool = True
    capabilities: tuple[str, ...] = ()
    end_of_life: str | None = None

    @property
    def os_type(self) -> str:
        """`linux` or `windows`."""
        return "windows" if self.agent == _WINDOWS else "linux"


_WINDOWS = "batch.node.windows amd64"
_GENERATION_2 = ("Generation2VMImage",)
_CONTAINERS = ("DockerCompatible", "Generation2VMImage")
_HPC = (
    "DockerCompatible",
    "SupportsRDMAOnly",
    "Generation2VMImage",
    "IntelMPIRuntimeInstalled",
)


def _linux() -> tuple[Image, ...]:
    jammy, noble = "batch.node.ubuntu 22.04", "batch.node.ubuntu 24.04"
    el8, el9 = "batch.node.el 8", "batch.node.el 9"
    ubuntu = "0001-com-ubuntu-server-jammy"
    return (
        Image(publisher="almalinux", offer="almalinux-x86_64", sku="8-gen1", agent=el8),
        Image(
            publisher="almalinux",
            offer="almalinux-x86_64",
            sku="8-gen2",
            agent=el8,
            capabilities=_GENERATION_2,
        ),
        Image(publisher="almalinux", offer="almalinux-x86_64", sku="9-gen1", agent=el9),
        Image(
            publisher="almalinux",
            offer="almalinux-x86_64",
            sku="9-gen2",
            agent=el9,
            capabilities=_GENERATION_2,
        ),
        Image(
            publisher="almalinux",
            offer="almalinux-hpc",
            sku="8_10-hpc-gen2",
            agent=el8,
            verified=False,
            capabilities=_HPC,
        ),
        Image(publisher="canonical", offer=ubuntu, sku="22_04-lts", agent=jammy),
        Image(
            publisher="canonical",
            offer=ubuntu,
            sku="22_04-lts-gen2",
            agent=jammy,
            capabilities=_GENERATION_2,
        ),
        Image(
            publisher="canonical",
            offer="ubuntu-24_04-lts",
            sku="server",
            agent=noble,
            capabilities=_GENERATION_2,
        ),
        Image(publisher="canonical", offer="ubuntu-24_04-lts", sku="server-gen1", agent=noble),
        Image(
            publisher="canonical",
            offer="0001-com-ubuntu-server-focal",
            sku="20_04-lts",
            agent="batch.node.ubuntu 20.04",
            end_of_life="2025-04-22T00:00:00Z",
        ),
        Image(publisher="debian", offer="debian-12", sku="12", agent="batch.node.debian 12"),
        Image(
            publisher="debian",
            offer="debian-12",
            sku="12-gen2",
            agent="batch.node.debian 12",
            capabilities=_GENERATION_2,
        ),
        Image(
            publisher="debian",
            offer="debian-11",
            sku="11",
            agent="batch.node.debian 11",
            end_of_life="2026-08-31T00:00:00Z",
        ),
        Image(
            publisher="microsoft-dsvm",
            offer="ubuntu-hpc",
            sku="2204",
            agent=jammy,
            verified=False,
            capabilities=_HPC,
        ),
        Image(
            publisher="microsoft-dsvm",
            offer="ubuntu-hpc",
            sku="2404",
            agent=noble,
            verified=False,
            capabilities=_HPC,
        ),
    )


def _windows() -> tuple[Image, ...]:
    publisher, offer = "microsoftwindowsserver", "windowsserver"
    plain = ("2016-datacenter", "2019-datacenter", "2022-datacenter", "2025-datacenter")
    core = ("2019-datacenter-core", "2022-datacenter-core", "2025-datacenter-core")
    second = ("2019-datacenter-gensecond", "2022-datacenter-g2", "2025-datacenter-g2")
    azure_editions = ("2022-datacenter-azure-edition", "2025-datacenter-azure-edition")

    def image(sku: str, capabilities: tuple[str, ...] = ()) -> Image:
        return Image(
            publisher=publisher, offer=offer, sku=sku, agent=_WINDOWS, capabilities=capabilities
        )

    return (
        *(image(sku) for sku in plain),
        *(image(sku) for sku in core),
        *(image(sku, _GENERATION_2) for sku in second),
        *(image(sku, _GENERATION_2) for sku in azure_editions),
        Image(
            publisher="microsoft-dsvm",
            offer="dsvm-win-2022",
            sku="winserver-2022",
            agent=_WINDOWS,
            verified=False,
            capabilities=_CONTAINERS,
        ),
    )


IMAGES: tuple[Image, ...] = tuple(
    sorted((*_linux(), *_windows()), key=lambda image: (image.publisher, image.offer, image.sku))
)

_RESOURCE = r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute"
_CUSTOM_IMAGE = re.compile(
    rf"{_RESOURCE}/(images/[^/]+|galleries/[^/]+/images/[^/]+(/versions/[^/]+)?)", re.IGNORECASE
)
# The service's own words.
_RESOURCE_FORM = (
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute"
)
_GALLERY_FORM = f"{_RESOURCE_FORM}/galleries/{{galleryName}}/images/{{galleryImageName}}"
_CUSTOM_FORMS = (
    f"The specified resource id must be of the format {_RESOURCE_FORM}/images/{{imageName}},"
    f" {_GALLERY_FORM}/versions/{{galleryImageVersionName}}, or {_GALLERY_FORM}"
)
_MARKETPLACE = ("publisher", "offer", "sku")


def check_image(machine: dict[str, object]) -> None:
    """Checks `virtualMachineConfiguration` and writes the version `latest` where none is given.

    Raises `RefusedError` for an image that is not listed or does not go with the node agent.
    """
    reference = machine["imageReference"]
    assert isinstance(reference, dict)
    agent = str(machine["nodeAgentSKUId"])
    custom = reference.get("virtualMachineImageId")
    if custom is not None:
        if _CUSTOM_IMAGE.fullmatch(custom) is None:
            raise invalid_property(
                "virtualMachineImageId",
                custom,
                _CUSTOM_FORMS,
            )
        _check_agent(agent)
        return
    if "sharedGalleryImageId" in reference or "communityGalleryImageId" in reference:
        _check_agent(agent)
        return
    for name in _MARKETPLACE:
        if name not in reference:
            raise RefusedError(Reason.PROPERTY_MISSING, ("PropertyName", name))
    _check_marketplace(reference, agent)
    machine["imageReference"] = {**reference, "version": reference.get("version", "latest")}


def _check_marketplace(reference: Document, agent: str) -> None:
    wanted = tuple(reference[name].lower() for name in _MARKETPLACE)
    found = [image for image in IMAGES if (image.publisher, image.offer, image.sku) == wanted]
    shown = " ".join(reference[name] for name in _MARKETPLACE)
    if (*wanted, agent.lower()) in RETIRED:
        return
    if not found:
        raise invalid_property(
            "imageReference", shown, "The image is not in the list of supported images"
        )
    if all(image.agent != agent.lower() for image in found):
        raise invalid_property(
            "nodeAgentSKUId", agent, f"The image {shown} goes with {found[0].agent}"
        )


def _check_agent(agent: str) -> None:
    if all(image.agent != agent.lower() for image in IMAGES):
        raise invalid_property("nodeAgentSKUId", agent, "There is no such node agent")
