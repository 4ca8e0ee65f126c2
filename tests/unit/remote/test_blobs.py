"""Blob Storage as the SDK speaks to it, with faults that no emulator has."""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.storage.blob import BlobServiceClient, UserDelegationKey

from runner.errors import (
    ServiceError,
    ServiceRefusedError,
    ServiceTroubleError,
    ServiceUnreachableError,
    TransferError,
)
from runner.plan.model import StoredBlob
from runner.remote.blobs import RemoteBlobs
from runner.remote.contents import Contents
from runner.remote.downloads import PIECE_BYTES
from runner.remote.lanes import LANES, Lanes
from runner.remote.retrying import PatientPolicy
from runner.remote.signing import sign_by_delegation
from runner.remote.transport import open_transport
from runner.remote.trouble import Trouble
from runner.remote.uploads import (
    BLOCK_BYTES,
    LEAST_NEAR_BYTES,
    MOST_SINGLE_BYTES,
    Target,
    upload_file,
)
from runner.run.services import BlobMissingError, Permission
from tests.unit.remote.stub import Answerer, Canned, Pauses, Seen, Stub, blob_error

KEY = base64.b64encode(b"not a secret").decode()
HINT = "check AZURE_STORAGE_KEY"
EXPIRES = datetime(2025, 3, 29, 12, 0, tzinfo=timezone.utc)
MISSING = blob_error(404, "BlobNotFound", "The specified blob does not exist.")


