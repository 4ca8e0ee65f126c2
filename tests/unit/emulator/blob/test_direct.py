"""Blobs without HTTP: allowed, refused and kept exactly as with it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from runner.emulator.blob.core.contents import SMALL_BYTES
from runner.emulator.blob.core.refusals import RefusedError
from runner.emulator.blob.direct import Direct, Incoming, Stretch
from runner.emulator.blob.service import BlobService
from tests.unit.emulator.blob.access.test_signatures import service_query
from tests.unit.emulator.blob.wire import ACCOUNT, START, Wire, make_request, sign_request

ORIGIN = "http://127.0.0.1:8080"
BOX = f"{ORIGIN}/localstorage/box"
ALL = service_query("box", sr="c", sp="rwl")
HEADERS = {"Content-Type": "application/octet-stream", "x-ms-meta-Made": "here"}


@pytest.fixture
def direct(wire: Wire) -> Direct:
    """The wire's service, which also was served at port 7070 once."""
    return Direct({"localstorage": wire.service}, origin=ORIGIN, former_ports=(7070,))


def read_stretch(stretch: Stretch) -> bytes:
    with Path(stretch.path).open("rb") as file:
        return os.pread(file.fileno(), stretch.size_bytes, stretch.offset)


def read(direct: Direct, url: str) -> bytes:
    held = direct.hold(url)
    assert held is not None
    try:
        content = b"".join(map(read_stretch, held.stretches))
    finally:
        held.release()
    assert len(content) == held.size_bytes
    return content


