"""Turns what the Azure SDKs raise into our own errors, in one place for both services.

It must not know what was asked of the service, and never lets a key, a signature or an
`Authorization` header into a message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)

from runner.errors import (
    Refusal,
    ServiceError,
    ServiceRefusedError,
    ServiceTroubleError,
    ServiceUnreachableError,
)
from runner.frozen import dataclass
from runner.remote.trouble import PatienceEndedError
from runner.spec.duration import write_duration

_SECRETS = re.compile(r"(?i)\b(sig=)[^&\s'\"<>]+|\b(SharedKey(?:Lite)?|Bearer)(\s+)[^\s'\"<>]+")
_AUTHENTICATION_CODES = frozenset(
    {
        "AuthenticationFailed",
        "AuthorizationFailure",
        "AuthorizationPermissionMismatch",
        "Forbidden",
        "InsufficientAccountPermissions",
        "InvalidAuthenticationInfo",
        "KeyBasedAuthenticationNotPermitted",
        "NoAuthenticationInformation",
        "Unauthorized",
    }
)
_NO_CODE = "Http"
_SILENCE = (ServiceRequestError, ServiceResponseError, IncompleteReadError)
_NETWORK_HINT = "check the network and the endpoint"
_LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The service that an error comes from; `key_hint` says what to check when it trusts us not.

    The service may quote what it was sent: none of the `secrets` among that is repeated.
    """

    service: str
    endpoint: str
    key_hint: str | None = None
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    def conceal(self, text: str) -> str:
        """The text without the values of secrets, the longest first: one may hold another."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, "REDACTED")
        return text


Place = Callable[[str, str | None, str | None, str | None], tuple[str | int, ...] | None]
"""Finds the part of the spec that a refusal is about, by its code, property, value and reason."""


@contextmanager
def translated(origin: Origin, doing: str, place: Place | None = None) -> Iterator[None]:
    """Within it, every error of the SDKs becomes a `ServiceError` or a narrower kind.

    `doing` completes the sentence "Azure Batch refused to ...".
    """
    try:
        yield
    except AzureError as error:
        raise translate(error, origin, doing, place) from error


@contextmanager
def probing(origin: Origin, doing: str) -> Iterator[None]:
    """As `translated`, for the first call: whatever answers may not be the service at all.

    What the SDKs then raise while they read a web page (azure-batch 15.1, azure-storage-blob
    12.31) has no type in common.
    """
    with translated(origin, doing):
        try:
            yield
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise _stranger(origin) from error


def translate(
    error: AzureError, origin: Origin, doing: str, place: Place | None = None
) -> ServiceError:
    """Our error for one of azure-core, azure-batch, azure-storage-blob or azure-identity."""
    if isinstance(error, PatienceEndedError):
        return _trouble(error, origin, doing)
    inner = _inner(error)
    if is_silence(error) and inner is None:
        return ServiceUnreachableError(
            f"{origin.service} at {origin.endpoint} is out of reach: {silence(error)}",
            hint=_NETWORK_HINT,
        )
    if inner is not None:
        return translate(inner, origin, doing, place)
    if isinstance(error, DecodeError):
        return _stranger(origin)
    if isinstance(error, HttpResponseError) and error.response is not None:
        code, text = _answer(error, origin)
        return refusal(origin, doing, code, text, model=error.model, place=place)
    if isinstance(error, ClientAuthenticationError):
        return refusal(origin, doing, "AuthenticationFailed", first_line(error.message))
    said = origin.conceal(first_line(str(error)))
    return ServiceError(f"{origin.service} could not {doing}: {said}")


def refusal(
    origin: Origin,
    doing: str,
    code: str,
    text: str,
    *,
    model: Mapping[str, Any] | None = None,
    place: Place | None = None,
) -> ServiceRefusedError:
    """The error for a refusal whose code and words are known, and what Batch said with them."""
    said = origin.conceal(f"{code}: {text}" if text else code)
    hint = origin.key_hint if code in _AUTHENTICATION_CODES else None
    if code.startswith(_NO_CODE):
        hint = f"check the endpoint, {origin.endpoint}"
    return ServiceRefusedError(
        f"{origin.service} refused to {doing}: {said}",
        code=code,
        hint=hint,
        refusal=_details(model, origin, code, place),
    )


def _details(
    model: Mapping[str, Any] | None, origin: Origin, code: str, place: Place | None
) -> Refusal | None:
    """What Batch refused, where it says so (recordings: `PropertyName` and its like)."""
    if not isinstance(model, Mapping):
        return None
    values = {
        str(_member(each, "key")): str(_member(each, "value") or "")
        for each in _member(model, "values") or ()
    }
    name, value = values.get("PropertyName"), values.get("PropertyValue")

    def said(words: str | None) -> str | None:
        return None if words is None else first_line(origin.conceal(words))[:_LONGEST_VALUE]

    message = _member(model, "message")
    return Refusal(
        service=origin.service,
        code=code,
        words=said(str(_member(message, "value") or "")) or "",
        property=name,
        value=said(value),
        reason=said(values.get("Reason")),
        place=None if place is None else place(code, name, value, values.get("Reason")),
    )


def service_code(error: HttpResponseError) -> str:
    """The service's own code, such as `JobNotFound`; `Http502` where the body holds none."""
    code = getattr(error, "error_code", None)
    if code is None and error.model is not None:
        code = _member(error.model, "code")
    if code is None and error.error is not None:
        code = error.error.code
    if code is None:
        return f"{_NO_CODE}{error.status_code}"
    return str(getattr(code, "value", code))


