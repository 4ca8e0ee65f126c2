"""Contents of blobs by the token of whoever is signed in."""

from __future__ import annotations

from types import TracebackType
from typing import Any, cast

from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import HttpTransport

from runner.remote.connections.bodies import AnswerBody
from runner.remote.connections.heads import Head, Headers
from runner.remote.connections.responses import Response
from runner.remote.contents import Contents
from runner.remote.retrying import PatientPolicy
from runner.remote.transport import DirectTransport
from runner.remote.trouble import Trouble
from tests.unit.remote.stub import Pauses


class Wire(HttpTransport[Any, Any]):
    """Answers by a list of heads, without a service that a token could go to."""

    def __init__(self, *answers: tuple[int, dict[str, str]]) -> None:
        self.answers = list(answers)
        self.authorizations: list[str] = []
        self.urls: list[str] = []

    def send(self, request: Any, **_options: Any) -> Response:
        self.authorizations.append(request.headers["Authorization"])
        self.urls.append(request.url)
        status, fields = self.answers.pop(0)
        headers = Headers()
        for name, value in {"Content-Length": "0", **fields}.items():
            headers.add(name, value)
        head = Head("HTTP/1.1", status, "", headers)
        return Response(request, head, AnswerBody(cast("Any", None), head, "PUT", lambda *_: None))

    def open(self) -> None:
        """There is nothing to open."""

    def close(self) -> None:
        """Nor to close."""

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Nor to end."""


class Credential:
    """Gives tokens that say what they were asked for."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken(f"{scopes[0]} {options.get('tenant_id')}", 4_000_000_000)


def open_contents(wire: Wire, pauses: Pauses) -> Contents:
    return Contents(
        "https://acct.blob.core.windows.net",
        api_version="2025-01-05",
        transport=cast("DirectTransport", wire),
        patience=PatientPolicy(Trouble("Blob Storage", pauses.endurance())),
        access=Credential(),
    )


def test_a_token_is_on_every_request_and_no_signature(pauses: Pauses) -> None:
    wire = Wire((201, {}), (201, {}))
    contents = open_contents(wire, pauses)

    contents.put("c", "a b", b"x", kind="text/plain", md5=b"0" * 16)
    contents.put_block("c", "a", "i+=", b"x", md5=b"0" * 16)

    assert wire.authorizations == ["Bearer https://storage.azure.com/.default None"] * 2
    assert wire.urls == [
        "https://acct.blob.core.windows.net/c/a%20b",
        "https://acct.blob.core.windows.net/c/a?comp=block&blockid=i%2B%3D",
    ]


def test_an_account_of_another_tenant_is_asked_with_a_token_of_that(pauses: Pauses) -> None:
    challenge = (
        "Bearer authorization_uri=https://login.microsoftonline.com/other/oauth2/authorize"
        " resource_id=https://storage.azure.com"
    )
    wire = Wire((401, {"WWW-Authenticate": challenge}), (201, {}))

    open_contents(wire, pauses).put("c", "a", b"x", kind="text/plain", md5=b"0" * 16)

    assert wire.authorizations == [
        "Bearer https://storage.azure.com/.default None",
        "Bearer https://storage.azure.com/.default other",
    ]
