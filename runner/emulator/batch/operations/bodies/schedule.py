"""The bodies of the operations on job schedules.

It must not know what the core does with them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.durations import limit_of
from runner.emulator.batch.core.ids import ScheduleId
from runner.emulator.batch.core.job import JobDraft
from runner.emulator.batch.core.limits import Limits
from runner.emulator.batch.core.refusal import Reason, RefusedError, invalid_property
from runner.emulator.batch.core.schedule import Recurrence
from runner.emulator.batch.operations.bodies.commands import DISPLAY_NAME, ID, METADATA
from runner.emulator.batch.operations.bodies.job import draft_job, specification_shape
from runner.emulator.batch.operations.bodies.registries import registry_passwords, with_passwords
from runner.emulator.batch.operations.shapes import Duration, Field, Moment, Shape
from runner.emulator.batch.operations.wire import parse_moment
from runner.emulator.storage.record import record

_MINUTE = timedelta(minutes=1)
_SCHEDULE = Shape(
    (
        Field(name="doNotRunUntil", kind=Moment()),
        Field(name="doNotRunAfter", kind=Moment()),
        Field(name="startWindow", kind=Duration(low=_MINUTE)),
        Field(name="recurrenceInterval", kind=Duration(low=_MINUTE)),
    )
)


@record(frozen=True, slots=True, kw_only=True)
class ScheduleDraft:
    """What the core is given of a schedule."""

    document: Document
    recurrence: Recurrence
    job: JobDraft


def decode_schedule(body: object, limits: Limits) -> tuple[ScheduleId, ScheduleDraft]:
    """A schedule that is to be created."""
    shape = Shape(
        (
            Field(name="id", kind=ID, required=True),
            Field(name="displayName", kind=DISPLAY_NAME),
            Field(name="schedule", kind=_SCHEDULE, required=True),
            Field(name="jobSpecification", kind=specification_shape(limits), required=True),
            Field(name="metadata", kind=METADATA),
        )
    )
    document = shape.read(body, "")
    draft = _draft(document)
    passwords = registry_passwords(body)
    return ScheduleId(document.pop("id")), replace(draft, job=with_passwords(draft.job, passwords))


def _update_fields(limits: Limits) -> tuple[Field, ...]:
    return (
        Field(name="schedule", kind=_SCHEDULE),
        Field(name="jobSpecification", kind=specification_shape(limits)),
        Field(name="metadata", kind=METADATA),
    )


def patch_schedule(body: object, document: Document, limits: Limits) -> ScheduleDraft:
    """The schedule with the given properties changed."""
    return _draft({**document, **Shape(_update_fields(limits)).read(body, "")})


def replace_schedule(body: object, document: Document, limits: Limits) -> ScheduleDraft:
    """The schedule with all that can be changed given anew (`PUT`)."""
    given = Shape(_update_fields(limits), open=True).read(body, "")
    if "jobSpecification" not in given:
        raise RefusedError(Reason.PROPERTY_MISSING, ("PropertyName", "jobSpecification"))
    kept = {name: value for name, value in document.items() if name != "metadata"}
    return _draft({**kept, "schedule": {}, **given})


def _draft(document: dict[str, Any]) -> ScheduleDraft:
    schedule = document["schedule"]
    recurrence = Recurrence(
        not_until=_moment(schedule, "doNotRunUntil"),
        not_after=_moment(schedule, "doNotRunAfter"),
        window=_length(schedule, "startWindow"),
        interval=_length(schedule, "recurrenceInterval"),
    )
    until, after = recurrence.not_until, recurrence.not_after
    if until is not None and after is not None and after < until:
        raise invalid_property(
            "doNotRunAfter", schedule["doNotRunAfter"], "The value is before doNotRunUntil"
        )
    specification = dict(document["jobSpecification"])
    return ScheduleDraft(
        document=document,
        recurrence=recurrence,
        job=draft_job(specification, of_schedule=True),
    )


def _moment(schedule: Document, name: str) -> Any:
    return parse_moment(schedule[name]) if name in schedule else None


def _length(schedule: Document, name: str) -> timedelta | None:
    return limit_of(schedule[name]) if name in schedule else None
