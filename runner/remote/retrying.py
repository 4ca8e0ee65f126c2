"""Sends a request again while its service is in trouble: the retry policy of both SDKs' clients.

It must not know what a request asks for. The SDKs' own policies bound tries and not time, wait
without a way to end that, and azure-storage-blob (12.31) heeds neither `Retry-After` nor 429.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from io import SEEK_SET
from typing import Any, TypeVar

from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy

from runner.json_text import read_json
from runner.remote.faults import first_line, is_silence, silence
from runner.remote.trouble import Failure, Trouble

_TROUBLE = frozenset({408, 429})
_NEVER = frozenset({501, 505})
# What was sent has changed on its way (REST, Put Blob: the Content-MD5 does not fit).
_DAMAGED = "Md5Mismatch"
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]+)?", re.ASCII)
_XML_MESSAGE = re.compile(rb"<Message>([^<]*)")
# Options of the SDKs' own policies, which must not reach the transport.
_FOREIGN = (
    "hosts",
    "retry_backoff_factor",
    "retry_backoff_max",
    "retry_hook",
    "retry_on_methods",
    "retry_to_secondary",
    "timeout",
)
_PRIMARY = "primary"

T = TypeVar("T")


class PatientPolicy(HTTPPolicy[Any, Any]):
    """Tries until the service answers or our patience ends; every request of ours may be repeated.

    The SDKs' options `retry_total`, `retry_status`, `retry_connect` and `retry_read` bound the
    tries of one call further.
    """

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self._trouble = trouble

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """The answer of the last try, whatever it says; raises where none came."""
        self._trouble.check()
        options = request.context.options
        bounds = _Bounds(options)
        for name in _FOREIGN:
            options.pop(name, None)
        mode = options.pop("location_mode", _PRIMARY)
        rewind = _rewinder(_body_of(request.http_request))
        tries = self._trouble.begin()
        while True:
            self._hurry(options)
            try:
                response = self.next.send(request)
            except AzureError as error:
                if not (self._is_passing(error) and bounds.allow(error) and rewind()):
                    raise
                tries.fail(Failure(words=silence(error), is_silence=True))
                continue
            # What azure-storage-blob looks for (12.31).
            response.http_response.location_mode = mode
            failure = _failure(response.http_response, self._trouble.endurance.clock())
            if failure is None:
                self._trouble.end()
                return response
            if not (bounds.allow(None) and rewind()):
                return response
            tries.fail(failure)

    def _is_passing(self, error: AzureError) -> bool:
        if isinstance(error, ClientAuthenticationError):
            # Who was let in before is not asked who he is where the network is gone.
            return error.response is None and self._trouble.answered
        return is_silence(error)

    def _hurry(self, options: dict[str, Any]) -> None:
        """Gives silence less time where somebody waits for the end."""
        endurance = self._trouble.endurance
        if endurance.hurried is None:
            return
        seconds = endurance.patience.hurried_seconds
        options["connection_timeout"] = min(seconds / 3, endurance.patience.connect_seconds)
        options["read_timeout"] = min(seconds * 2 / 3, endurance.patience.read_seconds)


def persist(read: Callable[[], T], trouble: Trouble) -> T:
    """What reading gives, begun again where an answer broke off before its end."""
    tries = trouble.begin()
    while True:
        try:
            return read()
        except AzureError as error:
            if not is_silence(error):
                raise
            tries.fail(Failure(words=silence(error), is_silence=True))


class _Bounds:
    """How many more tries the options of one call allow; by themselves, any number."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._total = options.pop("retry_total", None)
        self._status = options.pop("retry_status", None)
        self._connect = options.pop("retry_connect", None)
        self._read = options.pop("retry_read", None)

    def allow(self, error: AzureError | None) -> bool:
        """Whether another try may follow an error, or an answer that is one."""
        if self._total is not None:
            self._total -= 1
        if error is None:
            if self._status is not None:
                self._status -= 1
        elif isinstance(error, ServiceRequestError):
            if self._connect is not None:
                self._connect -= 1
        elif self._read is not None:
            self._read -= 1
        return all(
            left is None or left >= 0
            for left in (self._total, self._status, self._connect, self._read)
        )


def _body_of(request: Any) -> Any:
    """What is sent with a request, of either kind of azure-core's: the other's name costs more."""
    return request.content if hasattr(request, "content") else request.body


def _rewinder(body: Any) -> Callable[[], bool]:
    """What brings a body back to where it began; false where that cannot be."""
    if not hasattr(body, "read"):
        return lambda: True
    try:
        start = body.tell()
    except (AttributeError, OSError, ValueError):
        return lambda: False

    def rewind() -> bool:
        try:
            body.seek(start, SEEK_SET)
        except (AttributeError, OSError, ValueError):
            return False
        return True

    return rewind


def _failure(response: Any, now: datetime) -> Failure | None:
    """What is wrong with an answer, where another try may mend it."""
    status = response.status_code
    if status < 400:
        return None
    is_trouble = status in _TROUBLE or (status >= 500 and status not in _NEVER)
    damaged = response.headers.get("x-ms-error-code") == _DAMAGED
    if not is_trouble and not damaged:
        return None
    code, text = _words(response)
    return Failure(
        words=f"{status} {code}" if code else str(status),
        detail=text or first_line(response.reason or ""),
        retry_after_seconds=retry_after(response.headers, now),
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """How many seconds the service asks to be left alone; by its own clock, where it names a time.

    RFC 9110, section 10.2.3: seconds, or a date.
    """
    for name, unit in (("Retry-After", 1.0), ("x-ms-retry-after-ms", 1e-3)):
        text = headers.get(name)
        if not text:
            continue
        if _SECONDS.fullmatch(text):
            return float(text) * unit
        with suppress(ValueError, TypeError):
            asked = parsedate_to_datetime(text)
            with suppress(ValueError, TypeError):
                now = parsedate_to_datetime(headers.get("Date") or "")
            return max((_aware(asked) - _aware(now)).total_seconds(), 0.0)
    return None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


def _words(response: Any) -> tuple[str, str]:
    """The service's code and its first line, of whichever service; empty where it has none."""
    code = response.headers.get("x-ms-error-code") or ""
    try:
        body: bytes = response.read() if hasattr(response, "read") else response.body()
    except AzureError:
        return code, ""
    found = _XML_MESSAGE.search(body)
    if found is not None:
        return code, first_line(found[1].decode("utf-8", "replace"))
    try:
        document = read_json(body)
    except ValueError:
        return code, ""
    if not isinstance(document, dict):
        return code, ""
    message = document.get("message")
    text = message.get("value") if isinstance(message, dict) else message
    return code or str(document.get("code") or ""), first_line(str(text or ""))
