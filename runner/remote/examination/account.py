"""Two accounts that are asked what a diagnosis wants to know: the `Account` of `run.diagnosis`.

It must not know what is made of the answers. Nothing that it asks changes anything.
"""

from __future__ import annotations

import base64
import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import ResourceNotFoundError

from runner.json_text import read_json
from runner.plan.model import RunId
from runner.remote import images, nodes
from runner.remote.account import API_VERSION, BatchAccount, segment
from runner.remote.endurance import Endurance, Patience
from runner.remote.examination.contact import reach
from runner.remote.examination.management import Place, read_quotas
from runner.remote.faults import Origin, probing
from runner.remote.retrying import PatientPolicy
from runner.remote.settings import AzureSettings
from runner.remote.storage_sdk import BlobServiceClient
from runner.remote.traces import batch_traces, container_traces
from runner.remote.transport import open_transport
from runner.remote.trouble import Trouble
from runner.run.clock import Clock
from runner.run.diagnosis.answers import (
    Contact,
    ContainerSeen,
    Counted,
    Identity,
    PoolSeen,
    Quotas,
    StorageKind,
    SupportedImage,
)
from runner.run.removal.traces import Trace
from runner.run.statuses import PoolStatus
from runner.run.stop import Stop
from runner.spec.model.pool import Image
from runner.spec.model.terms import Application

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

BATCH_SCOPE = "https://batch.core.windows.net//.default"
"""As azure-batch (15.1) asks for its tokens."""
_MOST_JOBS = 1_000
_PAGE = 100
_DELEGATION = timedelta(hours=1)


