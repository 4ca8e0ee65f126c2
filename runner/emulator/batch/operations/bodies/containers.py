"""Containers: what a pool prepares for them and what a task runs in.

It must not know that the emulator's nodes cannot run any.
"""

from __future__ import annotations

from runner.emulator.batch.operations.shapes import (
    Boolean,
    Choice,
    Field,
    Items,
    Shape,
    Text,
)

IDENTITY = Shape((Field(name="resourceId", kind=Text(empty=False)),))
REGISTRY = Shape(
    (
        Field(name="username", kind=Text()),
        Field(name="password", kind=Text()),
        Field(name="registryServer", kind=Text()),
        Field(name="identityReference", kind=IDENTITY),
    )
)
CONTAINER_CONFIGURATION = Shape(
    (
        Field(name="type", kind=Choice(("dockerCompatible", "criCompatible")), required=True),
        Field(name="containerImageNames", kind=Items(kind=Text(empty=False))),
        Field(name="containerRegistries", kind=Items(kind=REGISTRY)),
    )
)
CONTAINER_SETTINGS = Shape(
    (
        Field(name="containerRunOptions", kind=Text()),
        Field(name="imageName", kind=Text(empty=False), required=True),
        Field(name="registry", kind=REGISTRY),
        Field(
            name="workingDirectory", kind=Choice(("taskWorkingDirectory", "containerImageDefault"))
        ),
        Field(
            name="containerHostBatchBindMounts",
            kind=Items(
                kind=Shape(
                    (
                        Field(
                            name="source",
                            kind=Choice(
                                (
                                    "Shared",
                                    "Startup",
                                    "VfsMounts",
                                    "Task",
                                    "JobPrep",
                                    "Applications",
                                )
                            ),
                        ),
                        Field(name="isReadOnly", kind=Boolean()),
                    )
                )
            ),
        ),
    )
)
