"""The extensions that a pool declares for its machines.

It must not know what becomes of them.
"""

from __future__ import annotations

from runner.emulator.batch.operations.shapes import (
    Anything,
    Boolean,
    Field,
    Items,
    Shape,
    Text,
)

EXTENSIONS = Items(
    kind=Shape(
        (
            Field(name="name", kind=Text(empty=False), required=True),
            Field(name="publisher", kind=Text(empty=False), required=True),
            Field(name="type", kind=Text(empty=False), required=True),
            Field(name="typeHandlerVersion", kind=Text()),
            Field(name="autoUpgradeMinorVersion", kind=Boolean()),
            Field(name="enableAutomaticUpgrade", kind=Boolean()),
            Field(name="settings", kind=Anything()),
            Field(name="protectedSettings", kind=Anything()),
            Field(name="provisionAfterExtensions", kind=Items(kind=Text(empty=False))),
        )
    )
)
