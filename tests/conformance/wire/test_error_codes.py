"""Every error of the service that the emulator can give, provoked, against the service's own table.

What it cannot give is listed with the reason.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from runner.emulator.batch.operations.refusals import ANSWERS
from tests.conformance.wire.account import REFERENCE, Answer, play
from tests.conformance.wire.stories import STORIES

TABLE = REFERENCE / "error-codes.tsv"

MESSAGES = {
    "TaskDependencyListTooLong": "A task was specified as depending on other tasks,"
    " but the list of dependencies was too long to be stored."
}
"""Messages to which the table adds a remark of its own."""

_ADMINISTRATION = "belongs to the administration of accounts, of which the emulator has none"
_TRANSPORT = "is found by the HTTP server, in its own form"
_FAULT = "is a fault of the service; the emulator gives it where faults are asked for"
_OTHERWISE = "is not known to be answered anywhere: what it says is refused with another code"
_UNUSED = "belongs to what the service does not have any more, or not here"
NOT_GIVEN = {
    "MissingRequiredHeader": _OTHERWISE,
    "UnsupportedHeader": _OTHERWISE,
    "UnsupportedQueryParameter": _OTHERWISE,
    "OutOfRangeQueryParameterValue": _OTHERWISE,
    "RequestUrlFailedToParse": _TRANSPORT,
    "InvalidHttpVerb": _TRANSPORT,
    "EmptyMetadataKey": _OTHERWISE,
    "OutOfRangeInput": _OTHERWISE,
    "InvalidInput": _OTHERWISE,
    "InvalidMetadata": _OTHERWISE,
    "MetadataTooLarge": "has a limit that is not published",
    "InsufficientAccountPermissions": _ADMINISTRATION,
    "AccountIsDisabled": _ADMINISTRATION,
    "Forbidden": _ADMINISTRATION,
    "MissingContentLengthHeader": _TRANSPORT,
    "InternalError": _FAULT,
    "OperationTimedOut": _FAULT,
    "ServerBusy": _FAULT,
    "InvalidAutoScalingSettings": _OTHERWISE,
    "NodeAgentSKUNotFound": _OTHERWISE,
    "JobPreparationTaskNotRunOnNode": _UNUSED,
    "JobReleaseTaskNotRunOnNode": _UNUSED,
    "PoolBeingCreated": _UNUSED,
    "JobDisabled": _OTHERWISE,
    "JobPreparationTaskNotSpecified": _OTHERWISE,
    "JobReleaseTaskNotSpecified": _OTHERWISE,
    "OperationNotValidOnPool": _UNUSED,
    "TaskDependenciesNotSpecifiedOnJob": "is documented; the live service says UnsupportedProperty",
    "TaskDependencyRangesTooLong": "has a limit that is not published",
    "InvalidConstraintValue": _OTHERWISE,
    "OutOfRangePriority": _OTHERWISE,
    "UnsupportedConstraint": _OTHERWISE,
    "NodeCountsMismatch": _UNUSED,
    "PathNotFound": _OTHERWISE,
    "StorageAccountNotFound": _ADMINISTRATION,
    "HostInformationNotPresent": _TRANSPORT,
    "NotImplemented": "has no documented status; the emulator answers 501 with its own words",
    "UnsupportedHttpVersion": _TRANSPORT,
}


def _rows() -> tuple[tuple[str, int, str], ...]:
    if not TABLE.is_file():
        return ()
    with TABLE.open(encoding="utf-8", newline="") as lines:
        rows = tuple(csv.DictReader(lines, delimiter="\t"))
    return tuple((row["code"], int(row["http"] or 0), row["message"]) for row in rows)


ROWS = _rows()
pytestmark = pytest.mark.skipif(not ROWS, reason=f"the table of errors is not at {TABLE}")


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [row for row in ROWS if row[0] not in NOT_GIVEN],
    ids=[f"{row[0]}-{row[1]}" for row in ROWS if row[0] not in NOT_GIVEN],
)
def test_an_error_of_the_service(code: str, status: int, message: str, tmp_path: Path) -> None:
    answer: Answer = play(tmp_path, STORIES[code, status])

    assert answer.status == status, answer.body
    if status == 304:
        assert answer.body is None
        return
    assert answer.code == code
    assert answer.text == MESSAGES.get(code, message)
    kind = "Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element"
    assert answer.body["odata.metadata"].endswith(f"/$metadata#{kind}")
    assert answer.headers["content-type"] == "application/json;odata=minimalmetadata"
    assert "dataserviceid" not in answer.headers
    assert "etag" not in answer.headers


def test_every_row_is_either_given_or_not() -> None:
    codes = {code for code, _, _ in ROWS}
    assert NOT_GIVEN.keys() <= codes
    assert {answer.code for answer in ANSWERS.values()} & NOT_GIVEN.keys() == {"NotImplemented"}
    assert {(code, status) for code, status, _ in ROWS if code not in NOT_GIVEN} == STORIES.keys()


def test_nothing_is_answered_that_the_service_does_not_say() -> None:
    known = {code for code, _, _ in ROWS}
    assert {answer.code for answer in ANSWERS.values()} - known == set()
