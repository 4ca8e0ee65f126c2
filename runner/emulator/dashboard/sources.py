"""What the page looks at: the services of all accounts, their requests, faults and time.

It must not know how any of it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from runner.emulator.batch.operations.call import Account as BatchShared
from runner.emulator.batch.service import BatchService
from runner.emulator.blob.core.state import State as BlobState
from runner.emulator.blob.service import BlobService
from runner.emulator.control.gate import ControlError, Resource
from runner.emulator.faults.choose import Faults
from runner.emulator.lingering import Attendance
from runner.emulator.server.accounts import Account, Accounts
from runner.emulator.server.http import Service
from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class BatchSource:
    """A Batch account; `storage` is the name of its auto-storage account."""

    name: str
    endpoint: str
    storage: str
    shared: BatchShared


@record(frozen=True, slots=True, kw_only=True)
class BlobSource:
    """A storage account."""

    name: str
    endpoint: str
    state: BlobState


@record(frozen=True, slots=True, kw_only=True)
class Sources:
    """All that there is to be looked at; `resources` are what the emulator can be told."""

    batch: tuple[BatchSource, ...]
    blob: tuple[BlobSource, ...]
    attendance: Attendance
    faults: Faults
    resources: Mapping[str, Resource]
    now: Callable[[], datetime]
    """As it is for tasks, virtual or not."""
    clock: Callable[[], datetime]
    """As it is for requests."""
    monotonic: Callable[[], float]

    def batch_account(self, name: str) -> BatchSource:
        """Raises `ControlError` where there is none."""
        found = next((each for each in self.batch if each.name == name), None)
        if found is None:
            raise ControlError(404, f"there is no Batch account `{name}`")
        return found

    def blob_account(self, name: str) -> BlobSource:
        """Raises `ControlError` where there is none."""
        found = next((each for each in self.blob if each.name == name), None)
        if found is None:
            raise ControlError(404, f"there is no storage account `{name}`")
        return found

    def revision(self) -> tuple[int, ...]:
        """Another whenever anything has changed but what was asked."""
        return (
            *(each.shared.state.store.revision for each in self.batch),
            *(each.state.catalogue.revision for each in self.blob),
            *(number for rule in self.faults for number in (rule.number, rule.chances)),
        )


def find_batch(
    accounts: Accounts, services: Mapping[Account, Service], origin: str
) -> tuple[BatchSource, ...]:
    """The Batch accounts, in their order."""
    return tuple(
        BatchSource(
            name=pair.account.name,
            endpoint=f"{origin}/{pair.account.name}",
            storage=pair.storage.name,
            shared=service.shared,
        )
        for pair in accounts.batch
        if isinstance(service := services[pair.account], BatchService)
    )


def find_blob(
    accounts: Accounts, services: Mapping[Account, Service], origin: str
) -> tuple[BlobSource, ...]:
    """The storage accounts, in their order."""
    return tuple(
        BlobSource(name=account.name, endpoint=f"{origin}/{account.name}", state=service.state)
        for account in accounts.storage
        if isinstance(service := services[account], BlobService)
    )
