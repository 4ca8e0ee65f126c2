"""The body of a new pool, and what is a part of other bodies too.

It must not know what the core does with them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from runner.emulator.batch.core.cores import cores_of
from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.durations import parse_duration
from runner.emulator.batch.core.ids import PoolId
from runner.emulator.batch.core.limits import Limits
from runner.emulator.batch.core.pool import NodeFill, PoolDraft, StartTaskRule
from runner.emulator.batch.core.refusal import Reason, RefusedError, invalid_property
from runner.emulator.batch.operations.bodies.autoscale import (
    POOL_FIELDS,
    Scaled,
    auto_scale_rule,
)
from runner.emulator.batch.operations.bodies.cloudservice import CLOUD_SERVICE
from runner.emulator.batch.operations.bodies.commands import (
    APPLICATION_PACKAGES,
    AUTO_USER,
    COMMAND_LINE,
    DISPLAY_NAME,
    ENVIRONMENT,
    ID,
    METADATA,
    RESOURCE_FILES,
    USER_IDENTITY,
)
from runner.emulator.batch.operations.bodies.containers import CONTAINER_SETTINGS
from runner.emulator.batch.operations.bodies.files import check_files
from runner.emulator.batch.operations.bodies.filling import fill_in_pool
from runner.emulator.batch.operations.bodies.machine import USER_ACCOUNTS, VIRTUAL_MACHINE
from runner.emulator.batch.operations.bodies.mounts import MOUNTS
from runner.emulator.batch.operations.bodies.network import POOL_NETWORK, check_network
from runner.emulator.batch.operations.bodies.registries import registry_passwords
from runner.emulator.batch.operations.images import check_image
from runner.emulator.batch.operations.shapes import (
    Anything,
    Boolean,
    Choice,
    Duration,
    Field,
    Integer,
    Items,
    Shape,
    Text,
)
from runner.emulator.storage.record import record

# Checked and kept: the account has no certificates that nodes could be given.
_CERTIFICATE = Shape(
    (
        Field(name="thumbprint", kind=Text(empty=False), required=True),
        Field(name="thumbprintAlgorithm", kind=Text(empty=False), required=True),
        Field(name="storeLocation", kind=Choice(("currentuser", "localmachine"))),
        Field(name="storeName", kind=Text()),
        Field(name="visibility", kind=Items(kind=Choice(("starttask", "task", "remoteuser")))),
    )
)
CERTIFICATES = Field(name="certificateReferences", kind=Items(kind=_CERTIFICATE))
COMMUNICATION = Choice(("default", "classic", "simplified"))
FIVE_MINUTES = timedelta(minutes=5)
START_TASK = Shape(
    (
        Field(name="commandLine", kind=COMMAND_LINE, required=True),
        Field(name="containerSettings", kind=CONTAINER_SETTINGS),
        Field(name="resourceFiles", kind=RESOURCE_FILES),
        Field(name="environmentSettings", kind=ENVIRONMENT),
        Field(name="userIdentity", kind=USER_IDENTITY, default=AUTO_USER),
        Field(name="maxTaskRetryCount", kind=Integer(low=-1), default=0),
        Field(name="waitForSuccess", kind=Boolean(), default=True),
    )
)
SCHEDULING_POLICY = Shape(
    (
        Field(name="jobDefaultOrder", kind=Choice(("none", "creationtime"))),
        Field(name="nodeFillType", kind=Choice(("Spread", "Pack")), default="Spread"),
    )
)


@record(frozen=True, slots=True)
class LowerCase:
    """A VM size: the service gives it back in lower case."""

    def read(self, value: object, name: str) -> str:
        """In lower case."""
        return Text(empty=False).read(value, name).lower()


POOL_NAME = Field(name="displayName", kind=DISPLAY_NAME)
_FIRST_OF_SPECIFICATION = ("vmSize", "taskSlotsPerNode", "taskSchedulingPolicy", "resizeTimeout")


def sized_fields(limits: Limits) -> tuple[Field, ...]:
    """What pools and the specifications of auto-pools have in common."""
    nodes = Integer(low=0)
    return (
        Field(name="vmSize", kind=LowerCase(), required=True),
        Field(name="resizeTimeout", kind=Duration(low=FIVE_MINUTES), default="PT15M"),
        Field(name="targetDedicatedNodes", kind=nodes, default=0),
        Field(name="targetLowPriorityNodes", kind=nodes, default=0),
        *POOL_FIELDS,
        Field(name="enableInterNodeCommunication", kind=Boolean(), default=False),
        Field(name="startTask", kind=START_TASK),
        CERTIFICATES,
        Field(name="applicationPackageReferences", kind=APPLICATION_PACKAGES),
        Field(name="metadata", kind=METADATA),
        Field(name="userAccounts", kind=USER_ACCOUNTS),
        Field(name="taskSlotsPerNode", kind=Integer(low=1, high=limits.slots_per_node), default=1),
        Field(
            name="taskSchedulingPolicy",
            kind=SCHEDULING_POLICY,
            default={"nodeFillType": "Spread"},
        ),
        Field(name="virtualMachineConfiguration", kind=VIRTUAL_MACHINE),
        Field(name="cloudServiceConfiguration", kind=CLOUD_SERVICE),
        Field(name="networkConfiguration", kind=POOL_NETWORK),
        Field(name="mountConfiguration", kind=MOUNTS),
        Field(name="applicationLicenses", kind=Items(kind=Text(empty=False))),
        Field(name="targetNodeCommunicationMode", kind=COMMUNICATION),
        Field(name="upgradePolicy", kind=Anything()),
        Field(name="resourceTags", kind=Anything()),
    )


def pool_shape(limits: Limits) -> Scaled:
    """The body of `POST /pools`."""
    return Scaled(
        Shape(
            (
                Field(name="id", kind=ID, required=True),
                POOL_NAME,
                *sized_fields(limits),
            )
        )
    )


def auto_pool_shape(limits: Limits) -> Scaled:
    """`autoPoolSpecification.pool`: a pool without an id, and in another order."""
    fields = {field.name: field for field in sized_fields(limits)}
    first = tuple(fields.pop(name) for name in _FIRST_OF_SPECIFICATION)
    return Scaled(Shape((POOL_NAME, *first, *fields.values())))


def decode_pool(body: object, limits: Limits) -> tuple[PoolId, PoolDraft]:
    """A pool that is to be created."""
    document = pool_shape(limits).read(body, "")
    identifier = PoolId(document.pop("id"))
    draft = replace(draft_pool(document), registry_passwords=registry_passwords(body))
    return identifier, draft


def draft_pool(document: dict[str, Any]) -> PoolDraft:
    """What the core needs of a checked pool; raises `RefusedError` where parts do not fit."""
    check_machine(document)
    fill_in_pool(document)
    check_network(document.get("networkConfiguration", {}))
    _check_slots(document)
    return PoolDraft(
        document=document,
        target_dedicated=document.pop("targetDedicatedNodes", 0),
        target_spot=document.pop("targetLowPriorityNodes", 0),
        slots_per_node=document["taskSlotsPerNode"],
        fill=NodeFill(document["taskSchedulingPolicy"]["nodeFillType"]),
        start_task=draft_start_task(document),
        autoscale=auto_scale_rule(document),
        inter_node=document["enableInterNodeCommunication"],
        vm_size=document["vmSize"],
        resize_timeout=length_of(document["resizeTimeout"]),
    )


def _check_slots(document: Document) -> None:
    """At most four for each core (REST reference, `taskSlotsPerNode`), where a size tells them."""
    slots, cores = document["taskSlotsPerNode"], cores_of(document["vmSize"])
    if cores is not None and slots > 4 * cores:
        raise invalid_property(
            "taskSlotsPerNode",
            slots,
            f"The value is more than {4 * cores}, which is four times the cores of the vmSize",
        )


def length_of(text: str) -> timedelta:
    length = parse_duration(text)
    assert length is not None
    return length


def check_machine(document: dict[str, Any]) -> None:
    machine = document.get("virtualMachineConfiguration")
    services = document.get("cloudServiceConfiguration")
    if machine is not None and services is None:
        check_image(machine)
    elif machine is None and services is None:
        raise RefusedError(Reason.PROPERTY_MISSING, ("PropertyName", "virtualMachineConfiguration"))
    elif machine is not None:
        raise invalid_property(
            "cloudServiceConfiguration",
            "",
            "Only one of virtualMachineConfiguration and cloudServiceConfiguration may be given",
        )


def draft_start_task(document: Document) -> StartTaskRule | None:
    """What the core needs of a pool's start task."""
    start_task = document.get("startTask")
    if start_task is None:
        return None
    check_files(start_task)
    return StartTaskRule(
        wait_for_success=start_task["waitForSuccess"],
        max_retry_count=start_task["maxTaskRetryCount"],
    )
