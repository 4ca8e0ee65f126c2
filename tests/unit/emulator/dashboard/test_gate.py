"""Who may look at the page, and what a browser is told to make of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from runner.emulator.control.gate import ControlError
from runner.emulator.dashboard.gate import DashboardGate, write_json
from runner.emulator.server.http import Request, Response

HOST = "127.0.0.1:8000"
LOCKED = (
    b'{"error":"the token is missing or wrong;'
    b' open the address that the emulator printed when it started"}\n'
)
STRANGER = b'{"error":"a web page of another origin may not ask for anything"}\n'


class Data:
    def __init__(self) -> None:
        self.asked: list[str] = []

    async def answer(self, request: Request) -> Response:
        self.asked.append(f"{request.method} {request.raw_path}")
        if request.raw_path.endswith("/nothing"):
            raise ControlError(404, "there is nothing")
        return write_json(200, {"seen": True})


class Gate:
    """A gate whose token is `secret`."""

    def __init__(self) -> None:
        self.data = Data()
        self.opened = 0
        self._gate = DashboardGate("secret", self._open)

    def _open(self) -> Data:
        self.opened += 1
        return self.data

    def ask(self, path: str, method: str = "GET", **headers: str) -> Response:
        async def content() -> AsyncIterator[bytes]:
            yield b""

        sent = {"host": HOST, "authorization": "Bearer secret"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        request = Request(
            method=method,
            raw_path=path,
            raw_query="",
            query=(),
            headers=sent,
            scheme="http",
            client_address="127.0.0.1",
            body=content(),
        )
        return asyncio.run(self._gate.handle(request))


def test_data_is_for_who_has_the_token_and_is_opened_once() -> None:
    gate = Gate()

    for given in ("", "Bearer", "Bearer wrong", "Basic secret", "Bearer sécret"):
        answer = gate.ask("/.emulator/dashboard/overview", authorization=given)
        assert (answer.status, answer.body) == (401, LOCKED)
    assert (gate.opened, gate.data.asked) == (0, [])

    for _ in range(2):
        answer = gate.ask("/.emulator/dashboard/overview", authorization="bearer secret")
        assert (answer.status, answer.body) == (200, b'{"seen":true}\n')
    assert gate.opened == 1
    refused = gate.ask("/.emulator/dashboard/nothing")
    assert (refused.status, refused.body) == (404, b'{"error":"there is nothing"}\n')


@pytest.mark.parametrize("path", ["/", "/script.js", "/.emulator/dashboard/overview"])
def test_no_other_host_and_no_other_origin_is_served(path: str) -> None:
    gate = Gate()

    rebound = gate.ask(path, host="example.com:8000")
    foreign = gate.ask(path, origin="http://127.0.0.1:9000")
    named = gate.ask(path, origin="null")

    assert rebound.status == 403
    assert rebound.body == (
        b'{"error":"the host `example.com:8000` is not this machine\'s own;'
        b' use 127.0.0.1 or localhost"}\n'
    )
    assert (foreign.status, foreign.body) == (403, STRANGER)
    assert (named.status, named.body) == (403, STRANGER)
    assert gate.ask(path, origin=f"http://{HOST}").status == 200
    assert gate.data.asked == (["GET " + path] if path.startswith("/.") else [])


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_scripts_of_other_sites_are_refused_and_links_are_not(site: str) -> None:
    gate = Gate()

    for path in ("/.emulator/dashboard/overview", "/.emulator/faults", "/script.js"):
        assert gate.ask(path, sec_fetch_site=site).status == 403
        assert gate.ask(path, sec_fetch_site="same-origin").status == 200
    assert gate.ask("/", sec_fetch_site=site).status == 200


def test_a_change_needs_the_content_type_that_no_form_has() -> None:
    gate = Gate()

    refused = gate.ask("/.emulator/faults", "POST", content_type="text/plain")
    taken = gate.ask("/.emulator/faults", "POST", content_type="application/json; charset=utf-8")

    assert (refused.status, taken.status) == (415, 200)
    assert gate.data.asked == ["POST /.emulator/faults"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/.emulator/dashboard", "text/html; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/script.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
    ],
)
def test_the_page_itself_holds_nothing_and_needs_no_token(path: str, kind: str) -> None:
    gate = Gate()

    answer = gate.ask(path, authorization="")
    head = gate.ask(path, "HEAD", authorization="")

    assert (answer.status, dict(answer.headers)["Content-Type"]) == (200, kind)
    assert answer.body
    assert (head.status, head.body) == (200, b"")
    assert gate.opened == 0


def test_the_page_itself_cannot_be_changed() -> None:
    answer = Gate().ask("/", "POST", content_type="application/json")

    assert (answer.status, answer.body) == (
        405,
        b'{"error":"`POST` is none of GET and HEAD"}\n',
    )


@pytest.mark.parametrize(
    "path", ["/../gate.py", "/gate.py", "/page/page.html", "/%2e%2e/gate.py", "/nothing", "//"]
)
def test_no_other_file_can_be_had(path: str) -> None:
    answer = Gate().ask(path)

    assert answer.status == 404
    assert answer.body == b'{"error":"there is no `%b`; the page is at `/`"}\n' % path.encode()


def test_every_answer_tells_the_browser_to_be_careful() -> None:
    gate = Gate()
    answers = [
        gate.ask("/"),
        gate.ask("/script.js"),
        gate.ask("/.emulator/dashboard/overview"),
        gate.ask("/.emulator/dashboard/overview", authorization=""),
        gate.ask("/", host="example.com"),
    ]

    for answer in answers:
        headers = {name.lower(): value for name, value in answer.headers}
        assert headers["content-security-policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert not any(name.startswith("access-control") for name in headers)
        assert "set-cookie" not in headers
