"""The ports of earlier times: asked for again, and known to nodes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from runner.emulator.server.listener import ListenError, open_listener, open_listener_again
from runner.emulator.server.ports import note_port, read_ports
from runner.emulator.storage.error import DataError


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def test_ports_are_remembered_in_order(tmp_path: Path) -> None:
    assert read_ports(tmp_path) == ()
    for port in (4000, 4000, 5000, 4000):
        note_port(tmp_path, port)
    assert read_ports(tmp_path) == (4000, 5000, 4000)


def test_what_is_no_port_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "ports").write_text("70000\nabc\n-1\n8080\n")
    assert read_ports(tmp_path) == (8080,)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "ports").mkdir()
    with pytest.raises(DataError, match=str(tmp_path / "ports")):
        read_ports(tmp_path)


def test_the_last_port_is_taken_again_where_it_is_free() -> None:
    with open_listener("127.0.0.1", 0) as first:
        port = _port(first)
        with open_listener_again("127.0.0.1", 0, (1, port)) as second:
            assert _port(second) != port
    with open_listener_again("127.0.0.1", 0, (1, port)) as again:
        assert _port(again) == port


def test_a_port_that_is_asked_for_is_the_only_one() -> None:
    with open_listener("127.0.0.1", 0) as taken:
        port = _port(taken)
        with pytest.raises(ListenError, match=f"port {port} on 127.0.0.1 is in use"):
            open_listener_again("127.0.0.1", port, (port,))
