"""The one table that turns reasons into the service's codes, statuses and messages.

It must not know where a request is refused.
"""

from __future__ import annotations

from datetime import datetime

from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.operations.replies import Reply, metadata
from runner.emulator.batch.operations.wire import format_full_moment
from runner.emulator.storage.record import record

# As the services behind Entra ID challenge; here there is no tenant to name.
_CHALLENGE = 'Bearer authorization_uri="https://login.microsoftonline.com/common"'
_ERROR_TYPE = "Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element"


@record(frozen=True, slots=True)
class Answer:
    """How the service words a refusal."""

    status: int
    code: str
    message: str


ANSWERS: dict[Reason, Answer] = {
    Reason.ACCESS_TOKEN_REFUSED: Answer(
        401,
        "AuthenticationFailed",
        "Server failed to authenticate the request."
        " Make sure the value of Authorization header is formed correctly.",
    ),
    Reason.ACCESS_UNSIGNED: Answer(
        401,
        "AuthenticationFailed",
        "Server failed to authenticate the request."
        " Make sure the value of Authorization header is formed correctly including the signature.",
    ),
    Reason.APPLICATION_NOT_FOUND: Answer(
        404, "ApplicationNotFound", "The specified application does not exist."
    ),
    Reason.AUTHENTICATION_FAILED: Answer(
        403,
        "AuthenticationFailed",
        "Server failed to authenticate the request."
        " Make sure the value of Authorization header is formed correctly including the signature.",
    ),
    Reason.AUTHENTICATION_MALFORMED: Answer(
        400,
        "InvalidAuthenticationInfo",
        "The authentication information was not provided in the correct format."
        " Verify the value of Authorization header.",
    ),
    Reason.AUTO_SCALE_ENABLED_TOO_OFTEN: Answer(
        503,
        "TooManyEnableAutoScaleRequests",
        "Too many Enable Pool AutoScale requests are issued on the pool.",
    ),
    Reason.BODY_INVALID: Answer(
        400, "InvalidRequestBody", "The specified Request Body is not syntactically valid."
    ),
    Reason.BODY_TOO_LARGE: Answer(
        413,
        "RequestBodyTooLarge",
        "The size of the request body exceeds the maximum size permitted.",
    ),
    Reason.CONDITION_NOT_MET_READ: Answer(
        304,
        "ConditionNotMet",
        "The condition specified in the conditional header(s) was not met for a read operation.",
    ),
    Reason.CONDITION_NOT_MET_WRITE: Answer(
        412,
        "ConditionNotMet",
        "The condition specified in the conditional header(s) was not met for a write operation.",
    ),
    Reason.CONDITIONS_CONFLICT: Answer(
        400,
        "MultipleConditionHeadersNotSupported",
        "Multiple condition headers are not supported.",
    ),
    # No code of its own is published.
    Reason.EXTENSION_NOT_FOUND: Answer(
        404, "ResourceNotFound", "The specified resource does not exist."
    ),
    Reason.FILE_NOT_FOUND: Answer(404, "FileNotFound", "The specified file does not exist."),
    Reason.FILE_UNDELETABLE: Answer(
        403, "IOError", "An I/O error occurred when accessing the specified resource."
    ),
    Reason.FILES_CLEANED_UP: Answer(
        409, "TaskFilesCleanedup", "The files of the specified task are cleanedup."
    ),
    Reason.FILES_UNAVAILABLE: Answer(
        409, "TaskFilesUnavailable", "The files of the specified task are unavailable."
    ),
    Reason.FORMULA_INVALID: Answer(
        400,
        "AutoScalingFormulaSyntaxError",
        "The specified auto-scaling formula has a syntax error.",
    ),
    Reason.FORMULA_TOO_LONG: Answer(
        400,
        "AutoScalingFormulaTooLong",
        "The specified auto-scaling formula exceeds lengths limit.",
    ),
    Reason.HEADER_INVALID: Answer(
        400,
        "InvalidHeaderValue",
        "The value provided for one of the HTTP headers was not in the correct format.",
    ),
    Reason.JOB_BEING_DELETED: Answer(
        409,
        "JobBeingDeleted",
        "The specified job has been marked for deletion and is being garbage collected.",
    ),
    Reason.JOB_BEING_TERMINATED: Answer(
        409, "JobBeingTerminated", "The specified job is being terminated."
    ),
    Reason.JOB_COMPLETED: Answer(
        409, "JobCompleted", "The specified job is already in a completed state."
    ),
    Reason.JOB_EXISTS: Answer(409, "JobExists", "The specified job already exists."),
    Reason.JOB_NOT_ACTIVE: Answer(409, "JobNotActive", "The specified job is not in active state."),
    Reason.JOB_HAS_ID: Answer(
        409,
        "JobWithSameIdExists",
        "A job with the specified job schedule id exists."
        " Job and job schedule cannot have the same id.",
    ),
    Reason.JOB_NODES_UNPREPARED: Answer(
        409,
        "JobPreparationTaskOrReleaseTaskNotSpecified",
        "The specified job does not have either job preparation task or job release task.",
    ),
    Reason.JOB_NOT_FOUND: Answer(404, "JobNotFound", "The specified job does not exist."),
    Reason.NODE_BEING_CREATED: Answer(
        409, "NodeBeingCreated", "The specified node is being created"
    ),
    Reason.NODE_BEING_REBOOTED: Answer(
        409, "NodeBeingRebooted", "The specified node is being rebooted"
    ),
    Reason.NODE_BEING_REIMAGED: Answer(
        409, "NodeBeingReimaged", "The specified node is being reimaged"
    ),
    Reason.NODE_BEING_STARTED: Answer(
        409, "NodeBeingStarted", "The specified node is being started"
    ),
    Reason.NODE_NOT_FOUND: Answer(404, "NodeNotFound", "The specified node does not exist."),
    Reason.NODE_OPERATION_INVALID: Answer(
        409, "OperationNotValidOnNode", "The specified operation is not valid on the node."
    ),
    Reason.NODE_SCHEDULING_UNCHANGED: Answer(
        409,
        "NodeAlreadyInTargetSchedulingState",
        "The specified node is already in the target scheduling state.",
    ),
    Reason.NODE_UNUSABLE: Answer(
        409, "NodeStateUnusable", "The state of the specified node is unusable"
    ),
    Reason.NODE_USER_EXISTS: Answer(
        409, "NodeUserExists", "The specified node user already exists."
    ),
    Reason.NODE_USER_NOT_FOUND: Answer(
        404, "NodeUserNotFound", "The specified node user does not exist."
    ),
    Reason.NOT_IMPLEMENTED: Answer(
        501, "NotImplemented", "The emulator does not implement what is asked for."
    ),
    Reason.OPERATION_INVALID_NOW: Answer(
        409,
        "OperationInvalidForCurrentState",
        "The specified operation is not valid for the current state of the resource.",
    ),
    Reason.PACKAGES_INVALID: Answer(
        409,
        "InvalidApplicationPackageReferences",
        "One or more application package references could not be satisfied.",
    ),
    Reason.POOL_QUOTA_REACHED: Answer(
        409, "PoolQuotaReached", "Pool quota for the account has been reached."
    ),
    Reason.JOB_QUOTA_REACHED: Answer(
        409,
        "ActiveJobAndScheduleQuotaReached",
        "Active job and schedule quota for the account has been reached.",
    ),
    Reason.POOL_BEING_DELETED: Answer(
        409,
        "PoolBeingDeleted",
        "The specified pool has been marked for deletion and is being reclaimed.",
    ),
    Reason.POOL_BEING_RESIZED: Answer(
        409, "PoolBeingResized", "The specified pool is being resized"
    ),
    Reason.POOL_EXISTS: Answer(409, "PoolExists", "The specified pool already exists."),
    Reason.POOL_NOT_FOUND: Answer(404, "PoolNotFound", "The specified pool does not exist."),
    Reason.PROPERTY_INVALID: Answer(
        400,
        "InvalidPropertyValue",
        "The value provided for one of the properties in the request body is invalid.",
    ),
    Reason.PROPERTY_MISSING: Answer(
        400,
        "MissingRequiredProperty",
        "A required property was not specified in the request body.",
    ),
    Reason.PROPERTY_UNSUPPORTED: Answer(
        400,
        "UnsupportedProperty",
        "One of the properties specified in the request body is not supported.",
    ),
    Reason.QUERY_INVALID: Answer(
        400,
        "InvalidQueryParameterValue",
        "Value for one of the query parameters specified in the request URI is invalid.",
    ),
    Reason.QUERY_MISSING: Answer(
        400,
        "MissingRequiredQueryParameter",
        "A required query parameter was not specified for this request.",
    ),
    Reason.RANGE_INVALID: Answer(
        416,
        "InvalidRange",
        "The range specified is invalid for the current size of the resource.",
    ),
    Reason.SCHEDULE_BEING_DELETED: Answer(
        409,
        "JobScheduleBeingDeleted",
        "The specified job schedule has been marked for deletion and is being reclaimed.",
    ),
    Reason.SCHEDULE_BEING_TERMINATED: Answer(
        409, "JobScheduleBeingTerminated", "The specified job schedule is being terminated."
    ),
    Reason.SCHEDULE_COMPLETED: Answer(
        409,
        "JobScheduleCompleted",
        "The specified job schedule is already in completed state.",
    ),
    Reason.SCHEDULE_DISABLED: Answer(
        409, "JobScheduleDisabled", "The specified job schedule is disabled."
    ),
    Reason.SCHEDULE_EXISTS: Answer(
        409, "JobScheduleExists", "The specified job schedule already exists."
    ),
    Reason.SCHEDULE_HAS_ID: Answer(
        409,
        "JobScheduleWithSameIdExists",
        "A job schedule with the specified job id exists."
        " Job and job schedule cannot have the same id.",
    ),
    Reason.SCHEDULE_NOT_FOUND: Answer(
        404, "JobScheduleNotFound", "The specified job schedule does not exist."
    ),
    Reason.TASK_COMPLETED: Answer(
        409, "TaskCompleted", "The specified task is already in a completed state."
    ),
    Reason.TASK_DEPENDENCIES_TOO_LONG: Answer(
        400,
        "TaskDependencyListTooLong",
        "A task was specified as depending on other tasks,"
        " but the list of dependencies was too long to be stored.",
    ),
    Reason.TASK_EXISTS: Answer(409, "TaskExists", "The specified task already exists."),
    Reason.TASK_ID_OF_PREPARATION: Answer(
        409,
        "TaskIdSameAsJobPreparationTask",
        "The specified task id is same as the job preparation task.",
    ),
    Reason.TASK_ID_OF_RELEASE: Answer(
        409,
        "TaskIdSameAsJobReleaseTask",
        "The specified task id is same as the job release task.",
    ),
    Reason.TASK_NOT_COMPLETED: Answer(
        409,
        "TaskNotCompleted",
        "The specified task is not in a completed state,"
        " and the requested operation can be performed only on completed tasks.",
    ),
    Reason.TASK_NOT_FOUND: Answer(404, "TaskNotFound", "The specified task does not exist."),
    Reason.TASK_SUCCEEDED: Answer(
        409,
        "TaskSucceeded",
        "The specified task has already completed successfully,"
        " and the requested operation cannot be performed on successful tasks.",
    ),
    Reason.URI_INVALID: Answer(
        400, "InvalidUri", "The requested URI does not represent any resource on the server."
    ),
    Reason.VERB_UNSUPPORTED: Answer(
        405, "UnsupportedHttpVerb", "The resource doesn't support the specified HTTP verb."
    ),
    Reason.VERSION_UNSUPPORTED: Answer(
        400, "UnsupportedRequestVersion", "The specified request version is not supported."
    ),
}


def error_detail(refused: RefusedError, *, request_id: str, now: datetime) -> dict[str, object]:
    """`code`, `message` and `values`: the error itself, also inside the results of a collection."""
    answer = ANSWERS[refused.reason]
    text = f"{answer.message}\nRequestId:{request_id}\nTime:{format_full_moment(now)}"
    detail: dict[str, object] = {
        "code": answer.code,
        "message": {"lang": "en-US", "value": text},
    }
    if refused.details:
        detail["values"] = [{"key": key, "value": value} for key, value in refused.details]
    return detail


def refuse(refused: RefusedError, *, endpoint: str, request_id: str, now: datetime) -> Reply:
    """The answer to a refused request; one that is not modified has no content."""
    status = ANSWERS[refused.reason].status
    if status == 304:
        return Reply(status=status)
    detail = error_detail(refused, request_id=request_id, now=now)
    headers = (("WWW-Authenticate", _CHALLENGE),) if status == 401 else ()
    return Reply(status=status, json={**metadata(endpoint, _ERROR_TYPE), **detail}, headers=headers)
