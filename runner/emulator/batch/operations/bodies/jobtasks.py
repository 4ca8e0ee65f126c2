"""The tasks that belong to a job itself: manager, preparation and release.

It must not know the job around them.
"""

from __future__ import annotations

from datetime import timedelta

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.durations import UNLIMITED, limit_of
from runner.emulator.batch.core.ids import TaskId, key_of
from runner.emulator.batch.core.job import ManagerRule, PreparationRule
from runner.emulator.batch.core.refusal import invalid_property
from runner.emulator.batch.core.task import TaskDraft
from runner.emulator.batch.operations.bodies.commands import (
    APPLICATION_PACKAGES,
    AUTO_USER,
    COMMAND_LINE,
    CONSTRAINTS,
    DEFAULT_CONSTRAINTS,
    DISPLAY_NAME,
    ENVIRONMENT,
    ID,
    OUTPUT_FILES,
    RESOURCE_FILES,
    RETENTION,
    TOKEN,
    USER_IDENTITY,
)
from runner.emulator.batch.operations.bodies.containers import CONTAINER_SETTINGS
from runner.emulator.batch.operations.bodies.files import check_files
from runner.emulator.batch.operations.shapes import (
    Boolean,
    Duration,
    Field,
    Integer,
    Shape,
)

LONGEST_RELEASE = timedelta(minutes=15)

_PREPARATION_CONSTRAINTS = Shape(
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
_PREPARATION_DEFAULTS = {
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
        Field(name="constraints", kind=_PREPARATION_CONSTRAINTS, default=_PREPARATION_DEFAULTS),
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


MANAGER = Shape(
    (
        Field(name="id", kind=ID, required=True),
        Field(name="displayName", kind=DISPLAY_NAME),
        Field(name="commandLine", kind=COMMAND_LINE, required=True),
        Field(name="containerSettings", kind=CONTAINER_SETTINGS),
        Field(name="resourceFiles", kind=RESOURCE_FILES),
        Field(name="outputFiles", kind=OUTPUT_FILES),
        Field(name="environmentSettings", kind=ENVIRONMENT),
        Field(name="constraints", kind=CONSTRAINTS, default=DEFAULT_CONSTRAINTS),
        Field(name="requiredSlots", kind=Integer(low=1), default=1),
        Field(name="killJobOnCompletion", kind=Boolean(), default=True),
        _IDENTITY,
        Field(name="runExclusive", kind=Boolean(), default=True),
        Field(name="applicationPackageReferences", kind=APPLICATION_PACKAGES),
        TOKEN,
        Field(name="allowLowPriorityNode", kind=Boolean(), default=True),
    )
)
_NOT_OF_TASKS = ("id", "killJobOnCompletion", "runExclusive", "allowLowPriorityNode")


def manager_rule(job: Document) -> ManagerRule | None:
    """What the core needs of a checked job's manager beyond the task that it is."""
    command = job.get("jobManagerTask")
    if command is None:
        return None
    return ManagerRule(
        id=TaskId(command["id"]),
        kills_job=command["killJobOnCompletion"],
        exclusive=command["runExclusive"],
        dedicated_only=not command["allowLowPriorityNode"],
    )


def manager_draft(job: Document) -> TaskDraft | None:
    """The task that a checked job's manager is."""
    command = job.get("jobManagerTask")
    if command is None:
        return None
    return TaskDraft(
        id=TaskId(command["id"]),
        document={name: value for name, value in command.items() if name not in _NOT_OF_TASKS},
        slots=command["requiredSlots"],
        max_retry_count=command["constraints"].get("maxTaskRetryCount"),
        exits=None,
        declares_job_action=False,
        depends_on=None,
        retention=limit_of(command["constraints"]["retentionTime"]),
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
        rerun_after_reboot=command["rerunOnNodeRebootAfterSuccess"],
    )


def release_id(job: Document) -> TaskId | None:
    """The id of a checked job's release task."""
    command = job.get("jobReleaseTask")
    return None if command is None else TaskId(command["id"])


def check_job_tasks(job: Document) -> None:
    """Rules that shapes cannot say; raises `RefusedError`."""
    preparation, release = job.get("jobPreparationTask"), job.get("jobReleaseTask")
    manager = job.get("jobManagerTask")
    for command in (manager, preparation, release):
        if command is not None:
            check_files(command)
    if manager is not None and preparation is not None:
        _check_different(manager, preparation)
    if release is None:
        return
    if manager is not None:
        _check_different(manager, release)
    if preparation is None:
        raise invalid_property(
            "jobReleaseTask", release["id"], "jobReleaseTask needs a jobPreparationTask"
        )
    _check_different(preparation, release)


def _check_different(one: Document, other: Document) -> None:
    if key_of(one["id"]) == key_of(other["id"]):
        raise invalid_property("id", other["id"], "Another task of the job has this id")
