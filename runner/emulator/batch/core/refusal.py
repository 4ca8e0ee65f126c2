"""Every reason for which the emulator says no: a closed set, without any HTTP in it.

It must not know status codes or wording (`operations.refusals` holds that table).
"""

from __future__ import annotations

from enum import Enum, auto


class Reason(Enum):
    """Why a request is refused."""

    ACCESS_TOKEN_REFUSED = auto()
    ACCESS_UNSIGNED = auto()
    APPLICATION_NOT_FOUND = auto()
    AUTHENTICATION_FAILED = auto()
    AUTHENTICATION_MALFORMED = auto()
    AUTO_SCALE_ENABLED_TOO_OFTEN = auto()
    BODY_INVALID = auto()
    BODY_TOO_LARGE = auto()
    CONDITION_NOT_MET_READ = auto()
    CONDITION_NOT_MET_WRITE = auto()
    CONDITIONS_CONFLICT = auto()
    EXTENSION_NOT_FOUND = auto()
    FILE_NOT_FOUND = auto()
    FILE_UNDELETABLE = auto()
    FILES_CLEANED_UP = auto()
    FILES_UNAVAILABLE = auto()
    FORMULA_INVALID = auto()
    FORMULA_TOO_LONG = auto()
    HEADER_INVALID = auto()
    JOB_BEING_DELETED = auto()
    JOB_BEING_TERMINATED = auto()
    JOB_COMPLETED = auto()
    JOB_EXISTS = auto()
    JOB_NOT_ACTIVE = auto()
    JOB_HAS_ID = auto()
    JOB_NODES_UNPREPARED = auto()
    JOB_NOT_FOUND = auto()
    JOB_QUOTA_REACHED = auto()
    NODE_BEING_CREATED = auto()
    NODE_BEING_REBOOTED = auto()
    NODE_BEING_REIMAGED = auto()
    NODE_BEING_STARTED = auto()
    NODE_NOT_FOUND = auto()
    NODE_OPERATION_INVALID = auto()
    NODE_SCHEDULING_UNCHANGED = auto()
    NODE_UNUSABLE = auto()
    NODE_USER_EXISTS = auto()
    NODE_USER_NOT_FOUND = auto()
    NOT_IMPLEMENTED = auto()
    OPERATION_INVALID_NOW = auto()
    PACKAGES_INVALID = auto()
    POOL_BEING_DELETED = auto()
    POOL_BEING_RESIZED = auto()
    POOL_EXISTS = auto()
    POOL_NOT_FOUND = auto()
    POOL_QUOTA_REACHED = auto()
    PROPERTY_INVALID = auto()
    PROPERTY_MISSING = auto()
    PROPERTY_UNSUPPORTED = auto()
    QUERY_INVALID = auto()
    QUERY_MISSING = auto()
    RANGE_INVALID = auto()
    SCHEDULE_BEING_DELETED = auto()
    SCHEDULE_BEING_TERMINATED = auto()
    SCHEDULE_COMPLETED = auto()
    SCHEDULE_DISABLED = auto()
    SCHEDULE_EXISTS = auto()
    SCHEDULE_HAS_ID = auto()
    SCHEDULE_NOT_FOUND = auto()
    TASK_COMPLETED = auto()
    TASK_DEPENDENCIES_TOO_LONG = auto()
    TASK_EXISTS = auto()
    TASK_ID_OF_PREPARATION = auto()
    TASK_ID_OF_RELEASE = auto()
    TASK_NOT_COMPLETED = auto()
    TASK_NOT_FOUND = auto()
    TASK_SUCCEEDED = auto()
    URI_INVALID = auto()
    VERB_UNSUPPORTED = auto()
    VERSION_UNSUPPORTED = auto()


class RefusedError(Exception):
    """A request that is not carried out; `details` become the error's `values`, in order."""

    def __init__(self, reason: Reason, *details: tuple[str, str]) -> None:
        super().__init__(reason.name, *details)
        self.reason = reason
        self.details = details


def invalid_property(name: str, value: object, reason: str) -> RefusedError:
    """A property whose value the service does not take."""
    return RefusedError(
        Reason.PROPERTY_INVALID,
        ("PropertyName", name),
        ("PropertyValue", str(value)),
        ("Reason", reason),
    )


def invalid_query(name: str, value: str, reason: str) -> RefusedError:
    """A query parameter whose value the service does not take."""
    return RefusedError(
        Reason.QUERY_INVALID,
        ("QueryParameterName", name),
        ("QueryParameterValue", value),
        ("Reason", reason),
    )
