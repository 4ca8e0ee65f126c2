"""The bodies of the node operations; all of them optional.

It must not know what the core does with them.
"""

from __future__ import annotations

from runner.emulator.batch.core.pool import Deallocation
from runner.emulator.batch.operations.shapes import Choice, Field, Shape

_OPTION = Choice(("requeue", "terminate", "taskcompletion", "retaineddata"))
_REBOOT = Shape((Field(name="nodeRebootOption", kind=_OPTION, default="requeue"),))
_REIMAGE = Shape((Field(name="nodeReimageOption", kind=_OPTION, default="requeue"),))
_DEALLOCATE = Shape((Field(name="nodeDeallocateOption", kind=_OPTION, default="requeue"),))
_DISABLE = Shape(
    (
        Field(
            name="nodeDisableSchedulingOption",
            kind=Choice(("requeue", "terminate", "taskcompletion")),
            default="requeue",
        ),
    )
)


def decode_reboot(body: object) -> Deallocation:
    """What becomes of the tasks of a node that restarts."""
    return Deallocation(_REBOOT.read({} if body is None else body, "")["nodeRebootOption"])


def decode_reimage(body: object) -> Deallocation:
    """What becomes of the tasks of a node that is installed anew."""
    return Deallocation(_REIMAGE.read({} if body is None else body, "")["nodeReimageOption"])


def decode_deallocation(body: object) -> Deallocation:
    """What becomes of the tasks of a node that gives its machine back."""
    return Deallocation(_DEALLOCATE.read({} if body is None else body, "")["nodeDeallocateOption"])


def decode_disabling(body: object) -> Deallocation:
    """What becomes of the tasks of a node that gets no more."""
    read = _DISABLE.read({} if body is None else body, "")
    return Deallocation(read["nodeDisableSchedulingOption"])
