"""Puts the services of the emulator's accounts together, as the options ask for.

It must not know how they are served, nor what is printed about them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from runner.emulator.batch.service import BatchService
from runner.emulator.blob.access.issue import container_url
from runner.emulator.blob.service import BlobService
from runner.emulator.options import Options
from runner.emulator.server.accounts import Account

# How long a node may take to begin with what it downloads from the auto-storage account.
_AUTO_STORAGE_LIFETIME = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The services, not started yet."""

    batch: BatchService
    blob: BlobService


def assemble(
    options: Options,
    *,
    batch: Account,
    storage: Account,
    authority: str,
    directory: Path,
    clock: Callable[[], datetime],
    environ: Mapping[str, str],
) -> Services:
    """The services of a Batch account and of the storage account that goes with it.

    `environ` is the emulator's own environment, of which tasks see a few variables.
    """
    storage_endpoint = f"http://{authority}/{storage.name}"

    def sign_container(container: str) -> str:
        until = clock() + _AUTO_STORAGE_LIFETIME
        return container_url(storage, storage_endpoint, container, until=until)

    return Services(
        batch=BatchService(
            account=batch,
            endpoint=f"http://{authority}/{batch.name}",
            directory=directory / "batch",
            clock=clock,
            run_admin=options.allow_admin,
            auto_storage=sign_container,
            environ=environ,
        ),
        blob=BlobService(
            account=storage,
            endpoint=storage_endpoint,
            directory=directory / "blob",
            clock=clock,
        ),
    )
