"""What the emulator can be told while it runs, and by whom."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from typing import Any

import pytest

from runner.emulator.batch.modelling.passage import Mode, VirtualTime
from runner.emulator.control.faults import FaultRules
from runner.emulator.control.gate import ControlGate, Resource, is_loopback
from runner.emulator.control.time import TimeControl
from runner.emulator.faults.choose import Faults
from runner.emulator.faults.parse import parse_option
from runner.emulator.server.http import Request, Response

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
JSON = "application/json"
NOT_OURS = "is not this machine's own; use 127.0.0.1 or localhost"


class Accounts:
    async def handle(self, request: Request) -> Response:
        return Response(status=200, body=b"an account")


class Gate:
    """A gate with rules of its own."""

    def __init__(self, *rules: str, virtual: bool = False) -> None:
        self.faults = Faults([parse_option(rule) for rule in rules], seed=7)
        passage = VirtualTime(lambda: NOW, Mode.MANUAL) if virtual else None
        resources: dict[str, Resource] = {
            "faults": FaultRules(self.faults),
            "time": TimeControl(passage, lambda: NOW),
        }
        self._gate = ControlGate(Accounts(), resources)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        host: str = "127.0.0.1:8000",
        content_type: str = JSON,
        **headers: str,
    ) -> tuple[int, Any]:
        """Status and JSON of an answer."""

        async def content() -> AsyncIterator[bytes]:
            yield body

        request = Request(
            method=method,
            raw_path=path,
            raw_query="",
            query=(),
            headers={"host": host, "content-type": content_type, **headers},
            scheme="http",
            client_address="127.0.0.1",
            body=content(),
        )
        response = asyncio.run(self._gate.handle(request))
        assert isinstance(response.body, bytes)
        assert not any(name.lower().startswith("access-control") for name, _ in response.headers)
        return response.status, json.loads(response.body)


def shown(number: int, fault: str, **more: str | int) -> dict[str, Any]:
    return {"number": number, "fault": fault, "chances": 0, "strikes": 0, **more}


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:8000", True),
        ("127.9.9.9:1", True),
        ("[::1]:8000", True),
        ("[::1]", True),
        ("localhost:80", True),
        ("LOCALHOST.:80", True),
        ("account.blob.localhost:80", True),
        ("", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com:8000", False),
        ("192.168.0.1", False),
        ("example.com", False),
    ],
)
def test_which_hosts_are_this_machine(host: str, ours: bool) -> None:
    assert is_loopback(host) is ours


@pytest.mark.parametrize("path", ["/localbatch/jobs", "/.emulators/faults", "/"])
def test_all_else_goes_to_the_accounts(path: str) -> None:
    async def ask() -> Response:
        request = Request(
            method="GET",
            raw_path=path,
            raw_query="",
            query=(),
            headers={},
            scheme="http",
            client_address="",
            body=Accounts(),  # type: ignore[arg-type] # never read
        )
        return await ControlGate(Accounts(), {}).handle(request)

    assert asyncio.run(ask()).body == b"an account"


def test_who_may_tell_it_something() -> None:
    gate = Gate("503")
    assert gate.ask("GET", "/.emulator/faults", host="example.com:80") == (
        403,
        {"error": f"the host `example.com:80` {NOT_OURS}"},
    )
    assert gate.ask("GET", "/.emulator/faults", origin="http://127.0.0.1:8000") == (
        403,
        {"error": "a web page may not tell the emulator anything"},
    )
    for method in ("PUT", "POST", "DELETE"):
        assert gate.ask(method, "/.emulator/faults", b"[]", content_type="text/plain") == (
            415,
            {"error": "a change needs the header `Content-Type: application/json`"},
        )
    assert gate.ask("GET", "/.emulator/faults", content_type="")[0] == 200


def test_what_there_is() -> None:
    known = "there is `/.emulator/faults`, `/.emulator/time`"
    for path in ("/.emulator", "/.emulator/", "/.emulator/fault"):
        message = f"there is no `{path}`; {known}"
        assert Gate().ask("GET", path) == (404, {"error": message})
    assert Gate().ask("PATCH", "/.emulator/faults")[0] == 405
    assert Gate().ask("POST", "/.emulator/faults/1")[0] == 404
    assert Gate().ask("PUT", "/.emulator/faults", b"x" * (1024 * 1024 + 1)) == (
        413,
        {"error": "the content is larger than 1048576 bytes"},
    )


def test_rules_are_shown_added_replaced_and_removed() -> None:
    gate = Gate("503 rate=0.5")
    assert gate.ask("GET", "/.emulator/faults") == (
        200,
        {"seed": 7, "rules": [shown(1, "503", rate="0.5")]},
    )
    added = b'{"fault": "latency=40ms", "operation": "list_*"}'
    assert gate.ask("POST", "/.emulator/faults", added, content_type=f"{JSON}; charset=utf-8") == (
        200,
        {"seed": 7, "rules": [shown(2, "latency=40ms", operation="list_*")]},
    )
    gate.faults.of_request({"service": "batch", "account": "a", "operation": "list_jobs"})
    status, one = gate.ask("GET", "/.emulator/faults/2")
    assert (status, one["chances"], one["strikes"]) == (200, 1, 1)
    assert gate.ask("DELETE", "/.emulator/faults/1")[0] == 200
    assert [active.number for active in gate.faults] == [2]
    status, answer = gate.ask("PUT", "/.emulator/faults", b'[{"fault": "reset"}]')
    assert (status, answer["rules"]) == (200, [shown(1, "reset")])
    assert gate.ask("DELETE", "/.emulator/faults") == (200, {"seed": 7, "rules": []})


def test_rules_that_cannot_be_read_change_nothing() -> None:
    gate = Gate("503")
    content = b'[{"fault": "reset"}, {"fault": "reset", "rate": 2}]'
    assert gate.ask("PUT", "/.emulator/faults", content) == (
        400,
        {"error": "content: rule 2: `rate`: `2` is not a number from 0 to 1"},
    )
    assert gate.ask("POST", "/.emulator/faults", b"\xff") == (
        400,
        {"error": "the content is not UTF-8: byte 1"},
    )
    assert [dict(active.rule.words)["fault"] for active in gate.faults] == ["503"]


def test_time_passes_when_it_is_told_to() -> None:
    gate = Gate(virtual=True)
    assert gate.ask("GET", "/.emulator/time") == (
        200,
        {"mode": "manual", "now": "2026-01-02T03:04:05.000000Z", "next": None},
    )
    assert gate.ask("POST", "/.emulator/time", b'{"advance": "1d"}') == (
        200,
        {"mode": "manual", "now": "2026-01-03T03:04:05.000000Z", "next": None},
    )
    for content in (b"", b"[]", b'{"advance": "1d", "to": 1}'):
        assert gate.ask("POST", "/.emulator/time", content) == (
            400,
            {"error": 'the content is not such as `{"advance": "24h"}`'},
        )
    assert gate.ask("POST", "/.emulator/time", b'{"advance": "3651d"}') == (
        400,
        {"error": "`advance`: `3651d` is more than ten years"},
    )


def test_real_time_does_not() -> None:
    gate = Gate()
    assert gate.ask("GET", "/.emulator/time") == (
        200,
        {"mode": "real", "now": "2026-01-02T03:04:05.000000Z"},
    )
    status, answer = gate.ask("POST", "/.emulator/time", b'{"advance": "1d"}')
    assert (status, answer["error"][:12]) == (409, "time is real")
