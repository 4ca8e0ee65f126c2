"""Blob Storage, or the emulator of it, through azure-storage-blob: the `Blobs` of `run.services`.

It must not know runs or plans, nor which role a container plays.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import quote

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContainerClient, ContentSettings, ExponentialRetry
from typing_extensions import override

from runner.errors import TransferError
from runner.plan.model import StoredBlob
from runner.remote.faults import Origin, probing, service_code, translated
from runner.remote.signing import Sign, sign_by_delegation, sign_by_key
from runner.remote.transport import PROBE_OPTIONS, Patience, Pause, open_transport
from runner.remote.waiting import wait_until_gone
from runner.run.services import BlobMissingError, Permission

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.storage.blob import StorageStreamDownloader

MEBIBYTE = 1024 * 1024
# Each thread holds one piece in memory, so pieces are smaller than the SDK's 64 MiB.
MOST_SINGLE_BYTES = 8 * MEBIBYTE
BLOCK_BYTES = 16 * MEBIBYTE
MOST_BLOCKS = 50_000
DELETION_LIMIT = timedelta(minutes=15)

_TEXT = "text/plain; charset=utf-8"
_BINARY = "application/octet-stream"


class RemoteBlobs:
    """One storage account; may be used by several threads at once."""

    def __init__(
        self,
        *,
        endpoint: str,
        account: str,
        credential: str | TokenCredential,
        key_hint: str | None,
        clock: Callable[[], datetime],
        pause: Pause,
        patience: Patience,
    ) -> None:
        """`credential` is the account's key, or who is signed in."""
        self._origin = Origin(service="Blob Storage", endpoint=endpoint, key_hint=key_hint)
        self._clock = clock
        self._pause = pause
        by_key = isinstance(credential, str)
        self._service = BlobServiceClient(
            endpoint,
            credential={"account_name": account, "account_key": credential}
            if isinstance(credential, str)
            else credential,
            transport=open_transport(endpoint, patience, pause),
            retry_policy=_PausingRetry(patience, pause),
            max_single_put_size=MOST_SINGLE_BYTES,
            max_block_size=BLOCK_BYTES,
            max_single_get_size=MOST_SINGLE_BYTES,
            max_chunk_get_size=MOST_SINGLE_BYTES,
        )
        self._sign: Sign = (
            sign_by_key(account, str(credential), https_only=endpoint.startswith("https:"))
            if by_key
            else sign_by_delegation(account, self._service, clock=clock)
        )
        self._containers: dict[str, ContainerClient] = {}
        self._urls: dict[tuple[str, Permission, datetime], tuple[str, str]] = {}
        self._abandoned = False

    @property
    def endpoint(self) -> str:
        """The account's URL, without a key or a SAS."""
        return self._origin.endpoint

    def probe(self) -> None:
        """Asks for one thing, with little patience: is the account there, does it know our key?"""
        with probing(self._origin, "list containers"):
            next(iter(self._service.list_containers(results_per_page=1, **PROBE_OPTIONS)), None)

    def create_container(self, name: str, metadata: Mapping[str, str]) -> None:
        """Creates it; a name that exists already is a `ServiceRefusedError`.

        A container of this name with the same metadata is ours: an earlier answer was lost.
        """
        container = self._container(name)
        with translated(self._origin, f"create container `{name}`"):
            try:
                container.create_container(metadata=dict(metadata))
            except ResourceExistsError as error:
                if service_code(error) != "ContainerAlreadyExists" or not metadata:
                    raise
                found = container.get_container_properties().metadata
                if dict(found or {}) != dict(metadata):
                    raise

    def delete_container(self, name: str) -> None:
        """Deletes it if it is there, and returns once it is gone."""
        container = self._container(name)
        with translated(self._origin, f"delete container `{name}`"):
            try:
                container.delete_container()
            except ResourceNotFoundError:
                return
            except ResourceExistsError as error:
                if service_code(error) != "ContainerBeingDeleted":
                    raise
            wait_until_gone(
                lambda: not container.exists(),
                f"container `{name}`",
                clock=self._clock,
                pause=self._pause,
                limit=DELETION_LIMIT,
            )

    def list_containers(self, prefix: str) -> tuple[str, ...]:
        """The names that start with `prefix`."""
        with translated(self._origin, "list containers"):
            found = list(self._service.list_containers(name_starts_with=prefix))
        return tuple(container.name for container in found)

    def upload_file(self, container: str, blob: str, source: Path) -> None:
        """Brings a file up with its MD5, replacing the blob; `TransferError` names the file.

        A file that changes meanwhile is a `TransferError` too: the blob may be a mixture.
        """
        try:
            self._check()
            with source.open("rb") as stream:
                before = os.fstat(stream.fileno())
                self._upload_stream(container, blob, stream, before.st_size, source)
                after = os.fstat(stream.fileno())
        except OSError as error:
            raise TransferError(f"cannot read `{source}`: {error.strerror or error}") from error
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise TransferError(f"`{source}` changed while it was uploaded")

    def upload_text(self, container: str, blob: str, text: str) -> None:
        """Brings a text up as UTF-8."""
        content = text.encode()
        digest = hashlib.md5(content, usedforsecurity=False).digest()
        self._upload(container, blob, content, len(content), digest, _TEXT)

    def download_file(self, container: str, blob: str, target: Path) -> int:
        """Writes the blob to `target`, which must not be in use; returns its size in bytes.

        Length and, where the blob has one, MD5 are checked: `TransferError` where they do not fit,
        and the target is removed. Raises `BlobMissingError`.
        """
        with translated(self._origin, f"give blob `{container}/{blob}`"):
            self._check()
            downloader = self._open_blob(container, blob)
            try:
                return _write_whole(downloader, target, f"{container}/{blob}", self._check)
            except OSError as error:
                target.unlink(missing_ok=True)
                raise TransferError(
                    f"cannot write `{target}`: {error.strerror or error}"
                ) from error
            except BaseException:
                target.unlink(missing_ok=True)
                raise

    def list_blobs(self, container: str, prefix: str) -> Iterator[StoredBlob]:
        """All blobs whose names start with `prefix`, in order."""
        with translated(self._origin, f"list container `{container}`"):
            for blob in self._container(container).list_blobs(name_starts_with=prefix):
                md5 = blob.content_settings.content_md5
                yield StoredBlob(
                    name=blob.name, size_bytes=blob.size, md5=bytes(md5) if md5 else None
                )

    def container_url(self, container: str, permission: Permission, expires: datetime) -> str:
        """The container's URL with a SAS; never log it."""
        url, signature = self._signed(container, permission, expires)
        return f"{url}?{signature}"

    def blob_url(self, container: str, blob: str, permission: Permission, expires: datetime) -> str:
        """A blob's URL, percent-encoded, with a SAS of its container; never log it."""
        url, signature = self._signed(container, permission, expires)
        return f"{url}/{quote(blob, safe='/~')}?{signature}"

    def abandon_transfers(self) -> None:
        """Uploads and downloads end as `TransferError` at their next piece, and none begins."""
        self._abandoned = True

    def close(self) -> None:
        """Gives the connections back."""
        self._service.close()

    def _check(self) -> None:
        if self._abandoned:
            raise TransferError("transfers were abandoned")

    def _container(self, name: str) -> ContainerClient:
        client = self._containers.get(name)
        if client is None:
            client = self._containers[name] = self._service.get_container_client(name)
        return client

    def _signed(self, container: str, permission: Permission, expires: datetime) -> tuple[str, str]:
        """The container's URL and its SAS, made once: each task names several blobs."""
        key = (container, permission, expires)
        signed = self._urls.get(key)
        if signed is None:
            with translated(self._origin, f"give access to container `{container}`"):
                signature = self._sign(container, permission, expires)
            signed = self._urls[key] = f"{self.endpoint}/{container}", signature
        return signed

    def _open_blob(self, container: str, blob: str) -> StorageStreamDownloader[bytes]:
        try:
            return self._container(container).download_blob(blob)
        except ResourceNotFoundError as error:
            raise BlobMissingError(f"blob `{container}/{blob}` does not exist") from error

    def _upload_stream(
        self, container: str, blob: str, stream: IO[bytes], size: int, source: Path
    ) -> None:
        if size > BLOCK_BYTES * MOST_BLOCKS:
            limit = BLOCK_BYTES * MOST_BLOCKS // 1024**3
            raise TransferError(f"`{source}` is larger than {limit} GiB")
        if size <= MOST_SINGLE_BYTES:
            content = stream.read()
            digest = hashlib.md5(content, usedforsecurity=False).digest()
            self._upload(container, blob, content, len(content), digest, _BINARY)
            return
        md5 = hashlib.md5(usedforsecurity=False)
        while piece := stream.read(MEBIBYTE):
            self._check()
            md5.update(piece)
        stream.seek(0)
        checked = cast("IO[bytes]", _CheckedStream(stream, self._check))  # all that the SDK uses
        self._upload(container, blob, checked, size, md5.digest(), _BINARY)

    def _upload(
        self,
        container: str,
        blob: str,
        content: bytes | IO[bytes],
        size: int,
        digest: bytes,
        content_type: str,
    ) -> None:
        """Puts the content in one request and compares MD5s, or in blocks that carry their own."""
        in_blocks = size > MOST_SINGLE_BYTES
        with translated(self._origin, f"take blob `{container}/{blob}`"):
            answer = (
                self._container(container)
                .get_blob_client(blob)
                .upload_blob(
                    content,
                    length=size,
                    overwrite=True,
                    content_settings=ContentSettings(
                        content_type=content_type, content_md5=bytearray(digest)
                    ),
                    validate_content=in_blocks,
                )
            )
        received = answer.get("content_md5")
        if not in_blocks and received and bytes(received) != digest:
            raise TransferError(f"blob `{container}/{blob}` did not arrive whole: its MD5 differs")


