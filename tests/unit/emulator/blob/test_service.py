"""Operations and refusals of the Blob service, as they are on the wire."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, unquote
from xml.etree import ElementTree as ET

import pytest

from runner.emulator.blob.core.contents import SMALL_BYTES
from runner.emulator.blob.service import BlobService
from runner.emulator.storage.database import StorageError
from tests.unit.emulator.blob.wire import (
    ACCOUNT,
    START,
    Answer,
    Wire,
    make_request,
    read_answer,
    sign_request,
)


def test_an_answer_that_cannot_be_given_holds_no_content(tmp_path: Path) -> None:
    large = bytes(SMALL_BYTES + 1)

    async def work() -> None:
        service = BlobService(
            account=ACCOUNT,
            endpoint="http://127.0.0.1:1/localstorage",
            directory=tmp_path,
            clock=lambda: START,
            keep=True,
        )

        async def ask(method: str, path: str, query: str = "", body: bytes = b"") -> Answer:
            headers = {"x-ms-blob-type": "BlockBlob"}
            request = make_request(method, path, query, headers=headers, body=body, scheme="http")
            return await read_answer(await service.handle(sign_request(request, START)))

        assert service._journal is not None
        service._journal._database._connection.execute("PRAGMA busy_timeout = 0")
        await ask("PUT", "/localstorage/box", "restype=container")
        await ask("PUT", "/localstorage/box/b", body=large)
        with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageError):
                await ask("PUT", "/localstorage/box/c")
            with pytest.raises(StorageError):
                await ask("GET", "/localstorage/box/b")
            other.execute("ROLLBACK")
        assert (await ask("DELETE", "/localstorage/box/b")).status == 202
        assert list((tmp_path / "contents").iterdir()) == []
        service.close()

    asyncio.run(work())


def test_a_refusal_carries_code_message_request_id_and_time(wire: Wire) -> None:
    answer = wire.ask("GET", "/localstorage/box/none", headers={"x-ms-client-request-id": "mine"})

    request_id = answer.headers["x-ms-request-id"]
    assert answer.status == 404
    assert answer.headers == {
        "content-type": "application/xml",
        "date": "Wed, 04 Mar 2026 05:06:07 GMT",
        "server": "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0",
        "x-ms-client-request-id": "mine",
        "x-ms-error-code": "BlobNotFound",
        "x-ms-request-id": request_id,
        "x-ms-version": "2021-12-02",
    }
    assert answer.body.decode() == (
        '<?xml version="1.0" encoding="utf-8"?><Error><Code>BlobNotFound</Code>'
        f"<Message>The specified blob does not exist.\nRequestId:{request_id}\n"
        "Time:2026-03-04T05:06:07.8900000Z</Message></Error>"
    )


def test_a_refused_head_has_the_code_and_no_body(wire: Wire) -> None:
    answer = wire.ask("HEAD", "/localstorage/box/none")

    assert (answer.status, answer.code, answer.body) == (404, "BlobNotFound", b"")


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "status", "code"),
    [
        ("PUT", "/localstorage/box", "restype=container", {}, 409, "ContainerAlreadyExists"),
        ("PUT", "/localstorage/Box", "restype=container", {}, 400, "InvalidResourceName"),
        ("PUT", "/localstorage/a--b", "restype=container", {}, 400, "InvalidResourceName"),
        ("PUT", "/localstorage/ab", "restype=container", {}, 400, "OutOfRangeInput"),
        ("PUT", f"/localstorage/{'a' * 64}", "restype=container", {}, 400, "OutOfRangeInput"),
        ("GET", "/localstorage/none", "restype=container", {}, 404, "ContainerNotFound"),
        ("DELETE", "/localstorage/none", "restype=container", {}, 404, "ContainerNotFound"),
        ("GET", "/localstorage/none", "restype=container&comp=list", {}, 404, "ContainerNotFound"),
        ("PUT", "/localstorage/none/b", "", {"x-ms-blob-type": "BlockBlob"}, 404,
         "ContainerNotFound"),
        ("PUT", "/localstorage/box/b", "", {}, 400, "MissingRequiredHeader"),
        ("PUT", "/localstorage/box/b", "", {"x-ms-blob-type": "Stone"}, 400,
         "InvalidHeaderValue"),
        ("PUT", "/localstorage/box/b", "", {"x-ms-blob-type": "PageBlob"}, 501, "NotImplemented"),
        ("PUT", f"/localstorage/box/{'n' * 1025}", "", {"x-ms-blob-type": "BlockBlob"}, 400,
         "OutOfRangeInput"),
        ("PUT", "/localstorage/box/%ff", "", {"x-ms-blob-type": "BlockBlob"}, 400, "InvalidUri"),
        ("PUT", "/localstorage/box/b", "", {"x-ms-blob-type": "BlockBlob", "x-ms-meta-a-b": "1"},
         400, "InvalidMetadata"),
        ("PUT", "/localstorage/box/b", "", {"x-ms-blob-type": "BlockBlob", "x-ms-meta-": "1"},
         400, "EmptyMetadataKey"),
        ("PUT", "/localstorage/box/b", "",
         {"x-ms-blob-type": "BlockBlob", "x-ms-meta-a": "v" * 8192}, 400, "MetadataTooLarge"),
        ("PUT", "/localstorage/box/b", "",
         {"x-ms-blob-type": "BlockBlob", "content-md5": "short"}, 400, "InvalidMd5"),
        ("PUT", "/localstorage/box/b", "",
         {"x-ms-blob-type": "BlockBlob", "content-length": "5242880001"}, 413,
         "RequestBodyTooLarge"),
        ("PUT", "/localstorage/box/b", "comp=block", {}, 400, "MissingRequiredQueryParameter"),
        ("PUT", "/localstorage/box/b", "comp=undelete", {}, 501, "NotImplemented"),
        ("PUT", "/localstorage/box/b", "", {"x-ms-copy-source": "http://127.0.0.1:1/localstorage/"
         "box/none"}, 404, "BlobNotFound"),
        ("PUT", "/localstorage/box/b", "", {"x-ms-copy-source": "file:///etc/passwd"}, 400,
         "InvalidHeaderValue"),
        ("GET", "/localstorage/box/b", "snapshot=2026-01-01", {}, 404, "BlobNotFound"),
        ("GET", "/localstorage/box/b", "versionid=2026-01-01", {}, 501, "NotImplemented"),
        ("GET", "/localstorage/box/b", "comp=nothing", {}, 400, "InvalidQueryParameterValue"),
        ("PATCH", "/localstorage/box/b", "", {}, 405, "UnsupportedHttpVerb"),
        ("GET", "/localstorage/box", "restype=container&comp=list&maxresults=0", {}, 400,
         "OutOfRangeQueryParameterValue"),
        ("GET", "/localstorage/box", "restype=container&comp=list&maxresults=x", {}, 400,
         "InvalidQueryParameterValue"),
        ("GET", "/localstorage/box", "restype=container&comp=list&marker=%21", {}, 400,
         "InvalidQueryParameterValue"),
        ("GET", "/localstorage/box", "restype=container", {"x-ms-version": "new"}, 400,
         "InvalidHeaderValue"),
        ("GET", "/localstorage/box", "restype=container", {"x-ms-version": "2020-01-01"}, 400,
         "InvalidHeaderValue"),
        ("PUT", "/localstorage/open", "restype=container", {"x-ms-blob-public-access": "all"},
         400, "InvalidHeaderValue"),
    ],
)  # fmt: skip
def test_refusals(
    wire: Wire,
    method: str,
    path: str,
    query: str,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    answer = wire.ask(method, path, query, headers=headers)

    assert (answer.status, answer.code) == (status, code)
    assert wire.files() == 0


def test_an_operation_that_is_not_there_is_named(wire: Wire) -> None:
    answer = wire.ask("PUT", "/localstorage/box/b", "comp=undelete")

    message = answer.text("Message")
    assert message is not None
    assert message.splitlines()[0] == "The emulator does not implement Undelete Blob."


def test_put_and_get_a_blob(wire: Wire) -> None:
    md5 = base64.b64encode(hashlib.md5(b"some content").digest()).decode()

    put = wire.put(
        "b", b"some content", blob_content_type="text/plain", blob_cache_control="no-store",
        blob_content_encoding="gzip", blob_content_language="de", meta_color="blue",
        blob_content_disposition="inline",
    )  # fmt: skip
    got = wire.ask("GET", "/localstorage/box/b")

    assert put.status == 201
    assert put.headers["content-md5"] == md5
    assert (got.status, got.body) == (200, b"some content")
    for name, value in {
        "accept-ranges": "bytes",
        "cache-control": "no-store",
        "content-disposition": "inline",
        "content-encoding": "gzip",
        "content-language": "de",
        "content-length": "12",
        "content-md5": md5,
        "content-type": "text/plain",
        "etag": put.headers["etag"],
        "last-modified": "Wed, 04 Mar 2026 05:06:07 GMT",
        "x-ms-blob-type": "BlockBlob",
        "x-ms-creation-time": "Wed, 04 Mar 2026 05:06:07 GMT",
        "x-ms-lease-state": "available",
        "x-ms-lease-status": "unlocked",
        "x-ms-meta-color": "blue",
        "x-ms-server-encrypted": "true",
    }.items():
        assert got.headers[name] == value


def test_head_has_the_headers_of_get_and_the_tier(wire: Wire) -> None:
    wire.put("b", b"some content")

    got = wire.ask("GET", "/localstorage/box/b")
    head = wire.ask("HEAD", "/localstorage/box/b")

    volatile = {"x-ms-request-id"}
    assert set(head.headers) - set(got.headers) == {
        "x-ms-access-tier",
        "x-ms-access-tier-inferred",
    }
    for name in set(got.headers) - volatile:
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize("header", ["content-md5", "x-ms-blob-content-md5"])
def test_a_wrong_md5_is_refused_and_leaves_nothing(wire: Wire, header: str) -> None:
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()

    answer = wire.ask(
        "PUT",
        "/localstorage/box/b",
        headers={"x-ms-blob-type": "BlockBlob", header: wrong},
        body=b"content",
    )

    assert (answer.status, answer.code) == (400, "Md5Mismatch")
    assert wire.files() == 0
    assert wire.ask("GET", "/localstorage/box/b").status == 404


def test_replacing_and_deleting_remove_the_old_content(wire: Wire) -> None:
    wire.put("b", b"first")
    wire.put("b", b"second")
    assert wire.files() == 1

    assert wire.ask("DELETE", "/localstorage/box/b").status == 202
    assert wire.files() == 0


def test_deleting_a_container_removes_its_contents_and_blocks(wire: Wire) -> None:
    wire.put("b")
    _put_block(wire, "c", "AAAA", b"block")

    assert wire.ask("DELETE", "/localstorage/box", "restype=container").status == 202
    assert wire.files() == 0
    assert wire.ask("PUT", "/localstorage/box", "restype=container").status == 201


def test_a_deleted_container_can_take_its_time(tmp_path: Path) -> None:
    wire = Wire(directory=tmp_path, delete_delay=timedelta(seconds=30))
    wire.ask("PUT", "/localstorage/box", "restype=container")
    wire.ask("DELETE", "/localstorage/box", "restype=container")

    early = wire.ask("PUT", "/localstorage/box", "restype=container")
    wire.now = START + timedelta(seconds=30)
    late = wire.ask("PUT", "/localstorage/box", "restype=container")

    assert (early.status, early.code) == (409, "ContainerBeingDeleted")
    assert late.status == 201


@pytest.mark.parametrize("size_bytes", [0, 1, 256 * 1024, 256 * 1024 + 1, 3 * 1024 * 1024 + 7])
def test_contents_of_every_size_come_back(wire: Wire, size_bytes: int) -> None:
    content = bytes(i * 7 % 251 for i in range(1021)) * (size_bytes // 1021 + 1)
    content = content[:size_bytes]

    wire.put("b", content)
    got = wire.ask("GET", "/localstorage/box/b")

    assert got.body == content
    assert got.headers["content-length"] == str(size_bytes)


def test_a_reader_keeps_the_content_that_it_began_to_read(wire: Wire) -> None:
    content = bytes(3 * 1024 * 1024)
    wire.put("b", content)

    async def read_while_replaced() -> Answer:
        request = make_request("GET", "/localstorage/box/b", headers={})
        response = await wire.service.handle(sign_request(request, wire.now))
        replacing = make_request("DELETE", "/localstorage/box/b", headers={})
        await wire.service.handle(sign_request(replacing, wire.now))
        assert wire.files() == 1
        return await read_answer(response)

    assert asyncio.run(read_while_replaced()).body == content
    assert wire.files() == 0


@pytest.mark.parametrize(
    ("asked", "content", "content_range"),
    [
        ("bytes=0-0", b"0", "bytes 0-0/10"),
        ("bytes=2-5", b"2345", "bytes 2-5/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ],
)
@pytest.mark.parametrize("header", ["range", "x-ms-range"])
def test_ranges(wire: Wire, header: str, asked: str, content: bytes, content_range: str) -> None:
    put = wire.put("b", b"0123456789")

    got = wire.ask(
        "GET",
        "/localstorage/box/b",
        headers={header: asked, "x-ms-range-get-content-md5": "true"},
    )

    assert (got.status, got.body) == (206, content)
    assert got.headers["content-range"] == content_range
    assert got.headers["x-ms-blob-content-md5"] == put.headers["content-md5"]
    assert got.headers["content-md5"] == base64.b64encode(hashlib.md5(content).digest()).decode()


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ("bytes=10-", 416, "InvalidRange"),
        ("bytes=-3", 400, "InvalidHeaderValue"),
        ("bytes=5-2", 400, "InvalidHeaderValue"),
        ("lines=1-2", 400, "InvalidHeaderValue"),
    ],
)
def test_ranges_that_are_none(wire: Wire, asked: str, status: int, code: str) -> None:
    wire.put("b", b"0123456789")

    answer = wire.ask("GET", "/localstorage/box/b", headers={"x-ms-range": asked})

    assert (answer.status, answer.code) == (status, code)
    assert answer.headers.get("content-range") == ("bytes */10" if status == 416 else None)


def test_a_range_over_blocks(wire: Wire) -> None:
    for block_id, content in (("AAAA", b"0123"), ("BBBB", b"4567"), ("CCCC", b"89")):
        assert _put_block(wire, "b", block_id, content).status == 201
    assert _put_list(wire, "b", "AAAA", "BBBB", "CCCC", "AAAA").status == 201

    whole = wire.ask("GET", "/localstorage/box/b")
    part = wire.ask("GET", "/localstorage/box/b", headers={"range": "bytes=3-10"})

    assert whole.body == b"01234567890123"
    assert "content-md5" not in whole.headers
    assert part.body == b"34567890"
    wire.ask("DELETE", "/localstorage/box/b")
    assert wire.files() == 0


def test_a_block_list_takes_committed_and_new_blocks(wire: Wire) -> None:
    _put_block(wire, "b", "AAAA", b"first")
    _put_block(wire, "b", "BBBB", b"second")
    _put_list(wire, "b", "AAAA", "BBBB")
    _put_block(wire, "b", "AAAA", b"newer")
    _put_block(wire, "b", "CCCC", b"never")
    listed = wire.ask("GET", "/localstorage/box/b", "comp=blocklist&blocklisttype=all")

    body = (
        "<BlockList><Committed>AAAA</Committed><Latest>AAAA</Latest>"
        "<Uncommitted>AAAA</Uncommitted><Latest>BBBB</Latest></BlockList>"
    )
    put = wire.ask("PUT", "/localstorage/box/b", "comp=blocklist", body=body.encode())

    assert listed.texts("CommittedBlocks/Block/Name") == ["AAAA", "BBBB"]
    assert listed.texts("CommittedBlocks/Block/Size") == ["5", "6"]
    assert listed.texts("UncommittedBlocks/Block/Name") == ["AAAA", "CCCC"]
    assert put.status == 201
    assert wire.ask("GET", "/localstorage/box/b").body == b"firstnewernewersecond"
    after = wire.ask("GET", "/localstorage/box/b", "comp=blocklist&blocklisttype=uncommitted")
    assert after.body.endswith(b"<BlockList><UncommittedBlocks /></BlockList>")
    wire.ask("DELETE", "/localstorage/box/b")
    assert wire.files() == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<BlockList><Latest>ZZZZ</Latest></BlockList>", "InvalidBlockList"),
        ("<BlockList><Committed>AAAA</Committed></BlockList>", "InvalidBlockList"),
        ("<BlockList><Latest>AAAA</Latest>", "InvalidXmlDocument"),
        ("<BlockList><Other>AAAA</Other></BlockList>", "InvalidXmlDocument"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><BlockList />', "InvalidXmlDocument"),
        ("", "InvalidXmlDocument"),
        (f"<BlockList>{'<Latest>AAAA</Latest>' * 50001}</BlockList>", "BlockListTooLong"),
    ],
)
def test_block_lists_that_are_refused(wire: Wire, body: str, code: str) -> None:
    _put_block(wire, "b", "AAAA", b"block")

    answer = wire.ask("PUT", "/localstorage/box/b", "comp=blocklist", body=body.encode())

    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize(
    ("block_id", "code"),
    [
        ("AA", "InvalidBlockId"),
        ("", "InvalidBlockId"),
        ("AAAAAAAA", "InvalidBlobOrBlock"),
        (base64.b64encode(bytes(65)).decode(), "InvalidBlobOrBlock"),
    ],
)
def test_block_ids_that_are_refused(wire: Wire, block_id: str, code: str) -> None:
    _put_block(wire, "b", "AAAA", b"block")

    answer = _put_block(wire, "b", block_id, b"block")

    assert (answer.status, answer.code) == (400, code)
    assert wire.files() == 1


def test_conditions(wire: Wire) -> None:
    etag = wire.put("b").headers["etag"]
    path = "/localstorage/box/b"
    later, earlier = "Wed, 04 Mar 2026 05:06:08 GMT", "Wed, 04 Mar 2026 05:06:06 GMT"
    blob = {"x-ms-blob-type": "BlockBlob"}

    def status(method: str, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return wire.ask(method, path, headers=blob | named if method == "PUT" else named).status

    assert status("GET", if_match=etag) == 200
    assert status("GET", if_match=etag.strip('"')) == 200
    assert status("GET", if_match='"0x1"') == 412
    assert status("GET", if_none_match=etag) == 304
    assert status("HEAD", if_none_match=etag) == 304
    assert status("GET", if_none_match='"0x1"') == 200
    assert status("GET", if_modified_since=later) == 304
    assert status("GET", if_modified_since=earlier) == 200
    assert status("GET", if_unmodified_since=earlier) == 412
    assert status("GET", if_unmodified_since=later) == 200
    assert status("PUT", if_none_match="*") == 409
    assert status("PUT", if_match='"0x1"') == 412
    assert status("DELETE", if_match='"0x1"') == 412
    assert status("DELETE", if_modified_since="never") == 400
    assert status("PUT", if_match=etag) == 201
    assert status("DELETE", if_match=etag) == 412
    assert status("DELETE", if_match="*") == 202
    assert status("PUT", if_match="*") == 412
    assert status("PUT", if_none_match="*") == 201


def test_metadata_and_headers_change_the_etag_and_nothing_else(wire: Wire) -> None:
    first = wire.put("b", meta_a="1", blob_content_type="text/plain").headers["etag"]
    second = wire.ask(
        "PUT", "/localstorage/box/b", "comp=metadata", headers={"x-ms-meta-b": "2"}
    ).headers["etag"]
    third = wire.ask(
        "PUT",
        "/localstorage/box/b",
        "comp=properties",
        headers={"x-ms-blob-content-language": "fr"},
    ).headers["etag"]

    got = wire.ask("GET", "/localstorage/box/b")

    assert len({first, second, third}) == 3
    assert got.body == b"content"
    assert got.headers["etag"] == third
    assert got.headers["x-ms-meta-b"] == "2"
    assert "x-ms-meta-a" not in got.headers
    assert got.headers["content-language"] == "fr"
    assert got.headers["content-type"] == "application/octet-stream"
    assert "content-md5" not in got.headers


LEASE = "11111111-2222-3333-4444-555555555555"


def test_a_lease_id_is_refused_where_nothing_is_leased(wire: Wire) -> None:
    wire.put("b")

    answer = wire.ask("GET", "/localstorage/box/b", headers={"x-ms-lease-id": LEASE})

    assert (answer.status, answer.code) == (412, "LeaseNotPresentWithBlobOperation")


NAMES = ["a b", "a/b", "a/c", "100%", "ü", "😀", "a//b", "\x01", "tab\tx", "r\rn\n", "&<>\"'"]


def test_lists_hold_every_name_and_pages_join(wire: Wire) -> None:
    for name in NAMES:
        wire.put(name, b"")
    found: list[str] = []
    marker = ""
    for _ in NAMES:
        query = f"restype=container&comp=list&maxresults=1&marker={quote(marker)}"
        answer = wire.ask("GET", "/localstorage/box", query)
        found += _read_names(answer, "Blobs/Blob/Name")
        marker = answer.text("NextMarker") or ""

    assert marker == ""
    assert found == sorted(NAMES, key=lambda name: name.encode())


def test_a_name_that_xml_cannot_hold_is_encoded(wire: Wire) -> None:
    wire.put("a/\x01ü", b"")

    flat = wire.ask("GET", "/localstorage/box", "restype=container&comp=list")
    levels = wire.ask(
        "GET", "/localstorage/box", "restype=container&comp=list&delimiter=%C3%BC&prefix=a"
    )

    assert b'<Name Encoded="true">a/%01%C3%BC</Name>' in flat.body
    assert b'<BlobPrefix><Name Encoded="true">a/%01%C3%BC</Name></BlobPrefix>' in levels.body


def test_a_list_by_levels(wire: Wire) -> None:
    for name in ("a/1", "a/2", "b", "a/b/3", "c/d"):
        wire.put(name, b"")

    top = wire.ask("GET", "/localstorage/box", "restype=container&comp=list&delimiter=/")
    below = wire.ask(
        "GET", "/localstorage/box", "restype=container&comp=list&delimiter=/&prefix=a/"
    )

    assert top.texts("Blobs/Blob/Name") == ["b"]
    assert top.texts("Blobs/BlobPrefix/Name") == ["a/", "c/"]
    assert below.texts("Blobs/Blob/Name") == ["a/1", "a/2"]
    assert below.texts("Blobs/BlobPrefix/Name") == ["a/b/"]
    assert (below.text("Prefix"), below.text("Delimiter")) == ("a/", "/")


def test_a_list_gives_properties_and_metadata_where_asked(wire: Wire) -> None:
    put = wire.put("b", b"12345", meta_a="x & y", blob_content_type="text/<plain>")

    with_metadata = wire.ask(
        "GET", "/localstorage/box", "restype=container&comp=list&include=metadata"
    )
    without = wire.ask("GET", "/localstorage/box", "restype=container&comp=list")

    assert with_metadata.text("Blobs/Blob/Metadata/a") == "x & y"
    assert without.text("Blobs/Blob/Metadata/a") is None
    properties = "Blobs/Blob/Properties"
    assert without.text(f"{properties}/Content-Length") == "5"
    assert without.text(f"{properties}/Content-Type") == "text/<plain>"
    assert without.text(f"{properties}/Content-MD5") == put.headers["content-md5"]
    assert without.text(f"{properties}/Etag") == put.headers["etag"].strip('"')
    assert without.text(f"{properties}/Last-Modified") == put.headers["last-modified"]


def test_containers_are_listed(wire: Wire) -> None:
    for name in ("abc", "abd", "xyz"):
        wire.ask("PUT", f"/localstorage/{name}", "restype=container", headers={"x-ms-meta-n": name})

    first = wire.ask("GET", "/localstorage", "comp=list&maxresults=2&include=metadata")
    rest = wire.ask(
        "GET", "/localstorage/", f"comp=list&marker={quote(first.text('NextMarker') or '')}"
    )
    some = wire.ask("GET", "/localstorage/", "comp=list&prefix=ab")

    assert first.texts("Containers/Container/Name") == ["abc", "abd"]
    assert first.texts("Containers/Container/Metadata/n") == ["abc", "abd"]
    assert rest.texts("Containers/Container/Name") == ["box", "xyz"]
    assert some.texts("Containers/Container/Name") == ["abc", "abd"]


def test_container_metadata(wire: Wire) -> None:
    path, query = "/localstorage/box", "restype=container&comp=metadata"

    assert wire.ask("PUT", path, query, headers={"x-ms-meta-a": "1"}).status == 200
    assert wire.ask("GET", path, query).headers["x-ms-meta-a"] == "1"
    assert wire.ask("HEAD", path, "restype=container").headers["x-ms-meta-a"] == "1"


def test_a_start_removes_what_is_left_of_before(tmp_path: Path) -> None:
    first = Wire(directory=tmp_path)
    first.ask("PUT", "/localstorage/box", "restype=container")
    first.put("b")
    assert first.files() == 1

    assert Wire(directory=tmp_path).files() == 0


def _put_block(wire: Wire, name: str, block_id: str, content: bytes) -> Answer:
    query = f"comp=block&blockid={quote(block_id, safe='')}"
    return wire.ask("PUT", f"/localstorage/box/{name}", query, body=content)


def _put_list(wire: Wire, name: str, *block_ids: str) -> Answer:
    entries = "".join(f"<Latest>{block_id}</Latest>" for block_id in block_ids)
    body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{entries}</BlockList>'
    return wire.ask("PUT", f"/localstorage/box/{name}", "comp=blocklist", body=body.encode())


def _read_names(answer: Answer, path: str) -> list[str]:
    elements = ET.fromstring(answer.body).findall(path)
    return [unquote(e.text or "") if e.get("Encoded") == "true" else e.text or "" for e in elements]
