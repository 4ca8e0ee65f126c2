"""Puts the services of the emulator's accounts together, as the options ask for.

It must not know how they are served, nor what is printed about them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from runner.emulator.batch.core.outlook import Outlook
from runner.emulator.batch.node.connections import Server
from runner.emulator.batch.node.isolation import Isolation
from runner.emulator.batch.service import BatchService
from runner.emulator.blob.access.issue import container_url
from runner.emulator.blob.direct import Direct
from runner.emulator.blob.service import BlobService
from runner.emulator.conditions import Conditions
from runner.emulator.identity import sign_by_identity
from runner.emulator.joining import OwnStorage
from runner.emulator.options import Options
from runner.emulator.privacy import make_private_directory
from runner.emulator.server.accounts import (
    DEFAULT_BATCH,
    DEFAULT_STORAGE,
    Account,
    Accounts,
    BatchAccount,
)
from runner.emulator.server.http import Service
from runner.emulator.server.tls import Tls
from runner.emulator.storage.error import DataError
from runner.emulator.storage.record import record

# How long a node may take to begin with what it downloads from the auto-storage account.
_AUTO_STORAGE_LIFETIME = timedelta(days=7)


@record(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all services share: `origin` is the scheme, host and port that they are served at.

    `environ` is the emulator's own environment, of which tasks see a few variables; `isolation`
    says what a node is.
    """

    origin: str
    tls: Tls | None
    directory: Path
    conditions: Conditions
    environ: Mapping[str, str]
    isolation: Isolation
    former_ports: frozenset[int] = frozenset()
    """Those that an emulator of the same directory was served at before."""


@asynccontextmanager
async def open_services(
    options: Options, accounts: Accounts, surroundings: Surroundings
) -> AsyncIterator[Mapping[Account, Service]]:
    """The service of each account, started; at the end the tasks that run are killed."""
    services: dict[Account, Service] = {}
    async with AsyncExitStack() as stack:
        try:
            for storage in accounts.storage:
                blob = _make_blob(options, storage, surroundings)
                stack.callback(blob.close)
                services[storage] = blob
            near = _join(options, services, surroundings)
            for pair in accounts.batch:
                batch = _make_batch(options, pair, surroundings, accounts.storage, near)
                stack.push_async_callback(batch.close)
                await batch.start()
                services[pair.account] = batch
        except OSError as error:
            # What an earlier start left there may belong to another user, or the disk be full.
            raise DataError(f"{error.filename} cannot be used: {error.strerror}") from error
        yield services


def foresee(services: Mapping[Account, Service]) -> Outlook:
    """What is still to come of the jobs of all accounts: the liveliest counts."""
    found = {
        service.foresee() for service in services.values() if isinstance(service, BatchService)
    }
    return next(outlook for outlook in Outlook if outlook in found)


def _make_blob(options: Options, account: Account, surroundings: Surroundings) -> BlobService:
    return BlobService(
        account=account,
        endpoint=f"{surroundings.origin}/{account.name}",
        directory=_folder(account, DEFAULT_STORAGE, surroundings),
        clock=surroundings.conditions.clock,
        tls=surroundings.tls,
        keep=options.data is not None,
    )


def _join(
    options: Options, services: Mapping[Account, Service], surroundings: Surroundings
) -> OwnStorage:
    direct = Direct(
        {
            account.name: service
            for account, service in services.items()
            if isinstance(service, BlobService)
        },
        origin=surroundings.origin,
        former_ports=surroundings.former_ports,
    )
    faults, records = surroundings.conditions.faults, options.record is not None
    return OwnStorage(direct, wants_requests=lambda: records or faults.strikes_requests)


def _make_batch(
    options: Options,
    pair: BatchAccount,
    surroundings: Surroundings,
    storages: Sequence[Account],
    near: OwnStorage,
) -> BatchService:
    account, storage = pair.account, pair.storage
    storage_endpoint = f"{surroundings.origin}/{storage.name}"

    def sign_container(container: str) -> str:
        until = surroundings.conditions.clock() + _AUTO_STORAGE_LIFETIME
        return container_url(storage, storage_endpoint, container, until=until)

    def sign_url(url: str) -> str:
        until = surroundings.conditions.clock() + _AUTO_STORAGE_LIFETIME
        return sign_by_identity(url, storages, origin=surroundings.origin, until=until)

    return BatchService(
        account=account,
        endpoint=f"{surroundings.origin}/{account.name}",
        directory=_folder(account, DEFAULT_BATCH, surroundings),
        clock=surroundings.conditions.clock,
        faults=surroundings.conditions.faults,
        modelling=surroundings.conditions.modelling,
        run_admin=options.allow_admin,
        auto_storage=sign_container,
        environ=surroundings.environ,
        tls=surroundings.tls,
        isolation=surroundings.isolation,
        identity=sign_url,
        quotas=options.quotas,
        applications=options.applications or surroundings.directory / "applications",
        moves=_moves(surroundings),
        near=near,
        keep=options.data is not None,
    )


def _moves(surroundings: Surroundings) -> dict[Server, Server]:
    """URLs that clients made before a restart name the port of that time."""
    parts = urlsplit(surroundings.origin)
    assert parts.hostname is not None
    here = (parts.scheme, parts.hostname, parts.port)
    return {
        (parts.scheme, parts.hostname, port): here
        for port in surroundings.former_ports - {parts.port}
    }


def _folder(account: Account, default: str, surroundings: Surroundings) -> Path:
    """`batch` or `blob` for the accounts that are always there, below `accounts` for the others.

    It is made, with those above it, for nobody but its owner; raises `OSError`.
    """
    service = account.kind.value
    names = (service,) if account.name == default else ("accounts", service, account.name)
    folder = surroundings.directory
    for name in names:
        folder /= name
        make_private_directory(folder)
    return folder