def begin(direct: Direct, url: str, content: bytes, **headers: str) -> Incoming:
    incoming = direct.begin(url, {**HEADERS, **headers}, len(content))
    assert incoming is not None
    if content:
        file = os.open(incoming.path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(file, content, incoming.offset)
        os.close(file)
    return incoming


def put(direct: Direct, url: str, content: bytes, **headers: str) -> None:
    direct.commit(begin(direct, url, content, **headers), hashlib.md5(content).digest())


def refusal(ask: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(RefusedError) as caught:
        ask()
    return caught.value.refusal.status, caught.value.refusal.code


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("content", [b"", b"content", bytes(200_000), bytes(300_000)])
def test_a_blob_is_the_same_whichever_way_it_came(
    wire: Wire, direct: Direct, content: bytes, *, at_once: bool
) -> None:
    url = f"{BOX}/direct?{ALL}"
    if at_once and len(content) <= SMALL_BYTES:
        assert direct.put(url, HEADERS, content, hashlib.md5(content).digest())
    else:
        put(direct, url, content)
    sent = {name.lower(): value for name, value in HEADERS.items()}
    sent["x-ms-blob-type"] = "BlockBlob"
    wire.ask("PUT", "/localstorage/box/sent", ALL, headers=sent, body=content, signed=False)

    found = [wire.ask("GET", f"/localstorage/box/{name}") for name in ("direct", "sent")]

    assert [answer.body for answer in found] == [content, content]
    for answer in found:
        for name in ("etag", "x-ms-request-id"):
            del answer.headers[name]
    assert found[0].headers == found[1].headers
    listed = wire.ask("GET", "/localstorage/box", "restype=container&comp=list&include=metadata")
    assert len(set(listed.texts("Blobs/Blob/Properties/Content-MD5"))) == 1
    assert listed.texts("Blobs/Blob/Properties/Content-Length") == [str(len(content))] * 2


def test_what_is_held_stays_and_then_goes(wire: Wire, direct: Direct) -> None:
    wire.put("a b", b"first")
    url = f"{BOX}/a%20b?{ALL}"
    held = direct.hold(url)
    assert held is not None

    put(direct, url, b"second")
    (stretch,) = held.stretches
    assert read_stretch(stretch) == b"first"
    assert held.md5 == hashlib.md5(b"first").digest()
    held.release()

    assert read(direct, url) == b"second"
    assert read(direct, url.replace(":8080", ":7070").replace("a%20b", "a b")) == b"second"
    assert (
        read(
            direct,
            url.replace("127.0.0.1:8080/", "localstorage.blob.localhost:8080/").replace(
                "localhost:8080/localstorage", "localhost:8080"
            ),
        )
        == b"second"
    )
    assert wire.files() == 1


def test_what_grew_is_held_as_it_was(wire: Wire, direct: Direct) -> None:
    appending = {"x-ms-blob-type": "AppendBlob"}
    wire.ask("PUT", "/localstorage/box/log", headers=appending)
    wire.ask("PUT", "/localstorage/box/log", "comp=appendblock", body=b"one,")
    held = direct.hold(f"{BOX}/log?{ALL}")
    assert held is not None
    wire.ask("PUT", "/localstorage/box/log", "comp=appendblock", body=b"two")

    assert (held.size_bytes, held.md5) == (4, None)
    assert read(direct, f"{BOX}/log?{ALL}") == b"one,two"
    held.release()


def test_blocks_come_directly_too(wire: Wire, direct: Direct) -> None:
    for block_id, content in (("AAAA", b"one,"), ("AAAB", b"two")):
        put(direct, f"{BOX}/large?{ALL}&comp=block&blockid={block_id}", content)
    entries = "<BlockList><Latest>AAAA</Latest><Latest>AAAB</Latest></BlockList>"
    wire.ask("PUT", "/localstorage/box/large", "comp=blocklist", body=entries.encode())

    assert read(direct, f"{BOX}/large?{ALL}") == b"one,two"


def test_names_are_listed_by_prefix(wire: Wire, direct: Direct) -> None:
    for name in ("b", "a/2", "a/1", "a"):
        wire.put(name)

    assert direct.list_names(f"{BOX}?{ALL}", "a/") == ("a/1", "a/2")
    assert direct.list_names(f"{BOX}?{ALL}", "") == ("a", "a/1", "a/2", "b")
    assert direct.list_names(f"{BOX}?{ALL}", "c") == ()


@pytest.mark.parametrize(
    "query",
    [
        "",
        service_query("box", sr="c", sp="w"),
        service_query("box", sr="c", sp="r", se="2026-03-04T05:00:00Z"),
        service_query("box", sr="c", sp="r", spr="https"),
        service_query("box", sr="c", sp="r", sip="10.0.0.1"),
        service_query("other", sr="c", sp="r"),
        ALL.replace("sig=", "sig=AA"),
    ],
)
@pytest.mark.parametrize("name", ["a", "missing"])
def test_reading_is_refused_as_on_http(wire: Wire, direct: Direct, query: str, name: str) -> None:
    wire.put("a")
    answer = wire.ask("GET", f"/localstorage/box/{name}", query, signed=False)
    assert answer.status >= 400

    told = refusal(lambda: direct.hold(f"{BOX}/{name}?{query}"))

    assert told == (answer.status, answer.code)


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        (service_query("box", sr="c", sp="r"), {}),
        (service_query("box", sr="c", sp="c"), {}),
        (ALL, {"If-None-Match": "*"}),
        (ALL, {"If-Match": '"0x1"'}),
        (ALL, {"x-ms-lease-id": "2dbb7b10-16b1-4a1e-b9f8-5ea1d4e5f5ec"}),
        (ALL, {"x-ms-meta-1": "no name"}),
        (ALL, {"x-ms-tags": "a=b"}),
        (ALL, {"x-ms-blob-type": "AppendBlob"}),
        (ALL, {"x-ms-encryption-scope": "mine"}),
        (ALL, {"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}),
    ],
)
def test_writing_is_refused_as_on_http_and_leaves_nothing(
    wire: Wire, direct: Direct, query: str, headers: dict[str, str]
) -> None:
    wire.put("a", b"old")
    lowered = {name.lower(): value for name, value in headers.items()}
    sent = {"x-ms-blob-type": "BlockBlob", **lowered}
    answer = wire.ask("PUT", "/localstorage/box/a", query, headers=sent, body=b"new", signed=False)
    assert answer.status >= 400

    url, md5 = f"{BOX}/a?{query}", hashlib.md5(b"new").digest()
    told = refusal(lambda: put(direct, url, b"new", **headers))
    told_at_once = refusal(lambda: direct.put(url, {**HEADERS, **headers}, b"new", md5))

    assert told == told_at_once == (answer.status, answer.code)
    assert wire.files() == 1
    assert wire.ask("GET", "/localstorage/box/a").body == b"old"


def test_what_changes_meanwhile_refuses_what_was_begun(wire: Wire, direct: Direct) -> None:
    incoming = begin(direct, f"{BOX}/a?{ALL}", b"new")
    wire.ask("DELETE", "/localstorage/box", "restype=container")

    told = refusal(lambda: direct.commit(incoming, hashlib.md5(b"new").digest()))

    assert told == (404, "ContainerNotFound")
    assert wire.files() == 0


def test_what_does_not_come_leaves_nothing(wire: Wire, direct: Direct) -> None:
    direct.drop(begin(direct, f"{BOX}/a?{ALL}", b"half"))
    unwritten = direct.begin(f"{BOX}/b?{ALL}", {}, 7)
    assert unwritten is not None
    direct.drop(unwritten)

    assert wire.files() == 0


@pytest.mark.parametrize(
    "url",
    [
        f"{ORIGIN}/elsewhere/box/a",
        "http://127.0.0.1:9090/localstorage/box/a",
        "https://127.0.0.1:8080/localstorage/box/a",
        "http://example.org:8080/localstorage/box/a",
        "http://user@127.0.0.1:8080/localstorage/box/a",
        "http://[bad/localstorage/box/a",
        "ftp://127.0.0.1:8080/localstorage/box/a",
        "not a URL",
    ],
)
def test_other_urls_are_left_to_http(direct: Direct, url: str) -> None:
    assert direct.serves(f"{BOX}/a")
    assert not direct.serves(url)
    assert not direct.put(f"{url}?{ALL}", {}, b"", b"")
    assert direct.hold(f"{url}?{ALL}") is None
    assert direct.begin(f"{url}?{ALL}", {}, 3) is None
    assert direct.list_names(f"{url}?{ALL}", "") is None


def test_other_operations_are_left_to_http(wire: Wire, direct: Direct) -> None:
    wire.put("a")
    assert direct.hold(f"{BOX}/a?{ALL}&comp=metadata") is None
    copying = {"x-ms-copy-source": "http://example.org/"}
    assert direct.begin(f"{BOX}/a?{ALL}", copying, 0) is None
    assert direct.begin(f"{BOX}/a?{ALL}&comp=blocklist", {}, 10) is None


def open_kept(directory: Path) -> BlobService:
    return BlobService(
        account=ACCOUNT,
        endpoint=f"{ORIGIN}/localstorage",
        directory=directory,
        clock=lambda: START,
        keep=True,
    )


async def make_box(service: BlobService) -> Direct:
    made = sign_request(make_request("PUT", "/box", "restype=container", headers={}), START)
    assert (await service.answer_part(made, "/box")).status == 201
    return Direct({"localstorage": service}, origin=ORIGIN)


def is_on_disk(direct: Direct, name: str) -> bool:
    held = direct.hold(f"{BOX}/{name}?{ALL}")
    assert held is not None
    held.release()
    return held.is_on_disk


def test_records_are_on_disk_once_written_out(tmp_path: Path) -> None:
    async def make() -> None:
        direct = await make_box(open_kept(tmp_path))
        put(direct, f"{BOX}/a?{ALL}", b"content")
        assert not is_on_disk(direct, "a")
        assert direct.write_out()
        assert is_on_disk(direct, "a")
        # Not closed: killed, as it were.

    async def look() -> None:
        with closing(open_kept(tmp_path)) as service:
            assert read(Direct({"localstorage": service}, origin=ORIGIN), f"{BOX}/a?{ALL}")

    asyncio.run(make())
    asyncio.run(look())


def test_what_many_tasks_put_is_one_transaction(tmp_path: Path) -> None:
    seen: list[str] = []

    async def make() -> None:
        with closing(open_kept(tmp_path)) as service:
            direct = await make_box(service)
            assert service._journal is not None
            connection = service._journal._database._connection
            connection.set_trace_callback(lambda text: seen.append(text.split()[0]))
            for name in "abc":
                at_once(direct, f"{BOX}/{name}?{ALL}")
                # As between two tasks: a turn of the loop.
                await asyncio.sleep(0)
            assert seen == []
            assert direct.write_out()
            connection.set_trace_callback(None)

    asyncio.run(make())
    # A statement by itself is a transaction.
    assert seen == ["INSERT"]


def test_what_cannot_be_written_out_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.db"

    async def make() -> None:
        with closing(open_kept(tmp_path)) as service:
            direct = await make_box(service)
            assert service._journal is not None
            service._journal._database._connection.execute("PRAGMA busy_timeout = 0")
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                at_once(direct, f"{BOX}/a?{ALL}")
                assert not direct.write_out()
                assert not is_on_disk(direct, "a")
                other.execute("ROLLBACK")
            assert direct.write_out()
            assert is_on_disk(direct, "a")

    with caplog.at_level(logging.ERROR):
        asyncio.run(make())
    assert caplog.messages == [f"{path} cannot be written: database is locked"]


def at_once(
    direct: Direct, url: str, content: bytes = b"content", more: tuple[tuple[str, str], ...] = ()
) -> None:
    assert direct.put(url, {**HEADERS, **dict(more)}, content, hashlib.md5(content).digest())


def test_what_was_admitted_once_is_looked_at_each_time(wire: Wire, direct: Direct) -> None:
    at_once(direct, f"{BOX}/a/1?{ALL}")
    at_once(direct, f"{BOX}/a/2?{ALL}", b"")
    assert read(direct, f"{BOX}/a/1?{ALL}") == b"content"
    assert read(direct, f"{BOX}/a/2?{ALL}") == b""
    absent = refusal(lambda: direct.hold(f"{BOX}/a/3?{ALL}"))
    too_long = refusal(lambda: at_once(direct, f"{BOX}/{'n' * 1025}?{ALL}"))
    wire.ask("DELETE", "/localstorage/box", "restype=container")
    without_container = refusal(lambda: at_once(direct, f"{BOX}/a/3?{ALL}"))
    wire.now = START + timedelta(days=365)
    expired = refusal(lambda: at_once(direct, f"{BOX}/a/4?{ALL}"))
    unreadable = refusal(lambda: direct.hold(f"{BOX}/a/1?{ALL}"))

    assert absent == (404, "BlobNotFound")
    assert too_long == (400, "OutOfRangeInput")
    assert without_container == (404, "ContainerNotFound")
    assert expired == unreadable == (403, "AuthenticationFailed")


def test_what_is_of_one_blob_admits_no_other(wire: Wire, direct: Direct) -> None:
    query = service_query("box/a", sr="b", sp="rw")
    at_once(direct, f"{BOX}/a?{query}")
    at_once(direct, f"{BOX}/a?{query}", b"again")
    assert read(direct, f"{BOX}/a?{query}") == b"again"

    denied = refusal(lambda: at_once(direct, f"{BOX}/b?{query}"))
    unread = refusal(lambda: direct.hold(f"{BOX}/b?{query}"))

    assert denied == unread == (403, "AuthenticationFailed")


def test_what_is_asked_beside_the_name_is_never_taken_for_known(wire: Wire, direct: Direct) -> None:
    creating = service_query("box", sr="c", sp="c")
    at_once(direct, f"{BOX}/a?{creating}", more=(("x-ms-meta-Made", "first"),))
    at_once(direct, f"{BOX}/b?{creating}", more=(("x-ms-meta-Made", "second"),))
    replaced = refusal(lambda: at_once(direct, f"{BOX}/a?{creating}"))
    unread = refusal(lambda: direct.hold(f"{BOX}/a?{creating}"))
    at_once(direct, f"{BOX}/a%25b?{ALL}")
    at_once(direct, f"{BOX}/a%2Fb?{ALL}")
    only_new = refusal(lambda: at_once(direct, f"{BOX}/a?{ALL}", more=(("If-None-Match", "*"),)))

    assert replaced == (403, "UnauthorizedBlobOverwrite")
    assert unread == (403, "AuthorizationPermissionMismatch")
    assert only_new == (409, "BlobAlreadyExists")
    made = [wire.ask("GET", f"/localstorage/box/{name}").headers["x-ms-meta-made"] for name in "ab"]
    assert made == ["first", "second"]
    listed = wire.ask("GET", "/localstorage/box", "restype=container&comp=list")
    assert listed.texts("Blobs/Blob/Name") == ["a", "a%b", "a/b", "b"]


def test_a_policy_is_looked_at_anew(wire: Wire, direct: Direct) -> None:
    def declare(permission: str) -> None:
        document = (
            "<SignedIdentifiers><SignedIdentifier><Id>p</Id><AccessPolicy>"
            f"<Expiry>2026-03-04T06:00:00Z</Expiry><Permission>{permission}</Permission>"
            "</AccessPolicy></SignedIdentifier></SignedIdentifiers>"
        )
        answer = wire.ask(
            "PUT", "/localstorage/box", "restype=container&comp=acl", body=document.encode()
        )
        assert answer.status == 200

    query = service_query("box", sr="c", si="p", se="")
    declare("rw")
    at_once(direct, f"{BOX}/a?{query}")
    at_once(direct, f"{BOX}/b?{query}")
    assert read(direct, f"{BOX}/a?{query}") == b"content"
    declare("r")
    assert read(direct, f"{BOX}/b?{query}") == b"content"
    told = refusal(lambda: at_once(direct, f"{BOX}/c?{query}"))
    declare("c")
    replaced = refusal(lambda: at_once(direct, f"{BOX}/a?{query}"))

    assert told == (403, "AuthorizationPermissionMismatch")
    assert replaced == (403, "UnauthorizedBlobOverwrite")


def test_what_is_like_what_was_admitted_takes_few_calls(wire: Wire, direct: Direct) -> None:
    """Thousands of outputs differ in their names alone."""
    md5 = hashlib.md5(b"content").digest()
    urls = [f"{BOX}/{number:03}/out?{ALL}" for number in range(21)]
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    assert direct.put(urls[0], HEADERS, b"content", md5)
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        for url in urls[1:]:
            direct.put(url, HEADERS, b"content", md5)
    finally:
        sys.setprofile(before)

    assert calls / 20 <= 60
    assert [read(direct, url) for url in urls] == [b"content"] * 21