def md5_of(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


@pytest.fixture
def blobs(stub: Stub, pauses: Pauses) -> Iterator[RemoteBlobs]:
    opened = open_blobs(stub.endpoint, pauses)
    yield opened
    opened.close()


def open_blobs(endpoint: str, pauses: Pauses, **patience: Any) -> RemoteBlobs:
    return RemoteBlobs(
        endpoint=endpoint,
        account="acct",
        credential=KEY,
        key_hint=HINT,
        endurance=pauses.endurance(**patience),
    )


def serve(content: bytes, *, md5: str | None = None, cut: int = 0) -> Answerer:
    """A blob that answers to ranges, its body short of `cut` bytes."""

    def answer(seen: Seen) -> Canned:
        first, last = seen.headers["x-ms-range"].removeprefix("bytes=").split("-")
        piece = content[int(first) : int(last) + 1]
        if not piece:
            return blob_error(416, "InvalidRange", "The range specified is invalid.")
        headers = {
            "Content-Range": f"bytes {first}-{int(first) + len(piece) - 1}/{len(content)}",
            "Content-Length": str(len(piece)),
            "ETag": '"0x1"',
            "x-ms-blob-type": "BlockBlob",
            "Last-Modified": "Fri, 28 Mar 2025 18:10:00 GMT",
        }
        if md5 is not None:
            headers["x-ms-blob-content-md5"] = md5
        if cut:
            headers["Connection"] = "close"
        return Canned(status=206, body=piece[: len(piece) - cut], headers=headers)

    return answer


def accept(seen: Seen) -> Canned:
    """Takes what it gets, and says the MD5 of it."""
    return Canned(
        status=201,
        headers={
            "ETag": '"0x1"',
            "Last-Modified": "Fri, 28 Mar 2025 18:10:00 GMT",
            "Content-MD5": md5_of(seen.body),
        },
    )


def test_a_file_goes_up_with_its_md5(blobs: RemoteBlobs, stub: Stub, tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_bytes(b"hello")
    stub.answer(accept)

    blobs.upload_file("in", "dir/ä b.txt", source)

    (put,) = stub.seen
    assert (put.method, put.path) == ("PUT", "/acct/in/dir/%C3%A4%20b.txt")
    assert put.body == b"hello"
    assert put.headers["x-ms-blob-content-md5"] == md5_of(b"hello")
    assert put.headers["x-ms-blob-type"] == "BlockBlob"
    assert (put.query["sr"], put.query["sp"], put.query["se"]) == (
        "c",
        "rcwl",
        "2025-03-28T20:00:00Z",
    )
    assert "authorization" not in put.headers
    assert "if-none-match" not in put.headers


def test_an_empty_file_goes_up(blobs: RemoteBlobs, stub: Stub, tmp_path: Path) -> None:
    source = tmp_path / "empty"
    source.touch()
    stub.answer(accept)

    blobs.upload_file("in", "empty", source)

    assert stub.seen[0].headers["x-ms-blob-content-md5"] == md5_of(b"")


def test_a_large_file_goes_up_in_blocks_that_carry_their_md5(
    blobs: RemoteBlobs, stub: Stub, tmp_path: Path
) -> None:
    source = tmp_path / "large"
    content = os.urandom(1024) * (MOST_SINGLE_BYTES // 1024) + b"tail"
    source.write_bytes(content)
    stub.answer(accept)

    blobs.upload_file("in", "large", source)

    *blocks, commit = stub.seen
    assert b"".join(block.body for block in blocks) == content
    assert [block.headers["content-md5"] for block in blocks] == [
        md5_of(block.body) for block in blocks
    ]
    assert commit.query["comp"] == "blocklist"
    assert commit.headers["x-ms-blob-content-md5"] == md5_of(content)


def test_a_blob_that_arrived_otherwise_is_an_error(
    blobs: RemoteBlobs, stub: Stub, tmp_path: Path
) -> None:
    source = tmp_path / "a.txt"
    source.write_bytes(b"hello")
    stub.answer(Canned(status=201, headers={"ETag": '"1"', "Content-MD5": md5_of(b"jello")}))

    with pytest.raises(TransferError) as caught:
        blobs.upload_file("in", "a.txt", source)

    assert caught.value.message == "blob `in/a.txt` did not arrive whole: its MD5 differs"


GONE = Canned(status=202, headers={"x-ms-delete-type-permanent": "true"})


def append(source: Path) -> None:
    with source.open("ab") as stream:
        stream.write(b", you")


def overwrite(source: Path) -> None:
    """Other bytes, as many as before, and no trace of it in the times."""
    before = source.stat()
    source.write_bytes(b"H" * before.st_size)
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_by_another(source: Path) -> None:
    before = source.stat()
    other = source.with_name("other")
    other.write_bytes(source.read_bytes())
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(source)


def truncate(source: Path) -> None:
    os.truncate(source, 2)


def touch(source: Path) -> None:
    os.utime(source, (0, 0))


@pytest.mark.parametrize("act", [append, truncate, touch, replace_by_another, Path.unlink])
def test_a_file_that_changes_meanwhile_is_an_error(
    blobs: RemoteBlobs, stub: Stub, tmp_path: Path, act: Callable[[Path], None]
) -> None:
    source = tmp_path / "a.txt"
    source.write_bytes(b"hello")

    def change(seen: Seen) -> Canned:
        act(source)
        return accept(seen)

    stub.answer(change, GONE)

    with pytest.raises(TransferError) as caught:
        blobs.upload_file("in", "a.txt", source)

    assert caught.value.message == f"`{source}` changed while it was uploaded"
    assert caught.value.hint == "run again once nobody writes to it"
    assert [(seen.method, seen.path) for seen in stub.seen] == [
        ("PUT", "/acct/in/a.txt"),
        ("DELETE", "/acct/in/a.txt"),
    ]


@pytest.mark.parametrize("act", [append, overwrite, touch, replace_by_another, Path.unlink])
def test_a_large_file_that_changes_between_its_blocks(
    blobs: RemoteBlobs, stub: Stub, tmp_path: Path, act: Callable[[Path], None]
) -> None:
    source = tmp_path / "large"
    source.write_bytes(b"h" * (2 * BLOCK_BYTES + 1))
    acted: list[str] = []

    def answer(seen: Seen) -> Canned:
        if seen.method == "DELETE":
            return GONE
        if not acted:
            acted.append(seen.path)
            act(source)
        return accept(seen)

    stub.answer(answer)

    with pytest.raises(TransferError) as caught:
        blobs.upload_file("in", "large", source)

    assert caught.value.message == f"`{source}` changed while it was uploaded"
    assert stub.seen[-1].method == "DELETE"


def take_away(source: Path) -> None:
    """An open file of ours cannot be read any more."""
    for entry in Path("/proc/self/fd").iterdir():
        if entry.is_symlink() and entry.readlink() == source:
            closed = os.open(os.devnull, os.O_WRONLY)
            os.dup2(closed, int(entry.name))
            os.close(closed)


@pytest.fixture
def very_large(tmp_path: Path) -> Path:
    """A file that goes to this machine in one request, and takes no room on the disk."""
    source = tmp_path / "very-large"
    source.write_bytes(b"begin")
    os.truncate(source, LEAST_NEAR_BYTES)
    return source


def take_in(seen: Seen) -> Canned:
    """As the service does that was not told the MD5."""
    return Canned(status=201, headers={"Content-MD5": md5_of(seen.body)})


def test_a_very_large_file_goes_to_this_machine_at_once(
    blobs: RemoteBlobs, stub: Stub, very_large: Path
) -> None:
    stub.answer(blob_error(503, "ServerBusy", "The server is busy."), take_in)

    digest = blobs.upload_file("in", "a", very_large)

    refused, taken = stub.seen
    assert taken.body == very_large.read_bytes() == refused.body
    assert digest == hashlib.md5(taken.body, usedforsecurity=False).digest()
    assert taken.method == "PUT"
    assert "comp" not in taken.query
    assert taken.headers["x-ms-blob-type"] == "BlockBlob"
    assert taken.headers["x-ms-blob-content-type"] == "application/octet-stream"
    assert taken.headers["content-length"] == str(LEAST_NEAR_BYTES)
    assert "transfer-encoding" not in taken.headers


@pytest.mark.parametrize("fields", [{"Content-MD5": md5_of(b"another")}, {}])
def test_a_very_large_file_of_which_another_md5_arrives(
    blobs: RemoteBlobs, stub: Stub, very_large: Path, fields: dict[str, str]
) -> None:
    stub.answer(Canned(status=201, headers=fields))

    with pytest.raises(TransferError) as caught:
        blobs.upload_file("in", "a", very_large)

    assert caught.value.message == "blob `in/a` did not arrive whole: its MD5 differs"


@pytest.mark.parametrize("act", [append, overwrite, touch, replace_by_another, Path.unlink])
def test_a_very_large_file_that_changes_while_it_is_read(
    blobs: RemoteBlobs, stub: Stub, very_large: Path, act: Callable[[Path], None]
) -> None:
    def change(seen: Seen) -> Canned:
        act(very_large)
        return take_in(seen)

    stub.answer(change, GONE)

    with pytest.raises(TransferError) as caught:
        blobs.upload_file("in", "a", very_large)

    assert caught.value.message == f"`{very_large}` changed while it was uploaded"
    assert [seen.method for seen in stub.seen] == ["PUT", "DELETE"]


def _upload_while(source: Path, stub: Stub, act: Callable[[], None]) -> None:
    """Brings a file up, and does something before its second piece is read."""
    calls: list[None] = []

    def check() -> None:
        calls.append(None)
        if len(calls) == 2:
            act()

    pauses = Pauses()
    patience = PatientPolicy(Trouble("Blob Storage", pauses.endurance()))
    contents = Contents(
        stub.endpoint,
        api_version="2026-04-06",
        transport=open_transport(stub.endpoint, pauses.endurance().patience),
        patience=patience,
        access=lambda _container: "sig=x",
    )
    target = Target(contents=contents, container="in", blob="a", remove=lambda: None)
    with closing(Lanes(1)) as lanes:
        upload_file(target, source, lanes, check)


def test_a_very_large_file_that_becomes_shorter_is_not_sent_to_its_end(
    stub: Stub, very_large: Path
) -> None:
    with pytest.raises(TransferError) as caught:
        _upload_while(very_large, stub, lambda: os.truncate(very_large, 5))

    assert caught.value.message == f"`{very_large}` changed while it was uploaded"


@pytest.mark.skipif(sys.platform != "linux", reason="open files are found in /proc")
def test_a_very_large_file_that_cannot_be_read_on_is_named(stub: Stub, very_large: Path) -> None:
    """And not taken for a connection that broke, which would be tried again for long."""
    with pytest.raises(TransferError) as caught:
        _upload_while(very_large, stub, lambda: take_away(very_large))

    assert caught.value.message == f"cannot read `{very_large}`: bad file descriptor"


def test_few_downloads_at_once_where_there_is_nothing_to_wait_for(
    blobs: RemoteBlobs, pauses: Pauses
) -> None:
    with closing(open_blobs("https://acct.blob.core.windows.net", pauses)) as far:
        assert (blobs.downloads_at_once, far.downloads_at_once) == (4, 16)


def test_a_mixture_that_cannot_be_taken_away_is_named(
    blobs: RemoteBlobs, stub: Stub, tmp_path: Path
) -> None:
    source = tmp_path / "a.txt"
    source.write_bytes(b"hello")

    def change(seen: Seen) -> Canned:
        append(source)
        return accept(seen)

    stub.answer(change, blob_error(403, "AuthorizationFailure", "Not authorized."))

    with pytest.raises(TransferError) as caught:
        blobs.upload_file("in", "a.txt", source)

    assert caught.value.hint == (
        "run again once nobody writes to it; blob `in/a.txt` may be a mixture, and could not be"
        " deleted"
    )


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(
    blobs: RemoteBlobs, tmp_path: Path
) -> None:
    source = tmp_path / "a.txt"
    os.mkfifo(source)

    with pytest.raises(TransferError) as caught:
        blobs.upload_file("in", "a.txt", source)

    assert caught.value.message == f"cannot read `{source}`: not a regular file"


@pytest.mark.parametrize(
    ("name", "reason"), [("missing", "no such file or directory"), (".", "is a directory")]
)
def test_a_file_that_cannot_be_read_is_named(
    blobs: RemoteBlobs, tmp_path: Path, name: str, reason: str
) -> None:
    source = tmp_path / name

    with pytest.raises(TransferError) as caught:
        blobs.upload_file("in", "a", source)

    assert caught.value.message == f"cannot read `{source}`: {reason}"


@pytest.mark.skipif(sys.platform != "linux", reason="open files are found in /proc")
def test_a_file_that_cannot_be_read_on_holds_no_buffer(tmp_path: Path) -> None:
    """Or those who wait for one would do so for ever, once a disk or a network has gone away."""
    source = tmp_path / "large"
    source.touch()
    os.truncate(source, MOST_SINGLE_BYTES + 1)
    target = Target(contents=cast("Any", None), container="in", blob="a", remove=lambda: None)

    with closing(Lanes(1)) as lanes:
        with pytest.raises(TransferError) as caught:
            upload_file(target, source, lanes, lambda: take_away(source))

        assert caught.value.message == f"cannot read `{source}`: bad file descriptor"
        assert all(lanes.try_take() is not None for _ in range(LANES))


def test_a_text_goes_up_as_utf8(blobs: RemoteBlobs, stub: Stub) -> None:
    stub.answer(accept)

    blobs.upload_text("logs", "script.sh", "echo ü\n")

    assert stub.seen[0].body == "echo ü\n".encode()
    assert stub.seen[0].headers["x-ms-blob-content-type"] == "text/plain; charset=utf-8"
    assert stub.seen[0].headers["x-ms-blob-content-md5"] == md5_of("echo ü\n".encode())


def test_a_blob_comes_down_in_pieces(blobs: RemoteBlobs, stub: Stub, tmp_path: Path) -> None:
    content = os.urandom(1024) * (2 * PIECE_BYTES // 1024) + b"tail"
    stub.answer(serve(content, md5=md5_of(content)))

    assert blobs.download_file("out", "a", tmp_path / "a") == len(content)

    assert (tmp_path / "a").read_bytes() == content
    assert len(stub.seen) == 3
    assert stub.seen[1].headers["if-match"] == '"0x1"'


def test_a_blob_that_was_packed_by_its_writer_comes_as_it_is(
    blobs: RemoteBlobs, stub: Stub, tmp_path: Path
) -> None:
    content = gzip.compress(b"hello", mtime=0)
    plain = serve(content, md5=md5_of(content))

    def packed(seen: Seen) -> Canned:
        answer = plain(seen)
        return replace(answer, headers={**answer.headers, "Content-Encoding": "gzip"})

    stub.answer(packed)

    assert blobs.download_file("out", "a", tmp_path / "a") == len(content)
    assert (tmp_path / "a").read_bytes() == content


def test_a_blob_that_changes_between_two_pieces(
    blobs: RemoteBlobs, stub: Stub, tmp_path: Path
) -> None:
    first = serve(os.urandom(1024) * (2 * PIECE_BYTES // 1024))
    condition = "The condition specified using HTTP conditional header(s) is not met."
    stub.answer(first, blob_error(412, "ConditionNotMet", condition))

    with pytest.raises(TransferError) as caught:
        blobs.download_file("out", "a", tmp_path / "a")

    assert caught.value.message == "blob `out/a` changed while it was downloaded"
    assert not (tmp_path / "a").exists()


def test_a_wrong_md5_is_an_error_and_leaves_no_file(
    blobs: RemoteBlobs, stub: Stub, tmp_path: Path
) -> None:
    stub.answer(serve(b"hello", md5=md5_of(b"jello")))

    with pytest.raises(TransferError) as caught:
        blobs.download_file("out", "a", tmp_path / "a")

    assert caught.value.message == "blob `out/a` did not arrive whole: its MD5 differs"
    assert not (tmp_path / "a").exists()


def test_a_blob_without_an_md5_is_taken_by_its_length(
    blobs: RemoteBlobs, stub: Stub, tmp_path: Path
) -> None:
    stub.answer(serve(b"hello"))

    assert blobs.download_file("out", "a", tmp_path / "a") == 5


def test_a_download_that_breaks_off_is_out_of_reach(
    stub: Stub, pauses: Pauses, tmp_path: Path
) -> None:
    stub.answer(serve(b"hello", cut=2))
    # The SDK (12.31) reads a piece three times itself, a second of real time apart, whatever our
    # clock says: once is enough for us.
    blobs = open_blobs(stub.endpoint, pauses, limit=timedelta(0))

    with closing(blobs), pytest.raises(ServiceUnreachableError):
        blobs.download_file("out", "a", tmp_path / "a")

    assert not (tmp_path / "a").exists()


def test_a_piece_that_breaks_off_is_asked_for_again_and_no_other(
    blobs: RemoteBlobs, stub: Stub, tmp_path: Path
) -> None:
    content = os.urandom(1024) * (3 * PIECE_BYTES // 1024) + b"tail"
    whole, broken = serve(content, md5=md5_of(content)), serve(content, cut=2)
    starts: list[int] = []

    def answer(seen: Seen) -> Canned:
        start = int(seen.headers["x-ms-range"].removeprefix("bytes=").split("-")[0])
        starts.append(start)
        return (broken if starts.count(start) == 1 and start else whole)(seen)

    stub.answer(answer)

    assert blobs.download_file("out", "a", tmp_path / "a") == len(content)

    assert (tmp_path / "a").read_bytes() == content
    assert sorted(starts) == [0, *sorted([PIECE_BYTES, 2 * PIECE_BYTES, 3 * PIECE_BYTES] * 2)]


def test_large_blobs_come_down_whole_side_by_side(
    blobs: RemoteBlobs, stub: Stub, tmp_path: Path
) -> None:
    content = os.urandom(1024) * (2 * PIECE_BYTES // 1024) + b"tail"
    stub.answer(serve(content, md5=md5_of(content)))

    with ThreadPoolExecutor(8) as pool:
        sizes = list(
            pool.map(lambda n: blobs.download_file("out", "a", tmp_path / str(n)), range(8))
        )

    assert sizes == [len(content)] * 8
    assert {path.read_bytes() == content for path in tmp_path.iterdir()} == {True}


def test_an_empty_blob_takes_one_request(blobs: RemoteBlobs, stub: Stub, tmp_path: Path) -> None:
    stub.answer(serve(b""))

    assert blobs.download_file("out", "a", tmp_path / "a") == 0
    assert (tmp_path / "a").read_bytes() == b""
    assert len(stub.seen) == 1


def test_a_block_that_is_refused_ends_the_upload(
    blobs: RemoteBlobs, stub: Stub, tmp_path: Path
) -> None:
    source = tmp_path / "large"
    source.write_bytes(b"h" * (3 * BLOCK_BYTES))
    stub.answer(blob_error(403, "AuthorizationFailure", "Not authorized."))

    for _ in range(3):  # what was held for an upload that failed is free for the next
        with pytest.raises(ServiceRefusedError) as caught:
            blobs.upload_file("in", "large", source)
        assert caught.value.code == "AuthorizationFailure"

    assert {seen.query["comp"] for seen in stub.seen} == {"block"}


def test_a_container_is_signed_for_once_until_the_signature_is_old(
    blobs: RemoteBlobs, stub: Stub, pauses: Pauses
) -> None:
    stub.answer(accept)

    blobs.upload_text("c", "a", "a")
    pauses.pause(timedelta(minutes=59).total_seconds())
    blobs.upload_text("c", "b", "b")
    pauses.pause(timedelta(minutes=2).total_seconds())
    blobs.upload_text("c", "c", "c")

    assert [seen.query["se"] for seen in stub.seen] == [
        "2025-03-28T20:00:00Z",
        "2025-03-28T20:00:00Z",
        "2025-03-28T21:01:00Z",
    ]


def test_a_target_that_cannot_be_written_is_named(
    blobs: RemoteBlobs, stub: Stub, tmp_path: Path
) -> None:
    stub.answer(serve(b"hello"))
    target = tmp_path / "no" / "a"

    with pytest.raises(TransferError) as caught:
        blobs.download_file("out", "a", target)

    assert caught.value.message == f"cannot write `{target}`: no such file or directory"


def test_a_missing_blob_is_an_answer(blobs: RemoteBlobs, stub: Stub, tmp_path: Path) -> None:
    stub.answer(MISSING)

    with pytest.raises(BlobMissingError):
        blobs.download_file("out", "a", tmp_path / "a")

    assert not (tmp_path / "a").exists()


def test_a_container_whose_answer_was_lost_is_ours(blobs: RemoteBlobs, stub: Stub) -> None:
    exists = blob_error(409, "ContainerAlreadyExists", "The specified container already exists.")
    found = Canned(
        headers={
            "x-ms-meta-run": "r1",
            "ETag": '"1"',
            "Last-Modified": "Fri, 28 Mar 2025 18:10:00 GMT",
        }
    )
    stub.answer(exists, found)
    blobs.create_container("c", {"run": "r1"})

    stub.answer(exists, found)
    with pytest.raises(ServiceRefusedError) as caught:
        blobs.create_container("c", {"run": "r2"})
    assert caught.value.code == "ContainerAlreadyExists"
    assert caught.value.message == (
        "Blob Storage refused to create container `c`: ContainerAlreadyExists: "
        "The specified container already exists"
    )


def test_a_container_that_is_going_is_waited_for(
    blobs: RemoteBlobs, stub: Stub, pauses: Pauses
) -> None:
    going = blob_error(409, "ContainerBeingDeleted", "The specified container is being deleted.")
    stub.answer(going, going, Canned(status=201, headers={"ETag": '"1"'}))

    blobs.create_container("c", {"run": "r1"})

    assert [seen.method for seen in stub.seen] == ["PUT"] * 3
    assert pauses.seconds == [0.05, 0.05 * 1.5]
    stub.answer(going)
    with pytest.raises(ServiceError) as caught:
        blobs.create_container("c", {"run": "r1"})
    assert caught.value.message == "container `c` is still being deleted after 15 minutes"


def test_a_container_is_gone_with_the_answer(blobs: RemoteBlobs, stub: Stub) -> None:
    stub.answer(Canned(status=202))

    blobs.delete_container("c")

    assert [seen.method for seen in stub.seen] == ["DELETE"]


def test_a_container_that_is_being_deleted_is_waited_for(
    blobs: RemoteBlobs, stub: Stub, pauses: Pauses
) -> None:
    there = Canned(headers={"ETag": '"1"', "Last-Modified": "Fri, 28 Mar 2025 18:10:00 GMT"})
    gone = blob_error(404, "ContainerNotFound", "The specified container does not exist.")
    being = blob_error(409, "ContainerBeingDeleted", "The specified container is being deleted.")
    stub.answer(being, there, gone)

    blobs.delete_container("c")

    assert [seen.method for seen in stub.seen] == ["DELETE", "GET", "GET"]
    assert pauses.seconds == [0.05]
    stub.answer(gone)
    blobs.delete_container("c")


@pytest.mark.parametrize(
    ("answer", "is_there"),
    [
        (Canned(headers={"ETag": '"1"', "Last-Modified": "Fri, 28 Mar 2025 18:10:00 GMT"}), True),
        (blob_error(404, "ContainerNotFound", "The specified container does not exist."), False),
    ],
)
def test_whether_there_is_a_container(
    blobs: RemoteBlobs, stub: Stub, answer: Canned, is_there: bool
) -> None:
    stub.answer(answer)

    assert blobs.has_container("c") is is_there
    assert stub.seen[0].path == "/acct/c"


def test_a_container_that_we_may_not_see_is_not_said_to_be_missing(
    blobs: RemoteBlobs, stub: Stub
) -> None:
    stub.answer(blob_error(403, "AuthorizationFailure", "Not allowed."))

    with pytest.raises(ServiceRefusedError) as caught:
        blobs.has_container("c")

    assert caught.value.message == (
        "Blob Storage refused to show container `c`: AuthorizationFailure: Not allowed"
    )


def test_blobs_are_deleted_with_their_snapshots(blobs: RemoteBlobs, stub: Stub) -> None:
    names = [f"dir/ä {number}.txt" for number in range(40)]

    def answer(seen: Seen) -> Canned:
        return MISSING if seen.path.endswith("7.txt") else Canned(status=202)

    stub.answer(answer)

    blobs.delete_blobs("c", iter(names))

    assert {(seen.method, seen.path) for seen in stub.seen} == {
        ("DELETE", f"/acct/c/dir/%C3%A4%20{number}.txt") for number in range(40)
    }
    assert {seen.headers["x-ms-delete-snapshots"] for seen in stub.seen} == {"include"}


def test_a_blob_that_cannot_be_deleted_is_named(blobs: RemoteBlobs, stub: Stub) -> None:
    stub.answer(blob_error(412, "LeaseIdMissing", "There is currently a lease on the blob."))

    with pytest.raises(ServiceRefusedError) as caught:
        blobs.delete_blobs("c", ["a.txt"])

    assert caught.value.message == (
        "Blob Storage refused to delete blob `c/a.txt`: LeaseIdMissing: "
        "There is currently a lease on the blob"
    )


def test_no_blob_is_deleted_once_transfers_are_abandoned(blobs: RemoteBlobs, stub: Stub) -> None:
    blobs.abandon_transfers()

    with pytest.raises(TransferError):
        blobs.delete_blobs("c", ["a.txt"])

    assert stub.seen == []


def test_folders_of_a_data_lake_are_no_files(blobs: RemoteBlobs, stub: Stub) -> None:
    def blob(name: str, size: int, metadata: str) -> str:
        return (
            f"<Blob><Name>{name}</Name><Properties><Content-Length>{size}</Content-Length>"
            "<Content-MD5 /><BlobType>BlockBlob</BlobType></Properties>"
            f"<Metadata>{metadata}</Metadata></Blob>"
        )

    stub.answer(
        Canned(
            body=(
                '<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>'
                + blob("d", 0, "<hdi_isfolder>true</hdi_isfolder>")
                + blob("d/a.txt", 3, "<hdi_isfolder>no</hdi_isfolder>")
                + "</Blobs><NextMarker /></EnumerationResults>"
            ).encode(),
            headers={"Content-Type": "application/xml"},
        )
    )

    assert list(blobs.list_blobs("c", "d")) == [StoredBlob(name="d/a.txt", size_bytes=3, md5=None)]
    assert stub.seen[0].query["include"] == "metadata"


def _page(blobs: str, marker: str = "") -> Canned:
    text = (
        '\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>'
        f"{blobs}</Blobs><NextMarker>{marker}</NextMarker></EnumerationResults>"
    )
    return Canned(body=text.encode(), headers={"Content-Type": "application/xml"})


def test_a_list_goes_on_where_its_page_ends(blobs: RemoteBlobs, stub: Stub) -> None:
    first = (
        '<Blob><Name Encoded="true">a%2525%0D&amp;</Name><Properties>'
        "<Last-Modified>Wed, 09 Sep 2009 09:20:02 GMT</Last-Modified>"
        "<Content-Length>5000000000</Content-Length>"
        "<Content-MD5>AAECAwQFBgcICQoLDA0ODw==</Content-MD5></Properties>"
        "<Metadata><Blob>no</Blob><NextMarker>no</NextMarker></Metadata></Blob>"
    )
    second = (
        "<Blob><Name>%25 ü</Name><Properties><Content-Length>0</Content-Length></Properties></Blob>"
    )
    stub.answer(_page(first, "to be&amp;gone"), _page(""), _page(second))
    stub.answers[1] = _page("", "on")

    assert list(blobs.list_blobs("c", "a b&c")) == [
        StoredBlob(
            name="a%25\r&",
            size_bytes=5_000_000_000,
            md5=bytes(range(16)),
            modified=datetime(2009, 9, 9, 9, 20, 2, tzinfo=timezone.utc),
        ),
        StoredBlob(name="%25 ü", size_bytes=0, md5=None),
    ]
    assert [(seen.query["prefix"], seen.query.get("marker")) for seen in stub.seen] == [
        ("a b&c", None),
        ("a b&c", "to be&gone"),
        ("a b&c", "on"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"<EnumerationResults><Blobs>",
        b"<EnumerationResults><Blobs><Blob><Name>a</Name></Blob></Blobs></EnumerationResults>",
        b"<html></html>",
    ],
)
def test_what_is_no_list_is_not_taken_for_one(blobs: RemoteBlobs, stub: Stub, body: bytes) -> None:
    stub.answer(Canned(body=body, headers={"Content-Type": "application/xml"}))

    with pytest.raises(ServiceError) as caught:
        list(blobs.list_blobs("c", ""))

    assert str(caught.value) == (
        f"what answers at {blobs.endpoint} does not speak as Blob Storage does"
    )


def test_a_wrong_key_is_hinted_at_and_no_signature_is_told(blobs: RemoteBlobs, stub: Stub) -> None:
    stub.answer(blob_error(403, "AuthenticationFailed", "Server failed to authenticate."))

    with pytest.raises(ServiceRefusedError) as caught:
        blobs.probe()

    assert caught.value.message == (
        "Blob Storage refused to list containers: AuthenticationFailed: "
        "Server failed to authenticate"
    )
    assert (caught.value.code, caught.value.hint) == ("AuthenticationFailed", HINT)


@pytest.mark.parametrize(
    ("kind", "body"), [("application/xml", b"<p>"), ("text/html", b"<p>"), ("text/plain", b"")]
)
def test_a_web_page_is_no_answer(blobs: RemoteBlobs, stub: Stub, kind: str, body: bytes) -> None:
    stub.answer(Canned(body=body, headers={"Content-Type": kind}))

    with pytest.raises(ServiceError) as caught:
        blobs.probe()

    assert caught.value.message == (
        f"what answers at {stub.endpoint} does not speak as Blob Storage does"
    )


def test_a_busy_service_is_asked_again(
    blobs: RemoteBlobs, stub: Stub, pauses: Pauses, tmp_path: Path
) -> None:
    stub.answer(blob_error(503, "ServerBusy", "The server is busy."), serve(b"hello"))

    assert blobs.download_file("c", "b", tmp_path / "b") == 5
    assert (tmp_path / "b").read_bytes() == b"hello"
    assert pauses.seconds == [0.8]


def test_a_service_that_stays_busy_ends_our_patience(
    blobs: RemoteBlobs, stub: Stub, pauses: Pauses
) -> None:
    stub.answer(blob_error(503, "ServerBusy", "The server is busy."))

    with pytest.raises(ServiceTroubleError) as caught:
        list(blobs.list_blobs("c", ""))

    assert caught.value.message == (
        "Blob Storage could not list container `c`: it has answered 503 ServerBusy for 15m,"
        " since 2025-03-28T18:00:00Z: The server is busy"
    )
    assert sum(pauses.seconds) == pytest.approx(900)


def test_an_answer_of_429_is_asked_again_when_the_service_wants(
    blobs: RemoteBlobs, stub: Stub, pauses: Pauses
) -> None:
    much = blob_error(429, "TooManyRequests", "Slow down.")
    stub.answer(
        replace(much, headers={**much.headers, "Retry-After": "7"}),
        Canned(headers={"x-ms-blob-type": "BlockBlob"}),
    )

    assert blobs.has_container("c")
    assert pauses.seconds == [7]


def test_a_download_that_breaks_off_is_begun_again(
    blobs: RemoteBlobs, stub: Stub, pauses: Pauses, tmp_path: Path
) -> None:
    stub.answer(*[serve(b"hello", cut=2)] * 3, serve(b"hello"))

    assert blobs.download_file("c", "b", tmp_path / "b") == 5
    assert (tmp_path / "b").read_bytes() == b"hello"
    assert len(stub.seen) == 4


def test_nothing_there_is_out_of_reach(pauses: Pauses) -> None:
    gone = Stub()
    gone.server.server_close()
    blobs = open_blobs(gone.endpoint, pauses)

    with pytest.raises(ServiceUnreachableError) as caught:
        blobs.probe()
    blobs.close()

    assert caught.value.message == (
        f"Blob Storage at {gone.endpoint} is out of reach: Connection refused"
    )
    assert sum(pauses.seconds) <= 3


@pytest.mark.parametrize(
    ("permission", "letters"), [(Permission.READ, "rl"), (Permission.WRITE, "cw")]
)
def test_a_containers_url_is_signed_once(
    blobs: RemoteBlobs, stub: Stub, permission: Permission, letters: str
) -> None:
    url = urlsplit(blobs.container_url("c", permission, EXPIRES))
    query = parse_qs(url.query)

    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{stub.endpoint}/c"
    assert (query["sp"], query["sr"], query["se"]) == ([letters], ["c"], ["2025-03-29T12:00:00Z"])
    assert "spr" not in query
    assert blobs.blob_url("c", "d/ä #?.txt", permission, EXPIRES) == (
        f"{stub.endpoint}/c/d/%C3%A4%20%23%3F.txt?{url.query}"
    )
    assert stub.seen == []


def test_a_url_over_tls_is_for_tls_only(pauses: Pauses) -> None:
    blobs = open_blobs("https://acct.blob.core.windows.net", pauses)
    url = blobs.container_url("c", Permission.READ, EXPIRES)
    blobs.close()

    assert parse_qs(urlsplit(url).query)["spr"] == ["https"]


def test_one_delegation_key_signs_for_a_day(pauses: Pauses) -> None:
    asked: list[tuple[datetime, datetime]] = []

    class Service:
        def get_user_delegation_key(self, start: datetime, expiry: datetime) -> UserDelegationKey:
            asked.append((start, expiry))
            key = cast("Any", UserDelegationKey)()
            key.signed_oid = key.signed_tid = "id"
            key.signed_start = key.signed_expiry = "2025-03-28T00:00:00Z"
            key.signed_service, key.signed_version, key.value = "b", "2025-01-05", KEY
            return cast("UserDelegationKey", key)

    sign = sign_by_delegation("acct", cast("BlobServiceClient", Service()), clock=pauses.clock)
    start = pauses.clock() - timedelta(minutes=15)

    soon = parse_qs(sign("c", "rl", EXPIRES))
    late = parse_qs(sign("c", "cw", EXPIRES + timedelta(days=30)))
    pauses.pause(timedelta(days=2).total_seconds())
    sign("c", "rl", EXPIRES)

    assert (soon["se"], soon["sp"], soon["spr"]) == (["2025-03-29T12:00:00Z"], ["rl"], ["https"])
    assert late["se"] == ["2025-04-04T17:45:00Z"]
    assert asked == [
        (start, start + timedelta(days=7)),
        (start + timedelta(days=2), start + timedelta(days=9)),
    ]
