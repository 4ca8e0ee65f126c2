"""Which way a request goes: what the environment says of proxies and of whom to trust."""

from __future__ import annotations

import base64
import os
import socket
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.rest import HttpRequest

from runner.errors import UsageError
from runner.remote.connections.routes import Routes, read_origin
from runner.remote.endurance import Patience
from runner.remote.transport import DirectTransport

PROXY = "http://proxy.corp:3128"


@pytest.mark.parametrize(
    ("url", "environ", "port"),
    [
        ("https://a.blob.core.windows.net", {"HTTPS_PROXY": PROXY}, 3128),
        (
            "https://a.blob.core.windows.net",
            {"https_proxy": "proxy.corp", "HTTPS_PROXY": PROXY},
            80,
        ),
        ("https://a.example", {"ALL_PROXY": PROXY}, 3128),
        ("https://a.example", {"HTTP_PROXY": PROXY}, None),
        ("https://a.example", {"HTTPS_PROXY": ""}, None),
        ("https://a.example", {"HTTPS_PROXY": PROXY, "https_proxy": ""}, None),
        ("https://a.example", {"https_proxy": PROXY, "HTTPS_PROXY": ""}, 3128),
        ("http://a.example", {"HTTP_PROXY": PROXY}, 3128),
        ("http://a.example", {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, None),
        ("https://a.b.example", {"HTTPS_PROXY": PROXY, "NO_PROXY": "x, b.example"}, None),
        ("https://a.b.example", {"HTTPS_PROXY": PROXY, "NO_PROXY": ".b.example"}, None),
        ("https://a.b.example", {"HTTPS_PROXY": PROXY, "no_proxy": "*.example:443"}, None),
        ("https://ab.example", {"HTTPS_PROXY": PROXY, "NO_PROXY": "b.example"}, 3128),
        ("https://a.example", {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, None),
        ("https://10.1.2.3", {"HTTPS_PROXY": PROXY, "NO_PROXY": "10.0.0.0/8"}, None),
        ("https://10.1.2.3", {"HTTPS_PROXY": PROXY, "NO_PROXY": "10.1.2.4,x"}, 3128),
        ("http://127.0.0.1:1", {"HTTP_PROXY": PROXY}, None),
        ("http://[::1]:1", {"HTTP_PROXY": PROXY}, None),
        ("http://acct.localhost:1", {"HTTP_PROXY": PROXY}, None),
    ],
)
def test_proxies_are_those_of_the_environment(
    url: str, environ: Mapping[str, str], port: int | None
) -> None:
    proxy = Routes(environ).find_proxy(read_origin(url))

    assert (None if proxy is None else proxy.origin.port) == port


def test_what_a_proxy_is_told_is_in_no_representation() -> None:
    proxy = Routes({"HTTPS_PROXY": "http://me:p%40ss@proxy"}).find_proxy(read_origin("https://a.b"))

    assert proxy is not None
    who = base64.b64encode(b"me:p@ss").decode()
    assert proxy.fields == {"Proxy-Authorization": f"Basic {who}"}
    assert who not in repr(proxy)
    assert "p%40ss" not in repr(proxy)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        (
            {"HTTPS_PROXY": "http://:8080"},
            "HTTPS_PROXY is malformed: it must be a URL such as `http://proxy.example.com:8080`",
        ),
        (
            {"HTTPS_PROXY": "http://me:secret@[::1:8080"},
            "HTTPS_PROXY is malformed: it must be a URL such as `http://proxy.example.com:8080`",
        ),
        (
            {"HTTPS_PROXY": "http://me:secret@proxy:x"},
            "HTTPS_PROXY is malformed: it must be a URL such as `http://proxy.example.com:8080`",
        ),
        (
            {"HTTPS_PROXY": "socks5://me:secret@proxy:1080"},
            "HTTPS_PROXY names a proxy that is asked by `socks5`",
        ),
        (
            {"HTTPS_PROXY": "https://me:secret@proxy:3129"},
            "HTTPS_PROXY names a proxy that is asked by `https`",
        ),
    ],
)
def test_a_proxy_that_cannot_be_asked_is_refused(environ: Mapping[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Routes(environ).find_proxy(read_origin("https://a.b"))

    assert caught.value.message == message


def test_a_bundle_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing, odd = tmp_path / "missing.pem", tmp_path / "odd.pem"
    odd.write_text("no certificate")

    for path in (missing, odd):
        with pytest.raises(UsageError) as caught:
            _ = Routes({"CURL_CA_BUNDLE": os.fspath(path)}).trust
        assert caught.value.message.startswith(
            "CURL_CA_BUNDLE names no certificates that can be read: "
        )


def ask_through_proxy(url: str, answer: bytes, *, user: str = "") -> tuple[bytes, object]:
    """What a proxy is sent for a request, and what comes of its answer."""
    received = b""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            nonlocal received
            connection, _ = listening.accept()
            with connection:
                while not received.endswith(b"\r\n\r\n"):
                    received += connection.recv(65_536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        at = f"http://{user}127.0.0.1:{listening.getsockname()[1]}"
        routes = Routes({"HTTP_PROXY": at, "HTTPS_PROXY": at})
        outcome: object
        with DirectTransport(routes, Patience()) as transport:
            try:
                outcome = transport.send(HttpRequest("GET", url)).status_code
            except ServiceRequestError as error:
                outcome = error.message
        thread.join()
    return received, outcome


def test_a_proxy_is_asked_for_the_whole_url() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    received, outcome = ask_through_proxy("http://a.example/b?c", answer, user="me:secret@")

    assert received.startswith(b"GET http://a.example/b?c HTTP/1.1\r\nHost: a.example\r\n")
    assert b"\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n" in received
    assert outcome == 200


def test_a_proxy_that_opens_no_tunnel_is_heard() -> None:
    answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    received, outcome = ask_through_proxy("https://a.example/b", answer, user="me:secret@")

    assert received.startswith(b"CONNECT a.example:443 HTTP/1.")
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" in received
    assert outcome == "Tunnel connection failed: 407 Proxy Authentication Required"
