"""The body of the upload of a node's logs.

It must not know what the logs hold.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.batch.core.refusal import invalid_property
from runner.emulator.batch.operations.bodies.containers import IDENTITY
from runner.emulator.batch.operations.shapes import Field, Moment, Shape, Text
from runner.emulator.batch.operations.wire import parse_moment
from runner.emulator.storage.record import record

_UPLOAD = Shape(
    (
        Field(name="containerUrl", kind=Text(empty=False), required=True),
        Field(name="startTime", kind=Moment(), required=True),
        Field(name="endTime", kind=Moment()),
        Field(name="identityReference", kind=IDENTITY),
    )
)


@record(frozen=True, slots=True, kw_only=True)
class LogUpload:
    """Which logs are wanted, and where; `end` None is up to now."""

    container_url: str
    start: datetime
    end: datetime | None
    identity: bool


def decode_log_upload(body: object) -> LogUpload:
    """Raises `RefusedError` where it ends before it starts."""
    read = _UPLOAD.read(body, "")
    start = parse_moment(read["startTime"])
    assert start is not None
    end = parse_moment(read["endTime"]) if "endTime" in read else None
    if end is not None and end < start:
        raise invalid_property("endTime", read["endTime"], "The value is before startTime")
    return LogUpload(
        container_url=read["containerUrl"],
        start=start,
        end=end,
        identity="identityReference" in read,
    )
