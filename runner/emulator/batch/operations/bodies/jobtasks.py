"""The tasks that belong to a job itself: preparation and release.

It must not know the job around them.
"""

from __future__ import annotations

from datetime import timedelta

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.ids import TaskId, key_of
from runner.emulator.batch.core.job import PreparationRule
from runner.emulator.batch.core.refusal import invalid_property
from runner.emulator.batch.operations.bodies.commands import (
    AUTO_USER,
    COMMAND_LINE,
    ENVIRONMENT,
    ID,
    RESOURCE_FILES,
    RETENTION,
    USER_IDENTITY,
)
from runner.emulator.batch.operations.bodies.containers import CONTAINER_SETTINGS
from runner.emulator.batch.operations.bodies.files import check_files
from runner.emulator.batch.operations.shapes import Boolean, Duration, Field, Integer, Shape
from runner.emulator.batch.operations.wire import UNLIMITED

LONGEST_RELEASE = timedelta(minutes=15)

_CONSTRAINTS = Shape(
    (
        Field(
            name="maxWallClockTime",
            kind=Duration(low=timedelta(microseconds=1)),
            default=UNLIMITED,
        ),
        Field(name="retentionTime", kind=Duration(), default=RETENTION),
        Field(name="maxTaskRetryCount", kind=Integer(low=-1), default=0),
    )
)
_DEFAULT_CONSTRAINTS = {
    "maxWallClockTime": UNLIMITED,
    "retentionTime": RETENTION,
    "maxTaskRetryCount": 0,
}
_COMMAND = (
    Field(name="commandLine", kind=COMMAND_LINE, required=True),
    Field(name="containerSettings", kind=CONTAINER_SETTINGS),
    Field(name="resourceFiles", kind=RESOURCE_FILES),
    Field(name="environmentSettings", kind=ENVIRONMENT),
)
_IDENTITY = Field(name="userIdentity", kind=USER_IDENTITY, default=AUTO_USER)

PREPARATION = Shape(
    (
        Field(name="id", kind=ID, default="jobpreparation"),
        *_COMMAND,
        Field(name="constraints", kind=_CONSTRAINTS, default=_DEFAULT_CONSTRAINTS),
        _IDENTITY,
        Field(name="waitForSuccess", kind=Boolean(), default=True),
        Field(name="rerunOnNodeRebootAfterSuccess", kind=Boolean(), default=True),
    )
)
RELEASE = Shape(
    (
        Field(name="id", kind=ID, default="jobrelease"),
        *_COMMAND,
        Field(
            name="maxWallClockTime",
            kind=Duration(low=timedelta(microseconds=1), high=LONGEST_RELEASE),
            default="PT15M",
        ),
        Field(name="retentionTime", kind=Duration(), default=RETENTION),
        _IDENTITY,
    )
)


def preparation_rule(job: Document) -> PreparationRule | None:
    """What the core needs of a checked job's preparation."""
    command = job.get("jobPreparationTask")
    if command is None:
        return None
    return PreparationRule(
        id=TaskId(command["id"]),
        wait_for_success=command["waitForSuccess"],
        max_retry_count=command["constraints"]["maxTaskRetryCount"],
    )


def release_id(job: Document) -> TaskId | None:
    """The id of a checked job's release task."""
    command = job.get("jobReleaseTask")
    return None if command is None else TaskId(command["id"])


def check_job_tasks(job: Document) -> None:
    """Rules that shapes cannot say; raises `RefusedError`."""
    preparation, release = job.get("jobPreparationTask"), job.get("jobReleaseTask")
    for command in (preparation, release):
        if command is not None:
            check_files(command)
    if release is None:
        return
    if preparation is None:
        raise invalid_property(
            "jobReleaseTask", release["id"], "jobReleaseTask needs a jobPreparationTask"
        )
    if key_of(preparation["id"]) == key_of(release["id"]):
        raise invalid_property("id", release["id"], "The job preparation task has this id")
