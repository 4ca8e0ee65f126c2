"""Which tries are followed by another, of any client's requests."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any, NoReturn

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline import Pipeline, PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest

from runner.remote.retrying import PatientPolicy, persist
from runner.remote.trouble import PatienceEndedError, Trouble
from tests.unit.remote.stub import Pauses


class Answer:
    """What an answer shows to a policy."""

    def __init__(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.status_code = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.reason = "reason"
        self._body = body

    def read(self) -> bytes:
        return self._body

    def __repr__(self) -> str:
        return f"{self.status_code}{''.join(self.headers.values())}"


class Script(HTTPPolicy[Any, Any]):
    """Answers by a list, the last one again and again."""

    def __init__(self, *answers: Answer | AzureError) -> None:
        super().__init__()
        self.answers = list(answers)
        self.bodies: list[bytes] = []
        self.options: list[dict[str, Any]] = []

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        body = request.http_request.content
        self.bodies.append(body.read() if hasattr(body, "read") else body)
        self.options.append(dict(request.context.options))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, AzureError):
            raise answer
        return PipelineResponse(request.http_request, answer, request.context)


def open_pipeline(trouble: Trouble, script: Script) -> Pipeline[Any, Any]:
    """Nothing gets through the script to what would send it."""
    return Pipeline(transport=RequestsTransport(), policies=[PatientPolicy(trouble), script])


def send(
    script: Script, pauses: Pauses, *, method: str = "GET", body: Any = None, **options: Any
) -> int:
    """The status of the answer that comes of it."""
    trouble = Trouble("Azure Batch", pauses.endurance())
    pipeline = open_pipeline(trouble, script)
    request = HttpRequest(method, "http://h/", content=body)
    return int(pipeline.run(request, **options).http_response.status_code)


BROKEN = HttpResponseError("broken off", error=ConnectionResetError(104, "reset"))


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"])
@pytest.mark.parametrize(
    "trouble",
    [
        *map(Answer, (408, 429, 500, 502, 503, 504, 507)),
        Answer(400, x_ms_error_code="Md5Mismatch"),
        ServiceRequestError("no such host"),
        ServiceResponseError("reset"),
        IncompleteReadError("short"),
        BROKEN,
    ],
    ids=repr,
)
def test_trouble_is_followed_by_another_try(
    method: str, trouble: Answer | AzureError, pauses: Pauses
) -> None:
    script = Script(trouble, Answer(200))
    assert send(script, pauses, method=method) == 200
    assert len(script.bodies) == 2


@pytest.mark.parametrize("status", [200, 202, 304, 400, 401, 403, 404, 409, 412, 413, 501, 505])
def test_an_answer_is_an_answer(status: int, pauses: Pauses) -> None:
    script = Script(Answer(status, Retry_After="5"))
    assert send(script, pauses) == status
    assert len(script.bodies) == 1
    assert pauses.seconds == []


@pytest.mark.parametrize(
    ("option", "trouble", "tries"),
    [
        ("retry_total", ServiceRequestError("x"), 3),
        ("retry_connect", ServiceRequestError("x"), 3),
        ("retry_read", ServiceResponseError("x"), 3),
        ("retry_read", BROKEN, 3),
    ],
)
def test_a_call_may_have_fewer_tries(
    option: str, trouble: AzureError, tries: int, pauses: Pauses
) -> None:
    script = Script(trouble)
    with pytest.raises(type(trouble)):
        send(script, pauses, method="POST", **{option: 2})
    assert len(script.bodies) == tries


def test_the_answer_of_the_last_try_is_given(pauses: Pauses) -> None:
    script = Script(Answer(503))
    assert send(script, pauses, retry_status=1) == 503
    assert len(script.bodies) == 2


def test_options_of_the_sdks_own_policies_go_no_further(pauses: Pauses) -> None:
    script = Script(Answer(200))
    send(
        script,
        pauses,
        retry_total=1,
        retry_on_methods=["POST"],
        location_mode="primary",
        hosts={"primary": "h"},
        connection_timeout=2,
    )
    assert script.options == [{"connection_timeout": 2}]


def test_a_body_is_sent_from_where_it_began(pauses: Pauses) -> None:
    body = BytesIO(b"head and body")
    body.seek(5)
    script = Script(Answer(500), ServiceResponseError("reset"), Answer(201))
    assert send(script, pauses, method="PUT", body=body) == 201
    assert script.bodies == [b"and body"] * 3


def test_a_body_that_cannot_be_rewound_is_sent_once(pauses: Pauses) -> None:
    class Once:
        def read(self, size: int = -1) -> bytes:
            return b"once"

        def __iter__(self) -> Once:
            return self

        def __next__(self) -> bytes:
            raise StopIteration

    script = Script(Answer(503))
    assert send(script, pauses, method="PUT", body=Once()) == 503
    assert script.bodies == [b"once"]


def test_the_service_is_told_of_with_its_words(pauses: Pauses) -> None:
    script = Script(Answer(503, b'{"code": "ServerBusy", "message": {"value": "Busy.\\nId"}}'))
    with pytest.raises(PatienceEndedError) as caught:
        send(script, pauses)
    assert (caught.value.failure.words, caught.value.failure.detail) == ("503 ServerBusy", "Busy")


def test_a_web_page_is_told_of_by_its_status(pauses: Pauses) -> None:
    with pytest.raises(PatienceEndedError) as caught:
        send(Script(Answer(502, b"<html>")), pauses)
    assert (caught.value.failure.words, caught.value.failure.detail) == ("502", "reason")


def test_who_is_let_in_is_not_doubted_where_the_network_is_gone(pauses: Pauses) -> None:
    trouble = Trouble("Azure Batch", pauses.endurance())
    nobody = ClientAuthenticationError("no token: no such host")
    script = Script(nobody, Answer(200), nobody, Answer(201))
    pipeline = open_pipeline(trouble, script)
    with pytest.raises(ClientAuthenticationError):
        pipeline.run(HttpRequest("GET", "http://h/"))
    pipeline.run(HttpRequest("GET", "http://h/"))
    assert pipeline.run(HttpRequest("GET", "http://h/")).http_response.status_code == 201


def test_what_broke_off_is_read_again_from_its_beginning(pauses: Pauses) -> None:
    pieces: list[Callable[[], int]] = [lambda: _fail(BROKEN)] * 2 + [lambda: 7]
    trouble = Trouble("Blob Storage", pauses.endurance())

    def read() -> int:
        return pieces.pop(0)()

    assert persist(read, trouble) == 7
    assert pauses.seconds == [1.6]
    with pytest.raises(AzureError, match="odd"):
        persist(lambda: _fail(AzureError("odd")), trouble)


def _fail(error: AzureError) -> NoReturn:
    raise error
