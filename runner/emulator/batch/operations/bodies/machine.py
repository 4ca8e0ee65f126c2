"""The virtual machine that a pool's nodes are: image, disks, accounts.

It must not know pools.
"""

from __future__ import annotations

from runner.emulator.batch.operations.bodies.containers import CONTAINER_CONFIGURATION
from runner.emulator.batch.operations.bodies.extensions import EXTENSIONS
from runner.emulator.batch.operations.shapes import (
    Anything,
    Choice,
    Field,
    Integer,
    Items,
    Shape,
    Text,
)

IMAGE_REFERENCE = Shape(
    (
        Field(name="publisher", kind=Text()),
        Field(name="offer", kind=Text()),
        Field(name="sku", kind=Text()),
        Field(name="version", kind=Text()),
        Field(name="virtualMachineImageId", kind=Text()),
        Field(name="sharedGalleryImageId", kind=Text()),
        Field(name="communityGalleryImageId", kind=Text()),
    )
)
_STANDARD = {"storageAccountType": "standard_lrs"}
_MANAGED_DISK = Shape(
    (
        Field(
            name="storageAccountType",
            kind=Choice(("standard_lrs", "premium_lrs", "standardssd_lrs")),
            default="standard_lrs",
        ),
        Field(name="diskEncryptionSet", kind=Anything()),
        Field(name="securityProfile", kind=Anything()),
    )
)
DATA_DISKS = Items(
    kind=Shape(
        (
            Field(name="lun", kind=Integer(low=0, high=63), required=True),
            Field(name="caching", kind=Choice(("none", "readonly", "readwrite")), default="none"),
            Field(name="diskSizeGB", kind=Integer(low=1), required=True),
            Field(name="managedDisk", kind=_MANAGED_DISK, default=_STANDARD),
        )
    )
)
VIRTUAL_MACHINE = Shape(
    (
        Field(name="imageReference", kind=IMAGE_REFERENCE, required=True),
        Field(name="nodeAgentSKUId", kind=Text(), required=True),
        Field(name="windowsConfiguration", kind=Anything()),
        Field(name="dataDisks", kind=DATA_DISKS),
        Field(name="licenseType", kind=Text()),
        Field(name="containerConfiguration", kind=CONTAINER_CONFIGURATION),
        Field(name="diskEncryptionConfiguration", kind=Anything()),
        Field(name="nodePlacementConfiguration", kind=Anything()),
        Field(name="extensions", kind=EXTENSIONS),
        Field(name="osDisk", kind=Anything()),
        Field(name="securityProfile", kind=Anything()),
        Field(name="serviceArtifactReference", kind=Anything()),
    )
)
_LINUX_USER = Shape(
    (
        Field(name="uid", kind=Integer(low=0)),
        Field(name="gid", kind=Integer(low=0)),
        Field(name="sshPrivateKey", kind=Text()),
    )
)
_WINDOWS_USER = Shape((Field(name="loginMode", kind=Choice(("batch", "interactive"))),))
USER_ACCOUNTS = Items(
    kind=Shape(
        (
            Field(name="name", kind=Text(longest=20, empty=False), required=True),
            Field(name="password", kind=Text(), required=True),
            Field(name="elevationLevel", kind=Choice(("nonadmin", "admin")), default="nonadmin"),
            Field(name="linuxUserConfiguration", kind=_LINUX_USER),
            Field(name="windowsUserConfiguration", kind=_WINDOWS_USER),
        )
    )
)