class Examination:
    """Two accounts by their settings; may be asked by several threads at once."""

    def __init__(
        self,
        settings: AzureSettings,
        *,
        environ: Mapping[str, str],
        clock: Clock,
        seconds: float,
        place: Place | None = None,
    ) -> None:
        """Trouble is borne with for a quarter of the `seconds`; `place` is where the management
        plane has the Batch account, None where that is not known."""
        # Without a handler of its own, Python prints the SDKs' warnings on stderr.
        logging.getLogger("azure").addHandler(logging.NullHandler())
        self._settings = settings
        self._environ = environ
        self._clock = clock
        self._wait_seconds = seconds / 4
        self._place = place
        self._endurance = Endurance(
            patience=Patience(
                limit=timedelta(seconds=seconds / 4),
                connect_seconds=seconds / 4,
                read_seconds=seconds / 2,
            ),
            clock=clock.now,
            monotonic=clock.monotonic,
            pause=lambda pause: clock.wait(Stop(), pause),
        )
        self._lock = threading.Lock()
        self._held: dict[str, Any] = {}

    def reach_batch(self) -> Contact:
        """Batch's endpoint, asked without a credential."""
        return self._reach(self._settings.batch.endpoint)

    def reach_storage(self) -> Contact:
        """Blob Storage's endpoint, asked without a credential."""
        return self._reach(self._settings.storage.endpoint)

    def identify(self) -> Identity:
        """Who is signed in, as the token for Batch says; nothing else of it is kept."""
        with probing(_origin("Microsoft Entra ID", "login.microsoftonline.com"), "give a token"):
            token = self._credential().get_token(BATCH_SCOPE).token
        return _read_identity(token)

    def list_pools(self) -> tuple[PoolSeen, ...]:
        """All pools."""
        properties = ("id", "vmSize", "targetDedicatedNodes", "targetLowPriorityNodes")
        current = ("currentDedicatedNodes", "currentLowPriorityNodes")
        with self._asking_batch("list pools") as account:
            found = list(account.list_all("/pools", select=[*properties, *current]))
        return tuple(
            PoolSeen(
                id=str(pool["id"]),
                vm_size=str(pool.get("vmSize") or ""),
                dedicated=_nodes(pool, "Dedicated"),
                spot=_nodes(pool, "LowPriority"),
            )
            for pool in found
        )

    def count_jobs(self) -> Counted:
        """Jobs that are not over, as far as a page tells."""
        with self._asking_batch("list jobs") as account:
            jobs = account.list_all("/jobs", filter="state ne 'completed'", select=["id"])
            count = sum(1 for _ in islice(jobs, _MOST_JOBS))
        return Counted(count=count, more=count == _MOST_JOBS)

    def read_job(self) -> None:
        """Asks for a job that cannot exist: who may read jobs learns that it does not."""
        with self._asking_batch("show a job") as account:
            _miss(lambda: account.read(f"/jobs/{_no_name()}", select=["id"]))

    def find_image(self, image: Image, *, containers: bool) -> SupportedImage:
        """The image in the service's list; `UsageError` with near ones if it is not there."""
        return images.find_image(self._images(), image, containers=containers)

    def find_pool(self, pool_id: str) -> PoolStatus | None:
        """A pool of the user's; None where there is none."""
        return nodes.pool_status(self._batch(), pool_id)

    def has_application(self, application: Application) -> bool:
        """Whether the account has a package of this id and, where one is named, version."""
        with self._asking_batch(f"show application `{application.id}`") as account:
            try:
                found = account.read(
                    f"/applications/{segment(application.id)}", select=["id", "versions"]
                )
            except ResourceNotFoundError:
                return False
        return application.version is None or application.version in (found.get("versions") or ())

    def list_containers(self) -> Counted:
        """The first page of containers."""
        with self._asking_storage("list containers") as service:
            found = service.list_containers(results_per_page=_PAGE)
            count = sum(1 for _ in islice(found, _PAGE))
        return Counted(count=count, more=count == _PAGE)

    def read_blob(self) -> None:
        """Asks for a blob that cannot exist: who may read blobs learns that it does not."""
        with self._asking_storage("show a blob") as service:
            blob = service.get_blob_client(_no_name(), "none")
            _miss(blob.get_blob_properties)

    def delegate(self) -> None:
        """Has a user delegation key made, by which signatures are made without the account's."""
        with self._asking_storage("give a user delegation key") as service:
            now = self._clock.now()
            service.get_user_delegation_key(now - timedelta(minutes=15), now + _DELEGATION)

    def storage_kind(self) -> StorageKind:
        """What the storage account says of itself."""
        with self._asking_storage("describe the account") as service:
            told: Mapping[str, Any] = service.get_account_information()
        return StorageKind(
            kind=str(told.get("account_kind") or ""),
            sku=str(told.get("sku_name") or ""),
            hierarchical=told.get("is_hns_enabled"),
        )

    def look_into(self, container: str) -> ContainerSeen:
        """Whether a container exists, and has any blob."""
        with self._asking_storage(f"list container `{container}`") as service:
            listed = service.get_container_client(container).list_blob_names(results_per_page=1)
            try:
                return ContainerSeen(exists=True, is_empty=next(iter(listed), None) is None)
            except ResourceNotFoundError:
                return ContainerSeen(exists=False, is_empty=True)

    def list_traces(self, run: RunId | None = None) -> tuple[Trace, ...]:
        """What one run, or any, has in both accounts."""
        with self._asking_batch("list what runs have made") as account:
            traces = tuple(batch_traces(account, run))
        with self._asking_storage("list containers") as service:
            return (*traces, *container_traces(service, run))

    def read_quotas(self) -> Quotas:
        """From the management plane; asked only where it is known where the account is."""
        assert self._place is not None
        return read_quotas(self._place, self._credential(), self._endurance)

    def close(self) -> None:
        """Gives the connections back; who still asks gets an error."""
        with self._lock:
            held = dict(self._held)
        if "batch" in held:
            held["batch"].client.close()
        if "storage" in held:
            held["storage"][0].close()
        if "credential" in held:
            held["credential"].close()

    def _reach(self, endpoint: str) -> Contact:
        return reach(
            endpoint, environ=self._environ, now=self._clock.now, seconds=self._wait_seconds
        )

    def _images(self) -> Sequence[Mapping[str, Any]]:
        with self._lock:
            found = self._held.get("images")
        if found is None:
            with self._asking_batch("list supported images") as account:
                found = tuple(account.list_all("/supportedimages"))
            with self._lock:
                self._held["images"] = found
        return found

    @contextmanager
    def _asking_batch(self, doing: str) -> Iterator[BatchAccount]:
        account = self._batch()
        with probing(account.origin, doing):
            yield account

    @contextmanager
    def _asking_storage(self, doing: str) -> Iterator[BlobServiceClient]:
        service, origin = self._storage()
        with probing(origin, doing):
            yield service

    def _batch(self) -> BatchAccount:
        return self._once("batch", self._open_batch)  # type: ignore[no-any-return]

    def _storage(self) -> tuple[BlobServiceClient, Origin]:
        return self._once("storage", self._open_storage)  # type: ignore[no-any-return]

    def _credential(self) -> TokenCredential:
        return self._once("credential", _sign_in)  # type: ignore[no-any-return]

    def _open_batch(self) -> BatchAccount:
        settings = self._settings.batch
        origin = _origin("Azure Batch", settings.endpoint)
        trouble = Trouble(origin.service, self._endurance)
        credential = (
            AzureNamedKeyCredential(settings.name, settings.key)
            if settings.key is not None
            else self._credential()
        )
        client = BatchClient(
            settings.endpoint,
            credential,
            api_version=API_VERSION,
            transport=open_transport(settings.endpoint, self._endurance.patience),
            retry_policy=PatientPolicy(trouble),
        )
        return BatchAccount(client=client, origin=origin, trouble=trouble)

    def _open_storage(self) -> tuple[BlobServiceClient, Origin]:
        settings = self._settings.storage
        origin = _origin("Blob Storage", settings.endpoint)
        credential = (
            {"account_name": settings.name, "account_key": settings.key}
            if settings.key is not None
            else self._credential()
        )
        service = BlobServiceClient(
            settings.endpoint,
            credential=credential,
            transport=open_transport(settings.endpoint, self._endurance.patience),
            retry_policy=PatientPolicy(Trouble(origin.service, self._endurance)),
        )
        return service, origin

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        """What several questions share; made by whoever comes first, outside of the lock."""
        with self._lock:
            found = self._held.get(name)
        if found is None:
            made = make()
            with self._lock:
                found = self._held.setdefault(name, made)
        return found


def _sign_in() -> TokenCredential:
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


def _origin(service: str, endpoint: str) -> Origin:
    return Origin(service=service, endpoint=endpoint)


def _no_name() -> str:
    """A name that nothing has."""
    return f"batch-run-doctor-{uuid.uuid4().hex}"


def _miss(read: Callable[[], object]) -> None:
    """Reads what cannot be there."""
    try:
        read()
    except ResourceNotFoundError:
        return


def _nodes(pool: Mapping[str, Any], kind: str) -> int:
    counts = (pool.get(f"{which}{kind}Nodes") or 0 for which in ("current", "target"))
    return max(int(count) for count in counts)


def _read_identity(token: str) -> Identity:
    """Who a token is of: its claims are in the middle one of its three parts."""
    part = token.split(".")[1] if token.count(".") >= 2 else ""
    try:
        claims = read_json(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        claims = {}
    if not isinstance(claims, dict):
        claims = {}
    is_application = claims.get("idtyp") == "app" or "upn" not in claims
    name = claims.get("upn") or claims.get("appid") or claims.get("oid") or ""
    return Identity(
        name=str(name), tenant=str(claims.get("tid") or ""), is_application=is_application
    )
