"""What the SDKs raise becomes our own errors, and nothing secret gets into a message."""

from __future__ import annotations

from dataclasses import replace

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
)

from runner.errors import ServiceError, ServiceRefusedError, ServiceUnreachableError
from runner.remote.faults import Origin, batch_words, first_line, redact, refusal, translated

ORIGIN = Origin(service="Azure Batch", endpoint="https://a.b", key_hint="check the key")


def raised(error: AzureError) -> ServiceError:
    """Our error for one of the SDKs'."""
    with pytest.raises(ServiceError) as caught, translated(ORIGIN, "do it"):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


def test_a_time_out_is_out_of_reach() -> None:
    error = raised(ServiceRequestTimeoutError("HTTPSConnectionPool(...)"))

    assert type(error) is ServiceUnreachableError
    assert error.message == (
        "Azure Batch at https://a.b is out of reach: no connection within the time-out"
    )


def test_a_download_that_broke_off_is_out_of_reach() -> None:
    broken = ServiceResponseError("connection aborted")
    error = raised(HttpResponseError("wrapped", error=broken))

    assert type(error) is ServiceUnreachableError
    assert error.message == "Azure Batch at https://a.b is out of reach: connection aborted"


def test_nobody_signed_in_is_refused_with_the_hint() -> None:
    error = raised(ClientAuthenticationError("No credential found.\nAttempted:\n\tEnvironment"))

    assert isinstance(error, ServiceRefusedError)
    assert error.message == (
        "Azure Batch refused to do it: AuthenticationFailed: No credential found"
    )
    assert (error.code, error.hint) == ("AuthenticationFailed", "check the key")


def test_anything_else_is_told_as_it_is() -> None:
    assert raised(AzureError("odd")).message == "Azure Batch could not do it: odd"


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="ours"), translated(ORIGIN, "do it"):
        raise ValueError("ours")


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("http://h/c?sp=r&sig=a%2Fb%3D&se=1 x", "http://h/c?sp=r&sig=REDACTED&se=1 x"),
        ("http://h/c?SIG=abc", "http://h/c?SIG=REDACTED"),
        ("Authorization: SharedKey acct:c2VjcmV0=", "Authorization: SharedKey REDACTED"),
        ("'Bearer ey.Jh'", "'Bearer REDACTED'"),
        ("design=1", "design=1"),
    ],
)
def test_secrets_do_not_get_into_messages(text: str, redacted: str) -> None:
    assert redact(text) == redacted
    assert first_line(f"\n {text}.\nRequestId:1") == redacted


def test_batch_words_leave_the_signatures_out_and_cut_long_values() -> None:
    model = {
        "message": {"value": "No.\nRequestId:1"},
        "values": [
            {"key": "AuthenticationErrorDetail", "value": "c2VjcmV0"},
            {"key": "PropertyValue", "value": "v" * 1000},
        ],
    }

    assert batch_words(model, ORIGIN) == f"No (PropertyValue: {'v' * 200})"
    assert batch_words({}, ORIGIN) == ""
    assert batch_words({"message": "odd", "values": None}, ORIGIN) == ""


def test_what_the_service_quotes_of_our_secrets_is_not_repeated() -> None:
    long = "k" * 300
    origin = replace(ORIGIN, secrets=frozenset({"pass", "password", long}))
    model = {
        "message": {"value": f"Bad {long}"},
        "values": [{"key": "PropertyValue", "value": f"my password {long}"}],
    }

    assert batch_words(model, origin) == "Bad REDACTED (PropertyValue: my REDACTED REDACTED)"
    assert refusal(origin, "do it", "InvalidPropertyValue", "not a password").message == (
        "Azure Batch refused to do it: InvalidPropertyValue: not a REDACTED"
    )
    with pytest.raises(ServiceError) as caught, translated(origin, "do it"):
        raise AzureError("odd: password")
    assert caught.value.message == "Azure Batch could not do it: odd: REDACTED"
    assert "password" not in repr(origin)
