"""The pool of a workload: its nodes, what they are made from and what they can reach.

It knows nothing of tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum

from runner.frozen import dataclass
from runner.spec.document import Pointer
from runner.spec.model.terms import Application, Elevation, NodeCommand, SecretName


class OperatingSystem(Enum):
    """The operating system of a pool's nodes."""

    LINUX = "linux"
    WINDOWS = "windows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A marketplace image; its node agent is looked up in the service's list.

    `alias` is what was written, where it was a short name such as `ubuntu 24.04`.
    """

    publisher: str
    offer: str
    sku: str
    version: str
    alias: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomImage:
    """An image of one's own (a resource id), with the node agent that fits it."""

    id: str
    node_agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """When `dedicated` further nodes take the place of the spot nodes of a pool.

    That is after so many preemptions, and where there has been no spot node for so long; None for
    never. A pool that is refused its spot nodes has them at once.
    """

    dedicated: int
    after_preemptions: int | None
    wait: timedelta | None
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedNodes:
    """So many nodes, from the start to the end, or until the `fallback`."""

    dedicated: int
    spot: int
    fallback: Fallback | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscale:
    """A formula that the service evaluates every `interval` to set the numbers of nodes.

    `scenario` is the name of the formula where it is one of ours.
    """

    formula: str
    interval: timedelta
    scenario: str | None
    pointer: Pointer
    most: FixedNodes | None = None
    """The most nodes that it ever asks for; None of a formula of the user's."""


class NodeFill(Enum):
    """How tasks are spread over nodes with several slots."""

    SPREAD = "spread"
    PACK = "pack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """A private registry of container images, and the user that it is opened by."""

    server: str
    user: str
    password: SecretName
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobMount:
    """A container of Blob Storage, mounted by blobfuse; just one of `key` and `sas` opens it."""

    account: str
    container: str
    key: SecretName | None
    sas: SecretName | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileShareMount:
    """A share of Azure Files, by its URL."""

    account: str
    url: str
    key: SecretName


@dataclass(frozen=True, slots=True, kw_only=True)
class NfsMount:
    """An NFS export: `server:/path`."""

    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CifsMount:
    """A CIFS (SMB) share: `//server/share`."""

    source: str
    user: str
    password: SecretName


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A file system below each node's `$AZ_BATCH_NODE_MOUNTS_DIR`, at `path`."""

    path: str
    source: BlobMount | FileShareMount | NfsMount | CifsMount
    options: str
    pointer: Pointer


class PublicAddresses(Enum):
    """Who provides the nodes' public IP addresses."""

    BATCH = "batch"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The network that nodes join; `public_addresses` may be ids of addresses of one's own."""

    subnet: str | None
    public_addresses: PublicAddresses | tuple[str, ...]
    accelerated: bool
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user account on every node."""

    name: str
    password: SecretName
    elevation: Elevation
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPool:
    """A pool that is made for the job and goes with it, or that is kept for the next run."""

    image: Image | CustomImage
    vm_size: str
    size: FixedNodes | Autoscale
    task_slots_per_node: int
    node_fill: NodeFill
    start_task: NodeCommand | None
    packages: tuple[str, ...]
    """To be installed by apt, before the start task's own command."""
    container_images: tuple[str, ...]
    registries: tuple[Registry, ...]
    mounts: tuple[Mount, ...]
    network: Network | None
    users: tuple[User, ...]
    inter_node_communication: bool
    applications: tuple[Application, ...]
    node_retries: int
    """How many nodes may be replaced whose start task failed."""
    keep: timedelta | None
    """How long nodes stay for the next run of the same pool; None: gone with the job."""
    os: OperatingSystem
    extra: Mapping[str, object]
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingPool:
    """A pool of the user's own, which is used and left as it is."""

    id: str
    os: OperatingSystem
    pointer: Pointer


Pool = NewPool | ExistingPool
