"""Resource files over real HTTP: where they land, and what goes wrong."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import stat
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runner.emulator.batch.node.connections import Connections, TransferPolicy
from runner.emulator.batch.node.containment import directory_below, folder_of
from runner.emulator.batch.node.failures import StepFailedError
from runner.emulator.batch.node.interruption import InterruptedRunError, Interruption
from runner.emulator.batch.node.launch import Failure, FailureCategory, FailurePhase, ResourceFile
from runner.emulator.batch.node.near import SMALL_BYTES, Provisions, provide
from runner.emulator.batch.node.resources import Fetching, fetch_resources
from tests.unit.emulator.batch.node.blob_service import (
    SIGNATURE,
    BlobService,
    Fault,
    answering,
    closing,
    wait_until,
)
from tests.unit.emulator.batch.node.near_box import NearBox

Fetch = Callable[..., None]


@pytest.fixture
def wd(tmp_path: Path) -> Path:
    directory = tmp_path / "task" / "wd"
    directory.mkdir(parents=True)
    return directory


@pytest.fixture(params=["http", "near"])
def near(request: pytest.FixtureRequest, blobs: BlobService, tmp_path: Path) -> NearBox | None:
    """The service as it is reached without HTTP, where it is."""
    return NearBox(blobs, tmp_path / "stored") if request.param == "near" else None


@pytest.fixture
def fetch(
    wd: Path,
    connections: Connections,
    pool: ThreadPoolExecutor,
    interruption: Interruption,
    near: NearBox | None,
) -> Fetch:
    def call(*files: ResourceFile) -> None:
        provisions = Provisions()
        if near is not None:
            asyncio.run(provide(near, files, provisions))
        try:
            with directory_below(folder_of(wd.parents[1], wd)) as directory:
                fetching = Fetching(
                    connections=connections,
                    pool=pool,
                    interruption=interruption,
                    provisions=provisions,
                )
                fetch_resources(files, directory, fetching)
        finally:
            provisions.release()
            assert near is None or near.held == 0

    return call


def failure_of(fetch: Fetch, *files: ResourceFile) -> Failure:
    with pytest.raises(StepFailedError) as caught:
        fetch(*files)
    failure = caught.value.failure
    assert failure.phase is FailurePhase.PRE_PROCESSING
    assert SIGNATURE not in repr(failure)
    return failure


def all_files(wd: Path) -> dict[str, bytes]:
    return {str(p.relative_to(wd)): p.read_bytes() for p in wd.rglob("*") if p.is_file()}


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_lands_where_it_is_wanted_with_the_default_mode(
    wd: Path, blobs: BlobService, fetch: Fetch
) -> None:
    content = os.urandom(3_000_000)
    blobs.containers["box"]["in/a b'é.bin"] = content
    fetch(ResourceFile(http_url=blobs.blob_url("box", "in/a b'é.bin"), file_path="x/y/a.bin"))
    assert all_files(wd) == {"x/y/a.bin": content}
    assert mode_of(wd / "x" / "y" / "a.bin") == 0o770


@pytest.mark.parametrize(("text", "mode"), [("0755", 0o755), ("600", 0o600), ("0o4711", 0o4711)])
def test_the_mode_is_octal(
    wd: Path, blobs: BlobService, fetch: Fetch, text: str, mode: int
) -> None:
    blobs.containers["box"]["a"] = b""
    fetch(ResourceFile(http_url=blobs.blob_url("box", "a"), file_path="a", file_mode=text))
    assert mode_of(wd / "a") == mode


def test_an_existing_file_is_replaced(wd: Path, blobs: BlobService, fetch: Fetch) -> None:
    (wd / "a").write_bytes(b"something longer, from an earlier try")
    blobs.containers["box"]["a"] = b"new"
    fetch(ResourceFile(http_url=blobs.blob_url("box", "a"), file_path="a"))
    assert all_files(wd) == {"a": b"new"}


def test_a_container_is_fetched_with_its_structure_over_pages(
    wd: Path, blobs: BlobService, near: NearBox | None, fetch: Fetch
) -> None:
    blobs.page_size = 3
    box = blobs.containers["box"]
    for name in ("a.txt", "d/b.txt", "d/e/c&<'\".txt", "d/\x01\n.txt", "d//f.txt", "ä ö%41.txt"):
        box[name] = name.encode()
    box["empty/"] = b""
    fetch(ResourceFile(storage_container_url=blobs.container_url("box"), file_path="in/all"))
    assert all_files(wd) == {
        "in/all/a.txt": b"a.txt",
        "in/all/d/b.txt": b"d/b.txt",
        "in/all/d/e/c&<'\".txt": b"d/e/c&<'\".txt",
        "in/all/d/\x01\n.txt": b"d/\x01\n.txt",
        "in/all/d/f.txt": b"d//f.txt",
        "in/all/ä ö%41.txt": "ä ö%41.txt".encode(),
    }
    assert (wd / "in" / "all" / "empty").is_dir()
    assert sum("comp=list" in request for request in blobs.requests) == (0 if near else 3)


def test_a_prefix_chooses_and_stays_in_the_path(wd: Path, blobs: BlobService, fetch: Fetch) -> None:
    blobs.containers["box"].update({"a/1": b"1", "a/2": b"2", "ab": b"ab", "b": b"b"})
    url = blobs.container_url("box")
    fetch(ResourceFile(storage_container_url=url, blob_prefix="a/"))
    assert all_files(wd) == {"a/1": b"1", "a/2": b"2"}


def test_many_files_share_few_connections(wd: Path, blobs: BlobService, fetch: Fetch) -> None:
    blobs.containers["box"].update({f"{index:03}": b"x" * index for index in range(200)})
    fetch(ResourceFile(storage_container_url=blobs.container_url("box")))
    assert all_files(wd) == blobs.containers["box"]
    assert len(blobs.connections) <= 9


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "a/../../x", "a/..", "..", "", ".", "/", "a\0b"],
)
def test_a_path_never_leaves_the_working_directory(
    wd: Path, blobs: BlobService, fetch: Fetch, path: str
) -> None:
    blobs.containers["box"]["a"] = b"a"
    failure = failure_of(fetch, ResourceFile(http_url=blobs.blob_url("box", "a"), file_path=path))
    assert failure.code == "ResourceFileCreateFailed"
    assert all_files(wd.parent) == {}


def test_a_blob_name_never_leaves_the_working_directory(
    wd: Path, blobs: BlobService, fetch: Fetch
) -> None:
    blobs.containers["box"]["d/../../../x"] = b"a"
    failure = failure_of(fetch, ResourceFile(storage_container_url=blobs.container_url("box")))
    assert failure == Failure(
        phase=FailurePhase.PRE_PROCESSING,
        category=FailureCategory.SERVER_ERROR,
        code="ResourceFileCreateFailed",
        message="Failure encountered creating resource file.",
        details=(
            ("BlobSource", f"{blobs.endpoint}/box/d/../../../x"),
            ("FilePath", "d/../../../x"),
            ("Message", "the path leads out of the task's working directory"),
        ),
    )


def test_links_are_not_followed(wd: Path, tmp_path: Path, blobs: BlobService, fetch: Fetch) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.txt").write_bytes(b"kept")
    (wd / "folder").symlink_to(outside)
    (wd / "file").symlink_to(outside / "kept.txt")
    blobs.containers["box"]["a"] = b"a"
    url = blobs.blob_url("box", "a")
    failure = failure_of(fetch, ResourceFile(http_url=url, file_path="folder/new.txt"))
    assert failure.code == "ResourceFileCreateFailed"
    fetch(ResourceFile(http_url=url, file_path="file"))
    assert not (wd / "file").is_symlink()
    assert all_files(outside) == {"kept.txt": b"kept"}


def test_a_directory_in_the_way_is_a_failure_and_leaves_no_rest(
    wd: Path, blobs: BlobService, fetch: Fetch
) -> None:
    (wd / "a").mkdir()
    blobs.containers["box"]["a"] = b"a"
    failure = failure_of(fetch, ResourceFile(http_url=blobs.blob_url("box", "a"), file_path="a"))
    assert failure.code == "ResourceFileCreateFailed"
    assert list(wd.iterdir()) == [wd / "a"]


@pytest.mark.parametrize("text", ["rwx", "0890", "", "-1", "7777777"])
def test_a_mode_that_is_none(wd: Path, blobs: BlobService, fetch: Fetch, text: str) -> None:
    resource = ResourceFile(http_url=blobs.blob_url("box", "a"), file_path="a", file_mode=text)
    failure = failure_of(fetch, resource)
    assert failure.code == "ResourceFileCreateFailed"
    assert dict(failure.details)["Message"] == f"the file mode {text!r} is not an octal number"


def test_no_source_is_a_failure(fetch: Fetch) -> None:
    failure = failure_of(fetch, ResourceFile(file_path="a"))
    assert dict(failure.details)["Message"] == "the resource file names no source"


def test_a_missing_blob_is_named_without_the_signature(
    wd: Path, blobs: BlobService, fetch: Fetch
) -> None:
    url = blobs.blob_url("box", "a.txt")
    failure = failure_of(fetch, ResourceFile(http_url=url, file_path="d/a.txt"))
    assert failure == Failure(
        phase=FailurePhase.PRE_PROCESSING,
        category=FailureCategory.USER_ERROR,
        code="BlobNotFound",
        message="One of the specified Azure Blob(s) is not found.",
        details=(
            ("BlobSource", f"{blobs.endpoint}/box/a.txt"),
            ("FilePath", "d/a.txt"),
            ("Message", "the server answered 404 (BlobNotFound)"),
        ),
    )
    assert all_files(wd) == {}
    assert len(blobs.requests) == 1


def test_a_missing_container(blobs: BlobService, fetch: Fetch) -> None:
    failure = failure_of(fetch, ResourceFile(storage_container_url=blobs.container_url("none")))
    assert failure.code == "BlobNotFound"
    assert failure.details == (
        ("BlobSource", f"{blobs.endpoint}/none"),
        ("FilePath", ""),
        ("Message", "the server answered 404 (ContainerNotFound)"),
    )


def test_a_wrong_signature_is_denied_at_once(blobs: BlobService, fetch: Fetch) -> None:
    blobs.containers["box"]["a"] = b"a"
    url = blobs.blob_url("box", "a", sas="sig=wrong")
    failure = failure_of(fetch, ResourceFile(http_url=url, file_path="a"))
    assert failure.code == "BlobAccessDenied"
    assert "wrong" not in repr(failure)
    assert len(blobs.requests) == 1


def truncated(handler: object) -> None:
    handler.send_response(200)  # type: ignore[attr-defined]
    handler.send_header("Content-Length", "100")  # type: ignore[attr-defined]
    handler.end_headers()  # type: ignore[attr-defined]
    handler.wfile.write(b"short")  # type: ignore[attr-defined]
    handler.close_connection = True  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "fault",
    [
        answering(500),
        answering(503, code="ServerBusy"),
        answering(429),
        closing,
        truncated,
        answering(200, body=b"damaged", headers={"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}),
    ],
)
def test_passing_faults_are_tried_again(
    wd: Path, blobs: BlobService, fetch: Fetch, fault: Fault
) -> None:
    blobs.containers["box"]["a"] = b"whole"
    blobs.faults += [fault, fault]
    fetch(ResourceFile(http_url=blobs.blob_url("box", "a"), file_path="a"))
    assert all_files(wd) == {"a": b"whole"}
    assert len(blobs.requests) == 3


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (answering(503, code="ServerBusy"), "the server answered 503 (ServerBusy)"),
        (truncated, "the content ended 95 bytes early"),
        (closing, "the connection failed: RemoteDisconnected"),
        (
            answering(200, body=b"x", headers={"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}),
            "the content does not match its Content-MD5",
        ),
    ],
)
def test_lasting_faults_fail_the_task(
    wd: Path, blobs: BlobService, fetch: Fetch, fault: Fault, message: str
) -> None:
    blobs.containers["box"]["a"] = b"whole"
    blobs.faults += [fault] * 3
    failure = failure_of(fetch, ResourceFile(http_url=blobs.blob_url("box", "a"), file_path="a"))
    assert failure.code == "BlobDownloadMiscError"
    assert dict(failure.details)["Message"] == message
    assert list(wd.iterdir()) == []


def test_a_server_that_is_not_there(fetch: Fetch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"http://127.0.0.1:{port}/c/b?sig={SIGNATURE}"
    failure = failure_of(fetch, ResourceFile(http_url=url, file_path="a"))
    assert failure.code == "BlobDownloadMiscError"
    assert dict(failure.details)["Message"] == "the connection failed: Connection refused"


@pytest.mark.parametrize("silence_seconds", [0.1])
def test_a_silent_server_times_out(fetch: Fetch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/c/b?sig={SIGNATURE}"
        failure = failure_of(fetch, ResourceFile(http_url=url, file_path="a"))
    assert failure.code == "BlobDownloadTimedOut"
    assert failure.category is FailureCategory.SERVER_ERROR


@pytest.mark.parametrize(
    "url",
    [
        f"ftp://127.0.0.1/a?sig={SIGNATURE}",
        f"file:///etc/passwd?sig={SIGNATURE}",
        f"http://127.0.0.1:99999/a?sig={SIGNATURE}",
        f"http://[::1/a?sig={SIGNATURE}",
        f"?sig={SIGNATURE}",
    ],
)
def test_urls_that_cannot_be_asked(fetch: Fetch, url: str) -> None:
    failure = failure_of(fetch, ResourceFile(http_url=url, file_path="a"))
    assert failure.code == "BlobDownloadMiscError"


def test_odd_characters_in_a_url_show_no_signature(blobs: BlobService, fetch: Fetch) -> None:
    url = f"{blobs.endpoint}/box/a b\u00e9?sig={SIGNATURE} \u00fc"
    assert failure_of(fetch, ResourceFile(http_url=url, file_path="a")).code == "BlobNotFound"


def test_redirects_are_followed_but_not_for_ever(
    wd: Path, blobs: BlobService, fetch: Fetch
) -> None:
    blobs.containers["box"]["a"] = b"a"
    target = blobs.blob_url("box", "a")
    blobs.faults += [answering(302, headers={"Location": target})]
    fetch(ResourceFile(http_url=f"{blobs.endpoint}/elsewhere", file_path="a"))
    assert all_files(wd) == {"a": b"a"}
    blobs.faults += [answering(301, headers={"Location": target})] * 6
    failure = failure_of(fetch, ResourceFile(http_url=target, file_path="a"))
    assert dict(failure.details)["Message"] == "the server redirects in a circle"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<a><b></a>", "the container's list is not well-formed XML"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "the container's list declares entities"),
    ],
)
def test_a_list_that_cannot_be_read(
    blobs: BlobService, fetch: Fetch, body: bytes, message: str
) -> None:
    blobs.faults += [answering(200, body=body)]
    failure = failure_of(fetch, ResourceFile(storage_container_url=blobs.container_url("box")))
    assert failure.code == "BlobDownloadMiscError"
    assert dict(failure.details)["Message"] == message


def test_one_bad_file_of_many_fails_the_task(blobs: BlobService, fetch: Fetch) -> None:
    blobs.containers["box"].update({f"{index:03}": b"" for index in range(50)})
    files = [
        ResourceFile(http_url=blobs.blob_url("box", f"{index:03}"), file_path=str(index))
        for index in range(51)
    ]
    assert failure_of(fetch, *files).code == "BlobNotFound"


def test_a_stalled_download_is_interrupted(
    wd: Path, blobs: BlobService, pool: ThreadPoolExecutor, interruption: Interruption
) -> None:
    patient = Connections(TransferPolicy(silence_timeout_seconds=60.0))
    released = threading.Event()

    def stall(handler: object) -> None:
        handler.send_response(200)  # type: ignore[attr-defined]
        handler.send_header("Content-Length", "1000000")  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]
        released.wait(60)
        handler.close_connection = True  # type: ignore[attr-defined]

    blobs.faults += [stall]
    ended: list[BaseException] = []

    def call() -> None:
        try:
            file = ResourceFile(http_url=blobs.blob_url("box", "a"), file_path="a")
            with directory_below(folder_of(wd.parents[1], wd)) as directory:
                fetching = Fetching(connections=patient, pool=pool, interruption=interruption)
                fetch_resources([file], directory, fetching)
        except InterruptedRunError as error:
            ended.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    wait_until(lambda: len(blobs.requests) == 1)
    interruption.fire()
    thread.join(60)
    assert not thread.is_alive()
    released.set()
    assert len(ended) == 1
    assert list(wd.iterdir()) == []


def test_large_content_is_not_held_in_memory(wd: Path, blobs: BlobService, fetch: Fetch) -> None:
    piece = b"0123456789abcdef" * 65536

    def large(handler: object) -> None:
        handler.send_response(200)  # type: ignore[attr-defined]
        handler.send_header("Content-Length", str(len(piece) * 48))  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]
        for _ in range(48):
            handler.wfile.write(piece)  # type: ignore[attr-defined]

    blobs.faults += [large]
    tracemalloc.start()
    try:
        fetch(ResourceFile(http_url=blobs.blob_url("box", "a"), file_path="a"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * 1024 * 1024
    digest = hashlib.md5()
    for _ in range(48):
        digest.update(piece)
    assert hashlib.md5((wd / "a").read_bytes()).digest() == digest.digest()


@pytest.mark.parametrize("size_bytes", [0, 1, 1000, SMALL_BYTES, SMALL_BYTES + 1, 3_000_001])
def test_what_is_near_is_copied_without_a_request(
    wd: Path,
    blobs: BlobService,
    tmp_path: Path,
    fetch: Fetch,
    near: NearBox | None,
    size_bytes: int,
) -> None:
    content = os.urandom(size_bytes)
    blobs.containers["box"]["a"] = content
    for _ in range(2):
        fetch(ResourceFile(http_url=blobs.blob_url("box", "a"), file_path="x/a"))
    assert all_files(wd) == {"x/a": content}
    assert len(blobs.requests) == (0 if near else 2)
    # The task may do with its file as it likes.
    (wd / "x" / "a").write_bytes(b"changed")
    assert blobs.containers["box"]["a"] == content
    stored = sorted((tmp_path / "stored").iterdir()) if near else []
    assert all(path.read_bytes()[6:-6] in content for path in stored)


def test_a_stored_content_that_is_not_what_it_was_is_a_failure(
    wd: Path, blobs: BlobService, near: NearBox | None, fetch: Fetch
) -> None:
    if near is None:
        pytest.skip("over HTTP the service says what it sends")
    for size_bytes in (10, SMALL_BYTES + 10):
        near.service.containers["box"]["a"] = bytes(size_bytes)
        near.spoils = True
        failure = failure_of(
            fetch, ResourceFile(http_url=blobs.blob_url("box", "a"), file_path="a")
        )
        assert failure.code == "BlobDownloadMiscError"
        assert dict(failure.details)["Message"] == "the content does not match its Content-MD5"
        assert all_files(wd) == {}


def test_a_stored_content_that_is_gone_is_a_failure(
    wd: Path, blobs: BlobService, near: NearBox | None, fetch: Fetch
) -> None:
    if near is None:
        pytest.skip("over HTTP the service says what it sends")
    blobs.containers["box"]["a"] = b"content"
    near.loses = True
    failure = failure_of(fetch, ResourceFile(http_url=blobs.blob_url("box", "a"), file_path="a"))
    assert failure.code == "BlobDownloadMiscError"
    assert dict(failure.details)["Message"] == (
        "the stored content could not be read: No such file or directory"
    )
    assert all_files(wd) == {}
