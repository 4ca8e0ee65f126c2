"""Every refusal that the service knows, with the code and status of the REST reference.

It must not know how a refusal is written into a response.
"""

from __future__ import annotations

import base64

from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A row of "Common REST API error codes" or "Blob Storage error codes"."""

    status: int
    code: str
    message: str


class RefusedError(Exception):
    """The service will not do it; `details` become further elements of the error's body."""

    def __init__(
        self,
        refusal: Refusal,
        *,
        details: tuple[tuple[str, str], ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
        message: str | None = None,
    ) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal
        self.details = details
        self.headers = headers
        self.message = message or refusal.message


def _row(status: int, code: str, message: str) -> Refusal:
    return Refusal(status=status, code=code, message=message)


AUTHENTICATION_FAILED = _row(
    403,
    "AuthenticationFailed",
    "Server failed to authenticate the request. Make sure the value of Authorization header is "
    "formed correctly including the signature.",
)
AUTHORIZATION_FAILURE = _row(
    403, "AuthorizationFailure", "This request is not authorized to perform this operation."
)
AUTHORIZATION_PERMISSION_MISMATCH = _row(
    403,
    "AuthorizationPermissionMismatch",
    "This request is not authorized to perform this operation using this permission.",
)
AUTHORIZATION_PROTOCOL_MISMATCH = _row(
    403,
    "AuthorizationProtocolMismatch",
    "This request is not authorized to perform this operation using this protocol.",
)
AUTHORIZATION_RESOURCE_TYPE_MISMATCH = _row(
    403,
    "AuthorizationResourceTypeMismatch",
    "This request is not authorized to perform this operation using this resource type.",
)
AUTHORIZATION_SERVICE_MISMATCH = _row(
    403,
    "AuthorizationServiceMismatch",
    "This request is not authorized to perform this operation using this service.",
)
AUTHORIZATION_SOURCE_IP_MISMATCH = _row(
    403,
    "AuthorizationSourceIPMismatch",
    "This request is not authorized to perform this operation using this source IP {}.",
)
BLOB_ALREADY_EXISTS = _row(409, "BlobAlreadyExists", "The specified blob already exists.")
BLOB_NOT_FOUND = _row(404, "BlobNotFound", "The specified blob does not exist.")
BLOCK_COUNT_EXCEEDS_LIMIT = _row(
    409,
    "BlockCountExceedsLimit",
    "The uncommitted block count cannot exceed the maximum limit of 100,000 blocks.",
)
BLOCK_LIST_TOO_LONG = _row(
    400, "BlockListTooLong", "The block list may not contain more than 50,000 blocks."
)
CONDITION_NOT_MET = _row(
    412,
    "ConditionNotMet",
    "The condition specified using HTTP conditional header(s) is not met.",
)
CONTAINER_ALREADY_EXISTS = _row(
    409, "ContainerAlreadyExists", "The specified container already exists."
)
CONTAINER_BEING_DELETED = _row(
    409, "ContainerBeingDeleted", "The specified container is being deleted. Try operation later."
)
CONTAINER_NOT_FOUND = _row(404, "ContainerNotFound", "The specified container does not exist.")
EMPTY_METADATA_KEY = _row(
    400, "EmptyMetadataKey", "The key for one of the metadata key-value pairs is empty."
)
INVALID_AUTHENTICATION_INFO = _row(
    400,
    "InvalidAuthenticationInfo",
    "The authentication information was not provided in the correct format. Verify the value of "
    "Authorization header.",
)
INVALID_BLOB_OR_BLOCK = _row(
    400, "InvalidBlobOrBlock", "The specified blob or block content is invalid."
)
INVALID_BLOCK_ID = _row(
    400,
    "InvalidBlockId",
    "The specified block ID is invalid. The block ID must be Base64-encoded.",
)
INVALID_BLOCK_LIST = _row(400, "InvalidBlockList", "The specified block list is invalid.")
INVALID_HEADER_VALUE = _row(
    400,
    "InvalidHeaderValue",
    "The value for one of the HTTP headers is not in the correct format.",
)
INVALID_MD5 = _row(
    400,
    "InvalidMd5",
    "The MD5 value specified in the request is invalid. MD5 value must be 128 bits and base64 "
    "encoded.",
)
INVALID_METADATA = _row(
    400,
    "InvalidMetadata",
    "The metadata specified is invalid. It has characters that are not permitted.",
)
INVALID_QUERY_PARAMETER_VALUE = _row(
    400,
    "InvalidQueryParameterValue",
    "Value for one of the query parameters specified in the request URI is invalid.",
)
INVALID_RANGE = _row(
    416, "InvalidRange", "The range specified is invalid for the current size of the resource."
)
INVALID_RESOURCE_NAME = _row(
    400, "InvalidResourceName", "The specified resource name contains invalid characters."
)
INVALID_URI = _row(
    400,
    "InvalidUri",
    "The requested URI does not represent any resource on the server.",
)
INVALID_XML_DOCUMENT = _row(400, "InvalidXmlDocument", "XML specified is not syntactically valid.")
LEASE_NOT_PRESENT_WITH_BLOB_OPERATION = _row(
    412, "LeaseNotPresentWithBlobOperation", "There is currently no lease on the blob."
)
LEASE_NOT_PRESENT_WITH_CONTAINER_OPERATION = _row(
    412, "LeaseNotPresentWithContainerOperation", "There is currently no lease on the container."
)
MD5_MISMATCH = _row(
    400,
    "Md5Mismatch",
    "The MD5 value specified in the request did not match with the MD5 value calculated by the "
    "server.",
)
METADATA_TOO_LARGE = _row(
    400, "MetadataTooLarge", "The metadata specified exceeds the maximum permissible limit."
)
MISSING_CONTENT_LENGTH_HEADER = _row(
    411, "MissingContentLengthHeader", "The Content-Length header was not specified."
)
MISSING_REQUIRED_HEADER = _row(
    400,
    "MissingRequiredHeader",
    "An HTTP header that's mandatory for this request is not specified.",
)
MISSING_REQUIRED_QUERY_PARAMETER = _row(
    400,
    "MissingRequiredQueryParameter",
    "A query parameter that's mandatory for this request is not specified.",
)
NO_AUTHENTICATION_INFORMATION = _row(
    401,
    "NoAuthenticationInformation",
    "Server failed to authenticate the request. Please refer to the information in the "
    "www-authenticate header.",
)
NOT_IMPLEMENTED = _row(
    501, "NotImplemented", "The requested operation is not implemented on the specified resource."
)
OUT_OF_RANGE_INPUT = _row(400, "OutOfRangeInput", "One of the request inputs is out of range.")
OUT_OF_RANGE_QUERY_PARAMETER_VALUE = _row(
    400,
    "OutOfRangeQueryParameterValue",
    "One of the query parameters specified in the request URI is outside the permissible range.",
)
PUBLIC_ACCESS_NOT_PERMITTED = _row(
    409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account."
)
REQUEST_BODY_TOO_LARGE = _row(
    413,
    "RequestBodyTooLarge",
    "The request body is too large and exceeds the maximum permissible limit.",
)
UNAUTHORIZED_BLOB_OVERWRITE = _row(
    403,
    "UnauthorizedBlobOverwrite",
    "This request is not authorized to perform blob overwrites.",
)
UNSUPPORTED_HTTP_VERB = _row(
    405, "UnsupportedHttpVerb", "The resource doesn't support specified Http Verb."
)

ACCESS_TIER_NOT_SUPPORTED = _row(
    400,
    "AccessTierNotSupportedForBlobType",
    "The access tier is not supported for this blob type.",
)
APPEND_POSITION_CONDITION_NOT_MET = _row(
    412,
    "AppendPositionConditionNotMet",
    "The append position condition specified was not met.",
)
BLOB_ARCHIVED = _row(409, "BlobArchived", "This operation is not permitted on an archived blob.")
BLOB_BEING_REHYDRATED = _row(
    409,
    "BlobBeingRehydrated",
    "This operation is not permitted because the blob is being rehydrated.",
)
BLOB_SEALED = _row(
    409,
    "BlobIsSealed",
    "The specified blob is sealed, and its contents can't be modified unless the blob is "
    "re-created after a delete.",
)
CANNOT_VERIFY_COPY_SOURCE = _row(
    404, "CannotVerifyCopySource", "The specified resource does not exist."
)
COMMITTED_BLOCK_COUNT_EXCEEDED = _row(
    409,
    "BlockCountExceedsLimit",
    "The committed block count cannot exceed the maximum limit of 50,000 blocks.",
)
DUPLICATE_TAG_NAMES = _row(400, "DuplicateTagNames", "The tags specified contain duplicate names.")
EMPTY_TAG_NAME = _row(400, "EmptyTagName", "The name of one of the tag key-value pairs is empty.")
INVALID_BLOB_TYPE = _row(409, "InvalidBlobType", "The blob type is invalid for this operation.")
INVALID_INPUT = _row(400, "InvalidInput", "One of the request inputs is not valid.")
INVALID_TAG = _row(
    400,
    "InvalidTag",
    "The tags specified are invalid. It contains characters that are not permitted.",
)
INVALID_XML_NODE_VALUE = _row(
    400,
    "InvalidXmlNodeValue",
    "The value for one of the XML nodes is not in the correct format.",
)
LEASE_ALREADY_PRESENT = _row(409, "LeaseAlreadyPresent", "There is already a lease present.")
LEASE_BREAKING_ACQUIRED = _row(
    409,
    "LeaseIsBreakingAndCannotBeAcquired",
    "The lease ID matched, but the lease is currently in breaking state and cannot be acquired "
    "until it is broken.",
)
LEASE_BREAKING_CHANGED = _row(
    409,
    "LeaseIsBreakingAndCannotBeChanged",
    "The lease ID matched, but the lease is currently in breaking state and cannot be changed.",
)
LEASE_BROKEN_RENEWED = _row(
    409,
    "LeaseIsBrokenAndCannotBeRenewed",
    "The lease ID matched, but the lease has been broken explicitly and cannot be renewed.",
)
LEASE_ID_MISMATCH_WITH_BLOB_OPERATION = _row(
    412,
    "LeaseIdMismatchWithBlobOperation",
    "The lease ID specified did not match the lease ID for the blob.",
)
LEASE_ID_MISMATCH_WITH_CONTAINER_OPERATION = _row(
    412,
    "LeaseIdMismatchWithContainerOperation",
    "The lease ID specified did not match the lease ID for the container.",
)
LEASE_ID_MISMATCH_WITH_LEASE_OPERATION = _row(
    409,
    "LeaseIdMismatchWithLeaseOperation",
    "The lease ID specified did not match the lease ID for the {}.",
)
LEASE_ID_MISSING = _row(
    412,
    "LeaseIdMissing",
    "There is currently a lease on the {} and no lease ID was specified in the request.",
)
LEASE_LOST = _row(
    412, "LeaseLost", "A lease ID was specified, but the lease for the {} has expired."
)
LEASE_NOT_PRESENT_WITH_LEASE_OPERATION = _row(
    409, "LeaseNotPresentWithLeaseOperation", "There is currently no lease on the {}."
)
MAX_BLOB_SIZE_CONDITION_NOT_MET = _row(
    412, "MaxBlobSizeConditionNotMet", "The max blob size condition specified was not met."
)
MULTIPLE_CONDITION_HEADERS = _row(
    400,
    "MultipleConditionHeadersNotSupported",
    "Multiple condition headers are not supported.",
)
NO_PENDING_COPY_OPERATION = _row(
    409, "NoPendingCopyOperation", "There is currently no pending copy operation."
)
RESOURCE_NOT_FOUND = _row(404, "ResourceNotFound", "The specified resource does not exist.")
SNAPSHOT_REFUSED = _row(400, "InvalidOperation", "Invalid operation against a blob snapshot.")
SNAPSHOTS_PRESENT = _row(
    409, "SnapshotsPresent", "This operation is not permitted while the blob has snapshots."
)
RESOURCE_NAME_LENGTH = _row(
    400,
    "OutOfRangeInput",
    "The specified resource name length is not within the permissible limits.",
)
SOURCE_CONDITION_NOT_MET = _row(
    412,
    "SourceConditionNotMet",
    "The source condition specified using HTTP conditional header(s) is not met.",
)
TAGS_TOO_LARGE = _row(
    400, "TagsTooLarge", "The tags specified exceed the maximum permissible limit."
)
UNSATISFIABLE_CONDITION = _row(
    400,
    "UnsatisfiableCondition",
    "The request includes an unsatisfiable condition for this operation.",
)


def header_refused(name: str, value: str, refusal: Refusal = INVALID_HEADER_VALUE) -> RefusedError:
    """A refusal that names the header at fault, as the service does."""
    return RefusedError(refusal, details=(("HeaderName", name), ("HeaderValue", value)))


def query_refused(
    name: str, value: str, reason: str, refusal: Refusal = INVALID_QUERY_PARAMETER_VALUE
) -> RefusedError:
    """A refusal that names the query parameter at fault, as the service does."""
    return RefusedError(
        refusal,
        details=(
            ("QueryParameterName", name),
            ("QueryParameterValue", value),
            ("Reason", reason),
        ),
    )


def not_implemented(what: str) -> RefusedError:
    """The emulator does not do this yet; `what` names the operation or the header."""
    return RefusedError(NOT_IMPLEMENTED, message=f"The emulator does not implement {what}.")


def md5_refused(expected: bytes, found: bytes) -> RefusedError:
    """A refusal that names both digests, as the service does."""
    return RefusedError(
        MD5_MISMATCH,
        details=(
            ("UserSpecifiedMd5", base64.b64encode(expected).decode("ascii")),
            ("ServerCalculatedMd5", base64.b64encode(found).decode("ascii")),
        ),
    )
