"""Reaching an endpoint tells at which step it fails."""

from __future__ import annotations

import socket
from datetime import datetime, timezone

import pytest

from runner.errors import ServiceUnreachableError
from runner.remote.examination.contact import reach
from runner.run.diagnosis.answers import Contact
from tests.fakes.services import NOW
from tests.unit.remote.stub import Canned, Stub


def reach_it(endpoint: str, **environ: str) -> Contact:
    return reach(endpoint, environ=environ, now=lambda: NOW, seconds=5)


def test_whatever_it_answers_counts(stub: Stub) -> None:
    stub.answer(Canned(status=403))
    found = reach_it(stub.endpoint)
    assert (found.addresses, found.proxy, found.tls, found.at) == (("127.0.0.1",), None, None, NOW)
    assert found.date is not None
    assert found.date.tzinfo is timezone.utc
    assert isinstance(found.date, datetime)
    assert [seen.path for seen in stub.seen] == ["/acct"]


def test_nothing_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(ServiceUnreachableError) as raised:
            reach_it(f"http://127.0.0.1:{port}")
    assert raised.value.message == f"no connection to 127.0.0.1:{port}: connection refused"


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(ServiceUnreachableError) as raised:
        reach_it("https://nobody.invalid")
    assert raised.value.message.startswith("the name `nobody.invalid` has no address (DNS): ")


def test_a_proxy_that_does_not_answer() -> None:
    with pytest.raises(ServiceUnreachableError) as raised:
        reach_it("https://nobody.invalid", HTTPS_PROXY="http://127.0.0.1:9")
    assert raised.value.message.startswith(
        "no connection to nobody.invalid by the proxy 127.0.0.1:9: "
    )
    assert raised.value.hint is not None
    assert "HTTPS_PROXY" in raised.value.hint


def test_by_a_proxy_nobody_looks_the_name_up(stub: Stub) -> None:
    stub.answer(Canned(status=200))
    proxy = f"http://127.0.0.1:{stub.port}"
    found = reach_it("http://nobody.invalid", HTTP_PROXY=proxy)
    assert (found.addresses, found.proxy) == ((), f"127.0.0.1:{stub.port}")
