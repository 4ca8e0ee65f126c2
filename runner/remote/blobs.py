"""Blob Storage, or the emulator of it, through azure-storage-blob: the `Blobs` of `run.services`.

It must not know runs or plans, nor which role a container plays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from runner.errors import TransferError
from runner.plan.model import RunId, StoredBlob
from runner.remote import listing, uploads
from runner.remote.contents import Contents
from runner.remote.downloads import PIECE_BYTES, Download
from runner.remote.endurance import Endurance
from runner.remote.faults import Origin, probing, service_code, translated
from runner.remote.lanes import Lanes
from runner.remote.retrying import PatientPolicy
from runner.remote.signing import Sign, Signatures, letters, sign_by_delegation, sign_by_key
from runner.remote.storage_sdk import BlobLeaseClient, BlobServiceClient, ContainerClient
from runner.remote.traces import container_traces
from runner.remote.transport import PROBE_OPTIONS, open_transport
from runner.remote.trouble import Trouble
from runner.remote.uploads import BLOCK_BYTES, Target
from runner.remote.waiting import wait_until, wait_until_gone
from runner.run.removal.traces import Trace
from runner.run.services import BlobMissingError, Downloaded, Permission
from runner.run.transfers.downloads import file_fault
from runner.run.transfers.under_way import UnderWay

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

DELETION_LIMIT = timedelta(minutes=15)
# REST, Blob service error codes: a lease that is over, or another's.
_NOT_HELD = frozenset(
    {
        *("BlobNotFound", "ContainerNotFound", "ContainerBeingDeleted"),
        *("LeaseIdMismatchWithLeaseOperation", "LeaseNotPresentWithLeaseOperation", "LeaseLost"),
    }
)
_DELETERS = 16
# On this machine there is nothing to wait for: further threads wait for one another alone.
_DOWNLOADS, _NEAR_DOWNLOADS = 16, 4
# Names are taken so many at a time: a container may hold millions.
_DELETED_AT_ONCE = 1_000


class RemoteBlobs:
    """One storage account; may be used by several threads at once."""

    def __init__(
        self,
        *,
        endpoint: str,
        account: str,
        credential: str | TokenCredential,
        key_hint: str | None,
        endurance: Endurance,
        under_way: UnderWay | None = None,
    ) -> None:
        """`credential` is the account's key, or who is signed in; `under_way` hears of bytes."""
        self._under_way = under_way or UnderWay()
        self._origin = Origin(service="Blob Storage", endpoint=endpoint, key_hint=key_hint)
        self._trouble = Trouble(self._origin.service, endurance)
        self._clock = endurance.clock
        self._pause = endurance.wait
        transport = open_transport(endpoint, endurance.patience)
        patience = PatientPolicy(self._trouble)
        self._service = BlobServiceClient(
            endpoint,
            credential={"account_name": account, "account_key": credential}
            if isinstance(credential, str)
            else credential,
            transport=transport,
            retry_policy=patience,
        )
        self._sign: Sign = (
            sign_by_key(account, credential, https_only=endpoint.startswith("https:"))
            if isinstance(credential, str)
            else sign_by_delegation(account, self._service, clock=endurance.clock)
        )
        self._contents = Contents(
            endpoint,
            api_version=self._service.api_version,
            transport=transport,
            patience=PatientPolicy(self._trouble),
            access=Signatures(self._sign, clock=endurance.clock)
            if isinstance(credential, str)
            else credential,
        )
        self._lanes = Lanes(max(BLOCK_BYTES, PIECE_BYTES))
        self._containers: dict[str, ContainerClient] = {}
        self._urls: dict[tuple[str, Permission, datetime], tuple[str, str]] = {}
        self._abandoned = False

    @property
    def endpoint(self) -> str:
        """The account's URL, without a key or a SAS."""
        return self._origin.endpoint

    @property
    def downloads_at_once(self) -> int:
        """So many are worth being under way: where the service is far, more wait for it."""
        return _NEAR_DOWNLOADS if self._contents.is_near else _DOWNLOADS

    def probe(self) -> None:
        """Asks for one thing, with little patience: is the account there, does it know our key?"""
        with probing(self._origin, "list containers"):
            next(iter(self._service.list_containers(results_per_page=1, **PROBE_OPTIONS)), None)

    def create_container(self, name: str, metadata: Mapping[str, str]) -> None:
        """Creates it; a name that exists already is a `ServiceRefusedError`.

        A container of this name with the same metadata is ours: an earlier answer was lost. One
        that is just being deleted is waited for (REST, Delete Container: 30 seconds or more).
        """
        container = self._container(name)

        def is_created() -> bool:
            try:
                container.create_container(metadata=dict(metadata))
            except ResourceExistsError as error:
                code = service_code(error)
                if code == "ContainerBeingDeleted":
                    return False
                if code != "ContainerAlreadyExists" or not metadata:
                    raise
                found = container.get_container_properties().metadata
                if dict(found or {}) != dict(metadata):
                    raise
            return True

        with translated(self._origin, f"create container `{name}`"):
            wait_until(
                is_created,
                f"container `{name}` is still being deleted",
                clock=self._clock,
                pause=self._pause,
                limit=DELETION_LIMIT,
            )

    def delete_container(self, name: str) -> None:
        """Deletes it if it is there, and returns once it is gone.

        With the answer it is, for all but who wants to make one of this name (REST, Delete
        Container: everything else is refused as not found while its blobs are swept away).
        """
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

    def has_container(self, name: str) -> bool:
        """Whether a container of just this name exists."""
        with translated(self._origin, f"show container `{name}`"):
            return self._container(name).exists()

    def container_metadata(self, name: str) -> Mapping[str, str] | None:
        """The metadata of a container; None where there is no such container."""
        with translated(self._origin, f"show container `{name}`"):
            try:
                return dict(self._container(name).get_container_properties().metadata or {})
            except ResourceNotFoundError:
                return None

    def list_traces(self, run: RunId | None) -> tuple[Trace, ...]:
        """Containers that were made for one run, or for any."""
        with translated(self._origin, "list containers"):
            return tuple(container_traces(self._service, run))

    def delete_blobs(self, container: str, names: Iterable[str]) -> None:
        """Deletes blobs of a container with their snapshots; those that are gone are forgiven.

        One by one: a batch of deletions (REST, Blob Batch) saves round trips alone.
        """
        client = self._container(container)

        def delete(name: str) -> None:
            self._check()
            with translated(self._origin, f"delete blob `{container}/{name}`"):
                try:
                    client.delete_blob(name, delete_snapshots="include")
                except ResourceNotFoundError:
                    return

        iterator = iter(names)
        with ThreadPoolExecutor(_DELETERS, thread_name_prefix="delete") as pool:
            while group := list(islice(iterator, _DELETED_AT_ONCE)):
                deletions = [pool.submit(delete, name) for name in group]
                try:
                    for deletion in deletions:
                        deletion.result()
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise

    def upload_file(self, container: str, blob: str, source: Path) -> bytes:
        """Brings a file up with its MD5, replacing the blob; `TransferError` names the file.

        Gives the MD5 of what was sent. A file that changes meanwhile is a `TransferError` too: the
        blob may be a mixture.
        """
        self._check()
        with translated(self._origin, f"take blob `{container}/{blob}`"):
            target = self._target(container, blob)
            return uploads.upload_file(target, source, self._lanes, self._check)

    def upload_text(self, container: str, blob: str, text: str) -> None:
        """Brings a text up as UTF-8."""
        with translated(self._origin, f"take blob `{container}/{blob}`"):
            uploads.upload_text(self._target(container, blob), text)

    def download(self, container: str, blob: str, stream: BinaryIO) -> Downloaded:
        """Writes the blob to an open file, of one version from its first byte to its last.

        Length and, where the blob has one, MD5 are checked: `TransferError` where they do not fit,
        or where the blob is written to meanwhile. Raises `BlobMissingError`, and the `OSError` of
        the file.
        """

        download = Download(
            self._contents,
            container,
            blob,
            stream,
            lanes=self._lanes,
            trouble=self._trouble,
            check=self._check,
            under_way=self._under_way,
        )
        with translated(self._origin, f"give blob `{container}/{blob}`"):
            return download.run()

    def download_file(self, container: str, blob: str, target: Path) -> int:
        """Writes the blob to `target`, which must not be in use; returns its size in bytes.

        Length and, where the blob has one, MD5 are checked: `TransferError` where they do not fit,
        and the target is removed. Raises `BlobMissingError`.
        """
        try:
            with target.open("wb") as stream:
                return self.download(container, blob, stream).size_bytes
        except OSError as error:
            target.unlink(missing_ok=True)
            raise file_fault("write", target, error) from error
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def list_blobs(self, container: str, prefix: str) -> Iterator[StoredBlob]:
        """All blobs whose names start with `prefix`, in order.

        An account with folders of its own (a data lake) lists them too; they are no files.
        """
        with translated(self._origin, f"list container `{container}`"):
            yield from listing.list_blobs(self._contents, container, prefix)

    def container_url(self, container: str, permission: Permission, expires: datetime) -> str:
        """The container's URL with a SAS; never log it."""
        url, signature = self._signed(container, permission, expires)
        return f"{url}?{signature}"

    def blob_url(self, container: str, blob: str, permission: Permission, expires: datetime) -> str:
        """A blob's URL, percent-encoded, with a SAS of its container; never log it."""
        url, signature = self._signed(container, permission, expires)
        return f"{url}/{quote(blob, safe='/~')}?{signature}"

    def hold_blob(self, container: str, blob: str, holder: str, seconds: int) -> bool:
        """Has a blob held for so long (15 to 60), or for as long again; false if another holds it.

        `holder` is a GUID, and the lease has it for its id: to acquire it again renews it (REST:
        Lease Blob). Raises `BlobMissingError`.
        """
        client = self._container(container).get_blob_client(blob)
        with translated(self._origin, f"hold blob `{container}/{blob}`"):
            try:
                client.acquire_lease(seconds, lease_id=holder)
            except ResourceNotFoundError as error:
                raise BlobMissingError(f"blob `{container}/{blob}` does not exist") from error
            except HttpResponseError as error:
                if service_code(error) != "LeaseAlreadyPresent":
                    raise
                return False
        return True

    def release_blob(self, container: str, blob: str, holder: str) -> None:
        """Holds it no longer; forgiven where it is gone, or somebody else holds it."""
        client = self._container(container).get_blob_client(blob)
        with translated(self._origin, f"release blob `{container}/{blob}`"):
            try:
                BlobLeaseClient(client, lease_id=holder).release()
            except HttpResponseError as error:
                if service_code(error) not in _NOT_HELD:
                    raise

    def abandon_transfers(self) -> None:
        """Uploads and downloads end as `TransferError` at their next piece, and none begins."""
        self._abandoned = True

    def close(self) -> None:
        """Gives the connections back."""
        self._lanes.close()
        self._service.close()

    def _check(self) -> None:
        if self._abandoned:
            raise TransferError("transfers were abandoned")

    def _target(self, container: str, blob: str) -> Target:
        return Target(
            contents=self._contents,
            container=container,
            blob=blob,
            remove=partial(self._remove, container, blob),
            under_way=self._under_way,
        )

    def _remove(self, container: str, blob: str) -> None:
        self._container(container).delete_blob(blob)

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
                signature = self._sign(container, letters(permission), expires)
            signed = self._urls[key] = f"{self.endpoint}/{container}", signature
        return signed
