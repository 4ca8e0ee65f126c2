"""A service of canned answers on loopback, for what an emulator never does of its own accord."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from runner.remote.endurance import Endurance, Patience


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as it came; `query` decoded."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which must be JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Canned:
    """An answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Answerer = Callable[[Seen], Canned]


def batch_answer(document: object, status: int = 200, **headers: str) -> Canned:
    """A JSON answer in the form of Azure Batch."""
    return Canned(
        status=status,
        body=json.dumps(document).encode(),
        headers={"Content-Type": "application/json;odata=minimalmetadata", **headers},
    )


def batch_error(
    status: int, code: str, text: str, values: Mapping[str, str] | None = None, **headers: str
) -> Canned:
    """A refusal in the form of Azure Batch."""
    document: dict[str, Any] = {
        "odata.metadata": "x",
        "code": code,
        "message": {
            "lang": "en-US",
            "value": f"{text}\nRequestId:0f0e0d0c-0000\nTime:2025-03-28T18:10:00.1234567Z",
        },
    }
    if values:
        document["values"] = [{"key": key, "value": value} for key, value in values.items()]
    return batch_answer(document, status, **headers)


def blob_error(status: int, code: str, text: str) -> Canned:
    """A refusal in the form of Blob Storage."""
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code>'
        f"<Message>{text}\nRequestId:0f0e0d0c-0000\nTime:2025-03-28T18:10:00.1234567Z</Message>"
        "<AuthenticationErrorDetail>signature did not match abcdef=</AuthenticationErrorDetail>"
        "</Error>"
    )
    return Canned(
        status=status,
        body=body.encode(),
        headers={"Content-Type": "application/xml", "x-ms-error-code": code},
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_arguments: Any) -> None:
        """A client that hangs up is no news."""


class Stub:
    """Answers each request with the next of its answers, the last one again and again."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.answers: list[Canned | Answerer] = []
        self.server = _Server(("127.0.0.1", 0), self._handler())

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.server_address[1]

    @property
    def endpoint(self) -> str:
        """The URL of an account on it."""
        return f"http://127.0.0.1:{self.port}/acct"

    def answer(self, *answers: Canned | Answerer) -> None:
        """What it will answer."""
        self.answers = list(answers)

    def take(self, seen: Seen) -> Canned:
        """The answer to a request."""
        self.seen.append(seen)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, Canned) else answer(seen)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                url = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = stub.take(
                    Seen(
                        method=self.command,
                        path=url.path,
                        query=dict(parse_qsl(url.query)),
                        headers={name.lower(): value for name, value in self.headers.items()},
                        body=body,
                    )
                )
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in answer.headers:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_any  # noqa: N815

            def log_message(self, *_arguments: Any) -> None:
                """Says nothing."""

        return Handler


START = datetime(2025, 3, 28, 18, 0, tzinfo=timezone.utc)


@dataclass(slots=True)
class Pauses:
    """Stands for the passing of time: a pause is over at once, and moves the clock."""

    seconds: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def pause(self, seconds: float) -> None:
        """Writes the pause down."""
        self.seconds.append(seconds)

    def clock(self) -> datetime:
        """The time after all pauses."""
        return START + timedelta(seconds=sum(self.seconds))

    def endurance(self, **patience: Any) -> Endurance:
        """Waits by this time, with a back-off that nothing spreads."""
        return Endurance(
            patience=Patience(**patience),
            clock=self.clock,
            monotonic=lambda: sum(self.seconds),
            pause=self.pause,
            tell=self.told.append,
        )
