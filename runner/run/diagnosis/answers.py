"""What two accounts answer to the questions of a diagnosis, in plain words.

It must not know how they are asked, nor what is made of the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

from runner.errors import BatchRunError
from runner.frozen import dataclass
from runner.plan.model import RunId
from runner.run.removal.traces import Trace
from runner.run.statuses import PoolStatus
from runner.spec.model.pool import Image
from runner.spec.model.terms import Application

T = TypeVar("T")
Answers = Mapping[str, Any]
"""By question: the answer, or the `BatchRunError` that came instead of one."""
Question = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """An endpoint that answered at all, whatever it said.

    `date` is the service's clock (the header `Date`) and `at` ours when it came.
    """

    addresses: tuple[str, ...]
    """Empty where a proxy looks the name up."""
    proxy: str | None
    tls: str | None
    """The version of the protocol; None over plain HTTP."""
    date: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whoever is signed in to Microsoft Entra ID, as far as a token says."""

    name: str
    tenant: str
    is_application: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSeen:
    """A pool of the account, as its list tells of it."""

    id: str
    vm_size: str
    dedicated: int
    spot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many there are; `more` where the count was broken off there."""

    count: int
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageKind:
    """What a storage account says of itself (REST: Get Account Information)."""

    kind: str
    sku: str
    hierarchical: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportedImage:
    """An image in the service's list (REST: Account - List Supported Images)."""

    name: str
    agent: str
    is_verified: bool
    capabilities: frozenset[str]
    """In lower case."""
    end_of_support: datetime | None

    @property
    def is_second_generation(self) -> bool:
        """Whether the list marks it so, or its name does."""
        marks = ("gen2", "-g2", "gensecond")
        return "generation2vmimage" in self.capabilities or any(
            mark in self.name.lower() for mark in marks
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """What the Batch account may have at most (REST: Batch Account - Get, management plane).

    None where the service does not bound it itself, as of cores in user subscription mode.
    """

    location: str
    user_subscription: bool
    dedicated_cores: int | None
    by_family: Mapping[str, int]
    """Dedicated cores by the family of VM sizes, where these count."""
    spot_cores: int | None
    pools: int | None
    jobs: int | None
    is_public: bool
    """Whether it is reachable from networks that it does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSeen:
    """A container of the user's naming, as far as it can be looked at."""

    exists: bool
    is_empty: bool


class Account(Protocol):
    """Both accounts, to be asked; every method may raise `BatchRunError`, and changes nothing."""

    def reach_batch(self) -> Contact:
        """Batch's endpoint, asked without a credential."""
        ...

    def reach_storage(self) -> Contact:
        """Blob Storage's endpoint, asked without a credential."""
        ...

    def identify(self) -> Identity:
        """Who is signed in, where a key is missing."""
        ...

    def list_pools(self) -> tuple[PoolSeen, ...]:
        """All pools."""
        ...

    def count_jobs(self) -> Counted:
        """Jobs that are not over."""
        ...

    def read_job(self) -> None:
        """Asks for a job that cannot exist: who may read jobs learns that it does not."""
        ...

    def find_image(self, image: Image, *, containers: bool) -> SupportedImage:
        """The image in the service's list; `UsageError` with near ones if it is not there."""
        ...

    def find_pool(self, pool_id: str) -> PoolStatus | None:
        """A pool of the user's; None where there is none."""
        ...

    def has_application(self, application: Application) -> bool:
        """Whether the account has a package of this id and, where one is named, version."""
        ...

    def list_containers(self) -> Counted:
        """The first page of containers."""
        ...

    def read_blob(self) -> None:
        """Asks for a blob that cannot exist: who may read blobs learns that it does not."""
        ...

    def delegate(self) -> None:
        """Has a user delegation key made, by which signatures are made without the account's."""
        ...

    def storage_kind(self) -> StorageKind:
        """What the storage account says of itself."""
        ...

    def look_into(self, container: str) -> ContainerSeen:
        """Whether a container exists, and has any blob."""
        ...

    def list_traces(self, run: RunId | None = None) -> tuple[Trace, ...]:
        """What runs have left in both accounts."""
        ...

    def read_quotas(self) -> Quotas:
        """From the management plane, which wants a subscription, a resource group and a token."""
        ...


def failed(answer: object) -> BatchRunError | None:
    """The error that came in place of an answer."""
    return answer if isinstance(answer, BatchRunError) else None
