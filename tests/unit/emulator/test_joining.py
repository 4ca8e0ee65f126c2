"""What nodes are given of the emulator's own storage: what it allows, and nothing past faults."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from runner.emulator.batch.node.near import read_small, write_incoming
from runner.emulator.blob.direct import Direct
from runner.emulator.joining import OwnStorage
from tests.unit.emulator.blob.access.test_signatures import service_query
from tests.unit.emulator.blob.wire import Wire

BOX = "http://127.0.0.1:8080/localstorage/box"
ALL = service_query("box", sr="c", sp="rwl")
DIGEST = hashlib.md5(b"content").digest()


@pytest.fixture
def wire(tmp_path: Path) -> Wire:
    wire = Wire(directory=tmp_path)
    wire.ask("PUT", "/localstorage/box", "restype=container")
    return wire


def join(wire: Wire, *, wants_requests: bool = False) -> OwnStorage:
    direct = Direct({"localstorage": wire.service}, origin="http://127.0.0.1:8080")
    return OwnStorage(direct, wants_requests=lambda: wants_requests)


def test_contents_come_and_go(wire: Wire) -> None:
    own = join(wire)
    assert own.serves(f"{BOX}/a?{ALL}")
    assert own.put(f"{BOX}/a?{ALL}", {}, b"content", DIGEST)
    incoming = own.begin(f"{BOX}/b?{ALL}", {}, 7)
    assert incoming is not None
    assert incoming.commit(write_incoming(incoming, [b"cont", b"ent"]))
    assert own.list_names(f"{BOX}?{ALL}", "") == ("a", "b")
    assert own.write_out()
    for name in ("a", "b"):
        assert wire.ask("GET", f"/localstorage/box/{name}").body == b"content"
        held = own.hold(f"{BOX}/{name}?{ALL}")
        assert held is not None
        assert (read_small(held), held.md5) == (b"content", DIGEST)
        held.release()
    dropped = own.begin(f"{BOX}/c?{ALL}", {}, 7)
    assert dropped is not None
    dropped.drop()
    assert own.hold(f"{BOX}/c?{ALL}") is None


@pytest.mark.parametrize(
    "url",
    [
        f"{BOX}/a?{service_query('box', sr='c', sp='d')}",
        f"{BOX}/a",
        f"{BOX.replace('box', 'none')}/a?{ALL}",
        f"{BOX.replace('8080', '8081')}/a?{ALL}",
        f"{BOX.replace('localstorage', 'other')}/a?{ALL}",
        "https://localstorage.blob.core.windows.net/box/a",
        "no URL",
    ],
)
def test_what_is_not_allowed_is_left_to_http(wire: Wire, url: str) -> None:
    join(wire).put(f"{BOX}/a?{ALL}", {}, b"before", hashlib.md5(b"before").digest())
    own = join(wire)
    assert own.hold(url) is None
    assert own.list_names(url, "") is None
    assert own.begin(url, {}, 7) is None
    assert not own.put(url, {}, b"content", DIGEST)
    assert wire.ask("GET", "/localstorage/box/a").body == b"before"


def test_what_is_refused_at_the_end_is_left_to_http(wire: Wire) -> None:
    own = join(wire)
    incoming = own.begin(f"{BOX}/a?{ALL}", {}, 7)
    assert incoming is not None
    wire.ask("DELETE", "/localstorage/box", "restype=container")
    assert not incoming.commit(write_incoming(incoming, [b"content"]))


def test_where_requests_are_wanted_there_is_nothing(wire: Wire) -> None:
    join(wire).put(f"{BOX}/a?{ALL}", {}, b"content", DIGEST)
    own, url = join(wire, wants_requests=True), f"{BOX}/a?{ALL}"
    assert not own.serves(url)
    assert own.hold(url) is None
    assert own.list_names(f"{BOX}?{ALL}", "") is None
    assert own.begin(url, {}, 7) is None
    assert not own.put(url, {}, b"content", DIGEST)