class _PausingRetry(ExponentialRetry):
    """The SDK's retries, doubling from two seconds, whose waits go through our own pause.

    The SDK's own begin with a quarter of a minute, and its clients of single blobs do not pass
    their waits on to the transport (12.31).
    """

    def __init__(self, patience: Patience, pause: Pause) -> None:
        super().__init__(
            initial_backoff=0,
            increment_base=2,
            random_jitter_range=1,
            retry_total=patience.retries,
            retry_status=patience.retries,
            retry_connect=patience.silent_retries,
            retry_read=patience.silent_retries,
        )
        self._pause = pause

    @override
    def sleep(self, settings: dict[str, Any], transport: object) -> None:
        self._pause(self.get_backoff_time(settings))


class _CheckedStream:
    """A file whose reading ends where `check` raises, so that no long upload outlives its run."""

    def __init__(self, stream: IO[bytes], check: Callable[[], None]) -> None:
        self._stream = stream
        self._check = check

    def read(self, size: int = -1) -> bytes:
        """The next piece."""
        self._check()
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Back to where a try began."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Where the next piece begins."""
        return self._stream.tell()


def _write_whole(
    downloader: StorageStreamDownloader[bytes],
    target: Path,
    name: str,
    check: Callable[[], None],
) -> int:
    md5 = hashlib.md5(usedforsecurity=False)
    size = 0
    with target.open("wb") as stream:
        for piece in downloader.chunks():
            check()
            stream.write(piece)
            md5.update(piece)
            size += len(piece)
    if size != downloader.size:
        raise TransferError(
            f"blob `{name}` did not arrive whole: {size} of {downloader.size} bytes"
        )
    expected = downloader.properties.content_settings.content_md5
    if expected and bytes(expected) != md5.digest():
        raise TransferError(f"blob `{name}` did not arrive whole: its MD5 differs")
    return size
