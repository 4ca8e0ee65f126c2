"""The bodies of the operations that change a pool: resized, emptied, updated.

It must not know what the core does with them.
"""

from __future__ import annotations

from datetime import timedelta

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.ids import NodeId
from runner.emulator.batch.core.limits import Limits
from runner.emulator.batch.core.pool import Deallocation
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.operations.bodies.commands import APPLICATION_PACKAGES, METADATA
from runner.emulator.batch.operations.bodies.filling import fill_in_pool
from runner.emulator.batch.operations.bodies.machine import USER_ACCOUNTS, VIRTUAL_MACHINE
from runner.emulator.batch.operations.bodies.mounts import MOUNTS
from runner.emulator.batch.operations.bodies.network import POOL_NETWORK, check_network
from runner.emulator.batch.operations.bodies.pool import (
    CERTIFICATES,
    COMMUNICATION,
    FIVE_MINUTES,
    POOL_NAME,
    SCHEDULING_POLICY,
    START_TASK,
    LowerCase,
    check_machine,
    length_of,
    sized_fields,
)
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

DEALLOCATION = Choice(("requeue", "terminate", "taskcompletion", "retaineddata"))
RESIZE = Shape(
    (
        Field(name="targetDedicatedNodes", kind=Integer(low=0)),
        Field(name="targetLowPriorityNodes", kind=Integer(low=0)),
        Field(name="resizeTimeout", kind=Duration(low=FIVE_MINUTES), default="PT15M"),
        Field(name="nodeDeallocationOption", kind=DEALLOCATION, default="requeue"),
    )
)


@record(frozen=True, slots=True, kw_only=True)
class Resize:
    """A decoded `resize`; None leaves a target as it is."""

    dedicated: int | None
    spot: int | None
    timeout: str
    length: timedelta
    """The time-out, as it is counted."""
    option: Deallocation


def decode_resize(body: object) -> Resize:
    """The body of `POST /pools/{id}/resize`: at least one of the targets."""
    read = RESIZE.read(body, "")
    dedicated, spot = read.get("targetDedicatedNodes"), read.get("targetLowPriorityNodes")
    if dedicated is None and spot is None:
        raise RefusedError(Reason.PROPERTY_MISSING, ("PropertyName", "targetDedicatedNodes"))
    return Resize(
        dedicated=dedicated,
        spot=spot,
        timeout=read["resizeTimeout"],
        length=length_of(read["resizeTimeout"]),
        option=Deallocation(read["nodeDeallocationOption"]),
    )


def decode_removal(
    body: object, limits: Limits
) -> tuple[tuple[NodeId, ...], timedelta, Deallocation]:
    """The body of `POST /pools/{id}/removenodes`."""
    shape = Shape(
        (
            Field(
                name="nodeList",
                kind=Items(kind=Text(empty=False), most=limits.nodes_per_removal),
                required=True,
            ),
            Field(name="resizeTimeout", kind=Duration(low=FIVE_MINUTES), default="PT15M"),
            Field(name="nodeDeallocationOption", kind=DEALLOCATION, default="requeue"),
        )
    )
    read = shape.read(body, "")
    nodes = tuple(NodeId(node) for node in read["nodeList"])
    return nodes, length_of(read["resizeTimeout"]), Deallocation(read["nodeDeallocationOption"])


UPDATABLE = (
    Field(name="startTask", kind=START_TASK),
    CERTIFICATES,
    Field(name="applicationPackageReferences", kind=APPLICATION_PACKAGES),
    Field(name="metadata", kind=METADATA),
    Field(name="targetNodeCommunicationMode", kind=COMMUNICATION),
)
# What may be changed of a pool that has nodes; anything else waits until it has none.
_AT_ANY_TIME = frozenset(field.name for field in UPDATABLE)


def _patch_shape(limits: Limits) -> Shape:
    return Shape(
        (
            POOL_NAME,
            *UPDATABLE,
            Field(name="vmSize", kind=LowerCase()),
            Field(name="enableInterNodeCommunication", kind=Boolean()),
            Field(name="taskSlotsPerNode", kind=Integer(low=1, high=limits.slots_per_node)),
            Field(name="taskSchedulingPolicy", kind=SCHEDULING_POLICY),
            Field(name="virtualMachineConfiguration", kind=VIRTUAL_MACHINE),
            Field(name="networkConfiguration", kind=POOL_NETWORK),
            Field(name="mountConfiguration", kind=MOUNTS),
            Field(name="userAccounts", kind=USER_ACCOUNTS),
            Field(name="upgradePolicy", kind=Anything()),
            Field(name="resourceTags", kind=Anything()),
        )
    )


REPLACEMENT = Shape(UPDATABLE)


def patch_pool(body: object, document: Document, limits: Limits, *, empty: bool) -> Document:
    """A pool's document with the given properties changed (`PATCH`).

    Raises `RefusedError` for most of them unless the pool is empty (REST reference).
    """
    given = _patch_shape(limits).read(body, "")
    for name in given:
        if name not in _AT_ANY_TIME and not empty:
            raise RefusedError(
                Reason.OPERATION_INVALID_NOW,
                ("Reason", f"The property {name} can be changed only while the pool is empty"),
            )
    check_network(given.get("networkConfiguration", {}))
    changed = {**document, **given}
    check_machine(changed)
    fill_in_pool(changed)
    return _tidied(changed)


def replace_pool(body: object, document: Document) -> Document:
    """A pool's document with all updatable properties given anew; absent ones are removed."""
    kept = {field.name for field in UPDATABLE}
    rest = {name: value for name, value in document.items() if name not in kept}
    return _tidied({**rest, **REPLACEMENT.read(body, "")})


_ORDER = tuple(field.name for field in (POOL_NAME, *sized_fields(Limits())))


def _tidied(document: Document) -> Document:
    """In the order of a new pool; on record, no application packages are not written at all."""
    tidied = {name: document[name] for name in _ORDER if name in document}
    if tidied.get("applicationPackageReferences") == []:
        del tidied["applicationPackageReferences"]
    return tidied
