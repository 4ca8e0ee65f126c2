"""The file systems that a pool mounts on its nodes.

It must not know that the emulator makes a folder in place of each.
"""

from __future__ import annotations

from runner.emulator.batch.operations.bodies.containers import IDENTITY
from runner.emulator.batch.operations.shapes import Field, Items, Kind, OneOf, Shape, Text

# Below `AZ_BATCH_NODE_MOUNTS_DIR`, and never out of it.
_MOUNT_PATH = Field(
    name="relativeMountPath",
    kind=Text(empty=False, pattern=r"(?!/)(?!(.*/)?\.\.(/|$))[^\x00]+"),
    required=True,
)
_MOUNT_OPTIONS = Field(name="mountOptions", kind=Text())
_SOURCE = Field(name="source", kind=Text(empty=False), required=True)
_ACCOUNT = Field(name="accountName", kind=Text(empty=False), required=True)

_BLOB = OneOf(
    Shape(
        (
            _ACCOUNT,
            Field(name="containerName", kind=Text(empty=False), required=True),
            Field(name="accountKey", kind=Text(empty=False)),
            Field(name="sasKey", kind=Text(empty=False)),
            Field(name="blobfuseOptions", kind=Text()),
            _MOUNT_PATH,
            Field(name="identityReference", kind=IDENTITY),
        )
    ),
    ("accountKey", "sasKey", "identityReference"),
)
_NFS = Shape((_SOURCE, _MOUNT_PATH, _MOUNT_OPTIONS))
_CIFS = Shape(
    (
        Field(name="username", kind=Text(empty=False), required=True),
        _SOURCE,
        _MOUNT_PATH,
        _MOUNT_OPTIONS,
        Field(name="password", kind=Text(empty=False), required=True),
    )
)
_FILE_SHARE = Shape(
    (
        _ACCOUNT,
        Field(name="azureFileUrl", kind=Text(empty=False), required=True),
        Field(name="accountKey", kind=Text(empty=False), required=True),
        _MOUNT_PATH,
        _MOUNT_OPTIONS,
    )
)
_KINDS: dict[str, Kind] = {
    "azureBlobFileSystemConfiguration": _BLOB,
    "nfsMountConfiguration": _NFS,
    "cifsMountConfiguration": _CIFS,
    "azureFileShareConfiguration": _FILE_SHARE,
}
MOUNTS = Items(
    kind=OneOf(
        Shape(tuple(Field(name=name, kind=kind) for name, kind in _KINDS.items())),
        tuple(_KINDS),
    ),
    most=10,
)
