"""What a run asks of Blob Storage, asked of the emulator."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from runner.connect import Services, open_azure, read_azure_settings
from runner.errors import ServiceRefusedError
from runner.plan.model import StoredBlob
from runner.remote.uploads import MOST_SINGLE_BYTES
from runner.run.services import BlobMissingError, Permission
from tests.conformance.endpoints import Emulator

NAMES = ("a.txt", "dir/b c.txt", "ä/ü+%41&'.txt", "x#y?.txt")


def test_files_go_up_and_come_down(services: Services, container: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    for blob in NAMES:
        source.write_text(blob)
        services.blobs.upload_file(container, blob, source)

    listed = list(services.blobs.list_blobs(container, ""))

    now = datetime.now(timezone.utc)
    for item in listed:
        assert item.modified is not None
        assert timedelta(0) <= now - item.modified < timedelta(minutes=1)
    assert [replace(item, modified=None) for item in listed] == [
        StoredBlob(
            name=blob,
            size_bytes=len(blob.encode()),
            md5=hashlib.md5(blob.encode(), usedforsecurity=False).digest(),
        )
        for blob in sorted(NAMES)
    ]
    for blob in NAMES:
        size = services.blobs.download_file(container, blob, tmp_path / "target")
        assert size == len(blob.encode())
        assert (tmp_path / "target").read_text() == blob
    assert [item.name for item in services.blobs.list_blobs(container, "dir/")] == ["dir/b c.txt"]


@pytest.mark.parametrize("size", [0, 1, MOST_SINGLE_BYTES, 2 * MOST_SINGLE_BYTES + 3])
def test_files_of_every_size_are_whole(
    services: Services, container: str, tmp_path: Path, size: int
) -> None:
    content = os.urandom(size)
    (tmp_path / "source").write_bytes(content)

    services.blobs.upload_file(container, "blob", tmp_path / "source")

    assert services.blobs.download_file(container, "blob", tmp_path / "target") == size
    assert (tmp_path / "target").read_bytes() == content
    (item,) = services.blobs.list_blobs(container, "")
    assert item.md5 == hashlib.md5(content, usedforsecurity=False).digest()


@pytest.mark.parametrize("text", ["first\nlast ü\n", ""])
def test_a_text_replaces_a_blob(
    services: Services, container: str, tmp_path: Path, text: str
) -> None:
    services.blobs.upload_text(container, "log", "x" * 100)
    services.blobs.upload_text(container, "log", text)

    services.blobs.download_file(container, "log", tmp_path / "log")
    assert (tmp_path / "log").read_bytes() == text.encode()


def test_what_is_missing_is_said(services: Services, container: str, tmp_path: Path) -> None:
    with pytest.raises(BlobMissingError):
        services.blobs.download_file(container, "nothing", tmp_path / "x")
    with pytest.raises(BlobMissingError):
        services.blobs.download_file("no-such-container", "nothing", tmp_path / "x")
    with pytest.raises(ServiceRefusedError) as caught:
        services.blobs.upload_text("no-such-container", "a", "b")

    assert caught.value.code == "ContainerNotFound"
    assert not (tmp_path / "x").exists()


def test_containers_come_and_go(services: Services, name: str) -> None:
    services.blobs.create_container(f"{name}-b", {"run": "r1"})
    services.blobs.create_container(f"{name}-a", {})
    with pytest.raises(ServiceRefusedError) as caught:
        services.blobs.create_container(f"{name}-b", {"run": "r2"})

    assert caught.value.message == (
        f"Blob Storage refused to create container `{name}-b`: "
        "ContainerAlreadyExists: The specified container already exists"
    )
    assert services.blobs.list_containers(name) == (f"{name}-a", f"{name}-b")
    services.blobs.delete_container(f"{name}-a")
    services.blobs.delete_container(f"{name}-b")
    services.blobs.delete_container(f"{name}-b")
    assert services.blobs.list_containers(name) == ()


def test_whether_there_is_a_container(services: Services, container: str) -> None:
    assert services.blobs.has_container(container) is True
    # Names that start alike are others.
    assert services.blobs.has_container(container[:-1]) is False


def test_blobs_are_deleted_by_name_and_the_others_stay(
    services: Services, container: str, tmp_path: Path
) -> None:
    for blob in NAMES:
        services.blobs.upload_text(container, blob, blob)

    services.blobs.delete_blobs(container, [*NAMES[1:], "gone already"])

    assert [item.name for item in services.blobs.list_blobs(container, "")] == [NAMES[0]]


def test_all_blobs_are_deleted_as_they_are_listed(services: Services, container: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(
            threads.map(
                lambda number: services.blobs.upload_text(container, f"{number:04}", "x"),
                range(1_200),
            )
        )

    names = (item.name for item in services.blobs.list_blobs(container, ""))
    services.blobs.delete_blobs(container, names)

    assert list(services.blobs.list_blobs(container, "")) == []


def fetch(url: str, method: str = "GET", body: bytes | None = None) -> bytes:
    headers = {"x-ms-blob-type": "BlockBlob"} if body is not None else {}
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as response:
        content: bytes = response.read()
        return content


@pytest.mark.parametrize("blob", NAMES)
def test_a_signed_url_reads_or_writes_and_no_more(
    services: Services, container: str, expires: datetime, blob: str
) -> None:
    reading = services.blobs.blob_url(container, blob, Permission.READ, expires)
    writing = services.blobs.blob_url(container, blob, Permission.WRITE, expires)

    fetch(writing, "PUT", b"content")
    assert fetch(reading) == b"content"

    for url, method, body in ((reading, "PUT", b"x"), (writing, "GET", None)):
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetch(url, method, body)
        with caught.value:
            assert caught.value.code == 403
    assert fetch(reading) == b"content"


def test_a_signed_container_lists_its_blobs(
    services: Services, container: str, expires: datetime
) -> None:
    services.blobs.upload_text(container, "a.txt", "a")
    url = services.blobs.container_url(container, Permission.READ, expires)

    assert b"<Name>a.txt</Name>" in fetch(f"{url}&restype=container&comp=list")


def test_a_signed_url_expires(services: Services, container: str) -> None:
    services.blobs.upload_text(container, "a.txt", "a")
    past = datetime.now(timezone.utc) - timedelta(minutes=1)

    with pytest.raises(urllib.error.HTTPError) as caught:
        fetch(services.blobs.blob_url(container, "a.txt", Permission.READ, past))
    with caught.value:
        assert caught.value.code == 403


def test_threads_share_the_connections(services: Services, container: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("x")

    with ThreadPoolExecutor(8) as threads:
        list(
            threads.map(
                lambda number: services.blobs.upload_file(container, f"{number:03}", source),
                range(64),
            )
        )

    assert len(list(services.blobs.list_blobs(container, ""))) == 64


def test_a_wrong_storage_key_is_refused_with_the_variable(emulator: Emulator) -> None:
    settings = read_azure_settings(
        {
            "AZURE_BATCH_ENDPOINT": emulator.batch_endpoint,
            "AZURE_BATCH_ACCESS_KEY": emulator.batch_key,
            "AZURE_STORAGE_ACCOUNT": emulator.storage_account,
            "AZURE_STORAGE_BLOB_ENDPOINT": emulator.blob_endpoint,
            "AZURE_STORAGE_KEY": "d3Jvbmc=",
        }
    )

    with pytest.raises(ServiceRefusedError) as caught:
        open_azure(settings)

    assert caught.value.code == "AuthenticationFailed"
    assert caught.value.hint == "check AZURE_STORAGE_KEY, and the clock of this machine"
