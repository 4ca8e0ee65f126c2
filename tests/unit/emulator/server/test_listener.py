"""The port is opened on loopback, or a line says why not."""

from __future__ import annotations

import pytest

from runner.emulator.server.listener import ListenError, format_origin, open_listener


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_a_free_port_is_found(host: str) -> None:
    with open_listener(host, 0) as listener:
        address, port = listener.getsockname()

    assert port > 0
    assert address == ("127.0.0.1" if host == "localhost" else host)


def test_an_ipv6_address_stands_in_brackets() -> None:
    try:
        listener = open_listener("::1", 0)
    except ListenError:
        pytest.skip("no IPv6 on this machine")
    with listener:
        port = listener.getsockname()[1]
        assert format_origin(listener) == f"http://[::1]:{port}"
        assert format_origin(listener, "::1") == f"https://[::1]:{port}"


def test_the_origin_has_the_host_of_the_certificate() -> None:
    with open_listener("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert format_origin(listener) == f"http://127.0.0.1:{port}"
        assert format_origin(listener, "localhost") == f"https://localhost:{port}"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_an_address_of_the_network_is_refused(host: str) -> None:
    with pytest.raises(ListenError) as refused:
        open_listener(host, 0)

    assert str(refused.value) == (
        f"`{host}` is not a loopback address: whoever reaches the emulator can run commands as "
        "you, so it listens on 127.0.0.0/8 or ::1 only"
    )


def test_a_name_is_refused() -> None:
    with pytest.raises(ListenError) as refused:
        open_listener("example.org", 0)

    assert str(refused.value) == "`example.org` is not an IP address nor `localhost`"


def test_a_port_in_use_is_named() -> None:
    with open_listener("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ListenError) as refused:
            open_listener("127.0.0.1", port)

    assert str(refused.value) == f"port {port} on 127.0.0.1 is in use"


def test_a_port_that_cannot_be_is_refused() -> None:
    with pytest.raises(ListenError) as refused:
        open_listener("127.0.0.1", 70_000)

    assert str(refused.value) == "port 70000 is not between 0 and 65535"
