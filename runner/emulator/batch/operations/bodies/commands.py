"""The pieces that every kind of task shares: identity, environment, files, constraints.

It must not know in which task they stand.
"""

from __future__ import annotations

from datetime import timedelta

from runner.emulator.batch.core.durations import UNLIMITED
from runner.emulator.batch.operations.bodies.containers import IDENTITY
from runner.emulator.batch.operations.bodies.headers import UPLOAD_HEADERS
from runner.emulator.batch.operations.shapes import (
    Choice,
    Duration,
    Field,
    Integer,
    Items,
    OneOf,
    Shape,
    Text,
)

ID = Text(longest=64, pattern=r"[A-Za-z0-9_\-]+")
DISPLAY_NAME = Text(longest=1024)
COMMAND_LINE = Text(empty=False)
METADATA = Items(
    kind=Shape(
        (
            Field(name="name", kind=Text(), required=True),
            Field(name="value", kind=Text(), required=True),
        )
    )
)
ENVIRONMENT = Items(
    kind=Shape(
        (
            Field(name="name", kind=Text(empty=False), required=True),
            Field(name="value", kind=Text()),
        )
    )
)
APPLICATION_PACKAGES = Items(
    kind=Shape(
        (
            Field(name="applicationId", kind=ID, required=True),
            Field(name="version", kind=Text(longest=64, pattern=r"[A-Za-z0-9_.\-]+")),
        )
    )
)
RESOURCE_FILES = Items(
    kind=Shape(
        (
            Field(name="autoStorageContainerName", kind=Text(empty=False)),
            Field(name="storageContainerUrl", kind=Text(empty=False)),
            Field(name="httpUrl", kind=Text(empty=False)),
            Field(name="blobPrefix", kind=Text()),
            Field(name="filePath", kind=Text()),
            Field(name="fileMode", kind=Text()),
            Field(name="identityReference", kind=IDENTITY),
        )
    )
)
OUTPUT_FILES = Items(
    kind=Shape(
        (
            Field(name="filePattern", kind=Text(empty=False), required=True),
            Field(
                name="destination",
                kind=Shape(
                    (
                        Field(
                            name="container",
                            kind=Shape(
                                (
                                    Field(
                                        name="containerUrl", kind=Text(empty=False), required=True
                                    ),
                                    Field(name="path", kind=Text()),
                                    Field(name="identityReference", kind=IDENTITY),
                                    Field(name="uploadHeaders", kind=UPLOAD_HEADERS),
                                )
                            ),
                            required=True,
                        ),
                    )
                ),
                required=True,
            ),
            Field(
                name="uploadOptions",
                kind=Shape(
                    (
                        Field(
                            name="uploadCondition",
                            kind=Choice(("TaskSuccess", "TaskFailure", "TaskCompletion")),
                            required=True,
                        ),
                    )
                ),
                default={"uploadCondition": "TaskCompletion"},
            ),
        )
    )
)
USER_IDENTITY = OneOf(
    Shape(
        (
            Field(name="username", kind=Text(empty=False)),
            Field(
                name="autoUser",
                kind=Shape(
                    (
                        Field(name="scope", kind=Choice(("task", "pool")), default="pool"),
                        Field(
                            name="elevationLevel",
                            kind=Choice(("nonadmin", "admin")),
                            default="nonadmin",
                        ),
                    )
                ),
            ),
        )
    ),
    ("username", "autoUser"),
)
AUTO_USER = {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}}
TOKEN = Field(
    name="authenticationTokenSettings",
    kind=Shape((Field(name="access", kind=Items(kind=Choice(("job",)))),)),
)
"""Checked and kept; the service itself gives no tokens any more."""
RETENTION = "P7D"
CONSTRAINTS = Shape(
    (
        Field(
            name="maxWallClockTime",
            kind=Duration(low=timedelta(microseconds=1)),
            default=UNLIMITED,
        ),
        Field(name="retentionTime", kind=Duration(), default=RETENTION),
        Field(name="maxTaskRetryCount", kind=Integer(low=-1)),
    )
)
DEFAULT_CONSTRAINTS = {"maxWallClockTime": UNLIMITED, "retentionTime": RETENTION}
