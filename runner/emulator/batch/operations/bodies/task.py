"""The bodies of the task operations.

It must not know what the core does with them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.durations import limit_of
from runner.emulator.batch.core.ids import NodeId, TaskId
from runner.emulator.batch.core.limits import Limits
from runner.emulator.batch.core.refusal import Reason, RefusedError, invalid_property
from runner.emulator.batch.core.registries import RegistryPassword
from runner.emulator.batch.core.task import (
    Dependencies,
    ExitAction,
    ExitRules,
    JobAction,
    TaskDraft,
)
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
    TOKEN,
    USER_IDENTITY,
)
from runner.emulator.batch.operations.bodies.containers import CONTAINER_SETTINGS
from runner.emulator.batch.operations.bodies.files import check_files
from runner.emulator.batch.operations.bodies.registries import registry_passwords
from runner.emulator.batch.operations.shapes import (
    Choice,
    Field,
    Integer,
    Items,
    Shape,
    Text,
)

EXIT_OPTIONS = Shape(
    (
        Field(name="jobAction", kind=Choice(("none", "disable", "terminate"))),
        Field(name="dependencyAction", kind=Choice(("satisfy", "block"))),
    )
)
EXIT_CONDITIONS = Shape(
    (
        Field(
            name="exitCodes",
            kind=Items(
                kind=Shape(
                    (
                        Field(name="code", kind=Integer(), required=True),
                        Field(name="exitOptions", kind=EXIT_OPTIONS, required=True),
                    )
                )
            ),
        ),
        Field(
            name="exitCodeRanges",
            kind=Items(
                kind=Shape(
                    (
                        Field(name="start", kind=Integer(), required=True),
                        Field(name="end", kind=Integer(), required=True),
                        Field(name="exitOptions", kind=EXIT_OPTIONS, required=True),
                    )
                )
            ),
        ),
        Field(name="preProcessingError", kind=EXIT_OPTIONS),
        Field(name="fileUploadError", kind=EXIT_OPTIONS),
        Field(name="default", kind=EXIT_OPTIONS),
    )
)
DEPENDS_ON = Shape(
    (
        Field(name="taskIds", kind=Items(kind=ID)),
        Field(
            name="taskIdRanges",
            kind=Items(
                kind=Shape(
                    (
                        Field(name="start", kind=Integer(low=0), required=True),
                        Field(name="end", kind=Integer(low=0), required=True),
                    )
                )
            ),
        ),
    )
)
AFFINITY = Shape((Field(name="affinityId", kind=Text(empty=False), required=True),))
MULTI_INSTANCE = Shape(
    (
        Field(name="numberOfInstances", kind=Integer(low=1), default=1),
        Field(name="coordinationCommandLine", kind=COMMAND_LINE, required=True),
        Field(name="commonResourceFiles", kind=RESOURCE_FILES),
    )
)


def task_shape(limits: Limits) -> Shape:
    """The body of `POST /jobs/{id}/tasks`."""
    return Shape(
        (
            Field(name="id", kind=ID, required=True),
            Field(name="displayName", kind=DISPLAY_NAME),
            Field(name="commandLine", kind=COMMAND_LINE, required=True),
            Field(name="containerSettings", kind=CONTAINER_SETTINGS),
            Field(name="resourceFiles", kind=RESOURCE_FILES),
            Field(name="outputFiles", kind=OUTPUT_FILES),
            Field(name="environmentSettings", kind=ENVIRONMENT),
            Field(name="affinityInfo", kind=AFFINITY),
            Field(name="applicationPackageReferences", kind=APPLICATION_PACKAGES),
            Field(name="userIdentity", kind=USER_IDENTITY, default=AUTO_USER),
            TOKEN,
            Field(name="exitConditions", kind=EXIT_CONDITIONS),
            Field(name="constraints", kind=CONSTRAINTS, default=DEFAULT_CONSTRAINTS),
            Field(
                name="requiredSlots",
                kind=Integer(low=1, high=limits.slots_per_node),
                default=1,
            ),
            Field(name="multiInstanceSettings", kind=MULTI_INSTANCE),
            Field(name="dependsOn", kind=DEPENDS_ON),
        )
    )


def decode_task(body: object, shape: Shape, limits: Limits) -> TaskDraft:
    """A task that is to be added; `shape` is `task_shape` of the same limits."""
    document = shape.read(body, "")
    check_files(document)
    exits = document.get("exitConditions")
    several = document.get("multiInstanceSettings")
    if several is not None and document["requiredSlots"] > 1:
        raise invalid_property(
            "requiredSlots",
            document["requiredSlots"],
            "The value may not be given for multi-instance tasks",
        )
    return TaskDraft(
        id=TaskId(document.pop("id")),
        document=document,
        slots=document["requiredSlots"],
        max_retry_count=document["constraints"].get("maxTaskRetryCount"),
        exits=None if exits is None else _exit_rules(exits),
        declares_job_action=exits is not None and _declares_job_action(exits),
        depends_on=_dependencies(document.get("dependsOn"), limits),
        retention=limit_of(document["constraints"]["retentionTime"]),
        instances=0 if several is None else several["numberOfInstances"],
        affinity=_affinity(document.get("affinityInfo")),
        registry_passwords=_registry_passwords(body, document),
    )


def _registry_passwords(body: Any, document: Document) -> tuple[RegistryPassword, ...]:
    # Looked for just where a task can have one: there may be many thousands of tasks.
    if "registry" not in document.get("containerSettings", ()):
        return ()
    return registry_passwords(body["containerSettings"])


def _affinity(given: dict[str, str] | None) -> NodeId | None:
    """The node that is meant; the `affinityId` of another task is that of its node."""
    if given is None:
        return None
    return NodeId(given["affinityId"].removeprefix("TVM:"))


def decode_collection(body: object, limits: Limits) -> list[object]:
    """The undecoded tasks of `addtaskcollection`; each is refused or added by itself."""
    if not isinstance(body, dict) or not isinstance(body.get("value"), list):
        raise RefusedError(Reason.PROPERTY_MISSING, ("PropertyName", "value"))
    tasks: list[object] = body["value"]
    if len(tasks) > limits.tasks_per_collection:
        raise invalid_property(
            "value",
            len(tasks),
            f"There are more than {limits.tasks_per_collection} tasks",
        )
    return tasks


def decode_constraints(
    body: object, document: Document
) -> tuple[Document, int | None, timedelta | None]:
    """The document with the constraints of `PUT`, the retries (None: the job's), the retention."""
    field = Field(name="constraints", kind=CONSTRAINTS, default=DEFAULT_CONSTRAINTS)
    shape = Shape((field,), open=True)
    constraints = shape.read(body, "")["constraints"]
    return (
        {**document, "constraints": constraints},
        constraints.get("maxTaskRetryCount"),
        limit_of(constraints["retentionTime"]),
    )


def _dependencies(depends_on: dict[str, Any] | None, limits: Limits) -> Dependencies | None:
    if depends_on is None:
        return None
    ids = depends_on.get("taskIds", ())
    if sum(map(len, ids)) > limits.dependency_characters:
        raise RefusedError(Reason.TASK_DEPENDENCIES_TOO_LONG)
    ranges = []
    for entry in depends_on.get("taskIdRanges", ()):
        if entry["end"] < entry["start"]:
            raise invalid_property("end", entry["end"], "The range ends before it starts")
        ranges.append((entry["start"], entry["end"]))
    return Dependencies(ids=tuple(TaskId(name) for name in ids), ranges=tuple(ranges))


def _exit_rules(exits: dict[str, Any]) -> ExitRules:
    return ExitRules(
        codes=tuple(
            (entry["code"], _action(entry["exitOptions"], success=entry["code"] == 0))
            for entry in exits.get("exitCodes", ())
        ),
        ranges=tuple(
            (
                entry["start"],
                entry["end"],
                _action(entry["exitOptions"], success=entry["start"] == entry["end"] == 0),
            )
            for entry in exits.get("exitCodeRanges", ())
        ),
        pre_processing=_error_action(exits.get("preProcessingError")),
        file_upload=_error_action(exits.get("fileUploadError")),
        default=_error_action(exits.get("default")),
    )


def _error_action(options: dict[str, Any] | None) -> ExitAction | None:
    return None if options is None else _action(options, success=False)


def _action(options: dict[str, Any], *, success: bool) -> ExitAction:
    job = options.get("jobAction", "none" if success else "terminate")
    dependency = options.get("dependencyAction", "satisfy" if success else "block")
    return ExitAction(job=JobAction(job), satisfies_dependents=dependency == "satisfy")


def _declares_job_action(exits: dict[str, Any]) -> bool:
    entries = [*exits.get("exitCodes", ()), *exits.get("exitCodeRanges", ())]
    options = [entry["exitOptions"] for entry in entries]
    named = ("preProcessingError", "fileUploadError", "default")
    options += [exits[name] for name in named if name in exits]
    return any("jobAction" in option for option in options)