def batch_words(model: Mapping[str, Any], origin: Origin) -> str:
    """The words of a Batch error: its message, and the names and reasons that come with it.

    Values are without the origin's secrets before they are cut: of those no part may be left.
    """

    def said(words: object) -> str:
        return first_line(origin.conceal(str(words)))

    message = _member(model, "message")
    text = said(_member(message, "value") or "") if message else ""
    values = _member(model, "values") or ()
    details = ", ".join(
        f"{_member(value, 'key')}: {said(_member(value, 'value'))[:_LONGEST_VALUE]}"
        for value in values
        # It quotes the signature that was sent and the one that was computed.
        if _member(value, "key") != "AuthenticationErrorDetail"
    )
    return f"{text} ({details})" if details else text


def first_line(text: str) -> str:
    """The first line, without secrets and full stop: the rest is request ids and times."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return redact(line).rstrip(".")


def redact(text: str) -> str:
    """The text without signatures and `Authorization` headers."""
    return _SECRETS.sub(
        lambda match: f"{match[1]}REDACTED" if match[1] else f"{match[2]}{match[3]}REDACTED", text
    )


def _stranger(origin: Origin) -> ServiceError:
    return ServiceError(
        f"what answers at {origin.endpoint} does not speak as {origin.service} does",
        hint="check the endpoint",
    )


def _answer(error: HttpResponseError, origin: Origin) -> tuple[str, str]:
    code = service_code(error)
    if error.model is not None:
        return code, batch_words(error.model, origin)
    if code.startswith(_NO_CODE):
        return code, first_line(error.reason or "")
    return code, first_line(error.message or "")


def _member(value: Any, name: str) -> Any:
    """A member of an answer that may have any form."""
    return value.get(name) if isinstance(value, Mapping) else None


def is_silence(error: AzureError) -> bool:
    """Whether no answer came, or not the whole of it."""
    inner = _inner(error)
    if isinstance(error, _SILENCE) or (inner is not None and is_silence(inner)):
        return True
    # An answer whose body broke off by a reset (azure-core 1.41, RequestsTransport.send).
    if not isinstance(error, HttpResponseError) or isinstance(error, DecodeError):
        return False
    return error.response is None and isinstance(error.inner_exception, OSError)


def _inner(error: AzureError) -> AzureError | None:
    """A download that broke off comes wrapped (azure-storage-blob 12.31)."""
    inner = error.inner_exception
    return inner if isinstance(inner, AzureError) and inner is not error else None


def _trouble(error: PatienceEndedError, origin: Origin, doing: str) -> ServiceTroubleError:
    failure, since = error.failure, f"{error.since:%Y-%m-%dT%H:%M:%SZ}"
    lasted = f" for {write_duration(error.lasted)}, since {since}" if error.lasted else ""
    hint = "`limits.patience` in the spec says how long to bear with a service"
    if failure.is_silence:
        return ServiceUnreachableError(
            f"{origin.service} at {origin.endpoint} is out of reach{lasted}: {failure.words}",
            hint=f"{_NETWORK_HINT}; {hint}",
        )
    said = origin.conceal(f": {failure.detail}" if failure.detail else "")
    return ServiceTroubleError(
        f"{origin.service} could not {doing}: it has answered {failure.words}{lasted}{said}",
        hint=hint,
    )


def silence(error: AzureError) -> str:
    """Why there was no answer, in the words of the operating system where it has some."""
    if isinstance(error, ServiceRequestTimeoutError):
        return "no connection within the time-out"
    if isinstance(error, ServiceResponseTimeoutError):
        return "no answer within the time-out"
    words = ""
    cause: BaseException | None = error.inner_exception or error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        # The exceptions of requests are OSErrors too, but have no words of the system.
        if isinstance(cause, OSError) and cause.strerror:
            words = cause.strerror
        cause = cause.__cause__ or cause.__context__
    return first_line(words or str(error))
