"""Which properties the api-versions have, where they differ from the emulator's own form.

It must not know what is done about a property that a version does not have.
"""

from __future__ import annotations

from enum import Enum
from functools import cache

from runner.emulator.batch.operations.versions import (
    V2020_09,
    V2021_06,
    V2022_01,
    V2022_10,
    V2023_05,
    V2023_11,
    V2024_02,
    V2024_07,
    V2025_06,
    Version,
)
from runner.emulator.storage.record import record

Path = tuple[str, ...]
"""Names of properties from the outside in; a list on the way stands for each of its items."""


class Entity(Enum):
    """What a body is of, by the name that `odata.metadata` has for it."""

    POOLS = "pools"
    JOBS = "jobs"
    SCHEDULES = "jobschedules"
    TASKS = "tasks"
    NODES = "nodes"
    NODE_COUNTS = "poolnodecounts"
    TASK_COUNTS = "taskcounts"
    REMOTE_LOGIN = "Microsoft.Azure.Batch.Protocol.Entities.RemoteLoginSettings"


@record(frozen=True, slots=True)
class Lifetime:
    """From the version `since` to the one before `until`."""

    path: Path
    since: Version | None = None
    until: Version | None = None

    def covers(self, version: Version) -> bool:
        """Whether the version has the property."""
        begun = self.since is None or version >= self.since
        return begun and (self.until is None or version < self.until)

    def below(self, prefix: Path) -> Lifetime:
        """The same property where the whole is part of something else."""
        return Lifetime((*prefix, *self.path), self.since, self.until)


def _below(prefix: Path, lifetimes: tuple[Lifetime, ...]) -> tuple[Lifetime, ...]:
    return tuple(lifetime.below(prefix) for lifetime in lifetimes)


# Source: the models of azure-batch 9.0 to 14.2 (Python), which were each made from one version,
# the OpenAPI document of 2024-07-01.20.0, and azure-batch 15.1 for 2025-06-01.
_CONTAINER = (Lifetime(("containerHostBatchBindMounts",), since=V2024_07),)
_REGISTRY = (Lifetime(("identityReference",), since=V2021_06),)
_RESOURCE = (Lifetime(("identityReference",), since=V2021_06),)
_COMMAND = (
    *_below(("containerSettings",), _CONTAINER),
    *_below(("containerSettings", "registry"), _REGISTRY),
    *_below(("resourceFiles",), _RESOURCE),
)
_OUTPUT = (
    Lifetime(("outputFiles", "destination", "container", "identityReference"), since=V2021_06),
    Lifetime(("outputFiles", "destination", "container", "uploadHeaders"), since=V2022_01),
)
_TASK = (
    *_COMMAND,
    *_OUTPUT,
    Lifetime(("requiredSlots",), since=V2020_09),
    Lifetime(("authenticationTokenSettings",), until=V2025_06),
)
_MACHINE = (
    Lifetime(("extensions",), since=V2021_06),
    Lifetime(("nodePlacementConfiguration",), since=V2021_06),
    Lifetime(("osDisk",), since=V2021_06),
    Lifetime(("osDisk", "caching"), since=V2023_11),
    Lifetime(("osDisk", "diskSizeGB"), since=V2023_11),
    Lifetime(("osDisk", "managedDisk"), since=V2023_11),
    Lifetime(("osDisk", "managedDisk", "securityProfile"), since=V2024_07),
    Lifetime(("osDisk", "managedDisk", "diskEncryptionSet"), since=V2025_06),
    Lifetime(("osDisk", "writeAcceleratorEnabled"), since=V2023_11),
    Lifetime(("extensions", "enableAutomaticUpgrade"), since=V2023_05),
    Lifetime(("dataDisks", "managedDisk"), since=V2025_06),
    Lifetime(("dataDisks", "storageAccountType"), until=V2025_06),
    Lifetime(("securityProfile",), since=V2023_11),
    Lifetime(("securityProfile", "proxyAgentSettings"), since=V2025_06),
    Lifetime(("serviceArtifactReference",), since=V2023_11),
    Lifetime(("diskEncryptionConfiguration", "customerManagedKey"), since=V2025_06),
    Lifetime(("imageReference", "sharedGalleryImageId"), since=V2024_07),
    Lifetime(("imageReference", "communityGalleryImageId"), since=V2024_07),
    *_below(("containerConfiguration", "containerRegistries"), _REGISTRY),
)
_POOL_SPECIFICATION = (
    *_below(("startTask",), _COMMAND),
    *_below(("virtualMachineConfiguration",), _MACHINE),
    Lifetime(
        ("mountConfiguration", "azureBlobFileSystemConfiguration", "identityReference"), V2021_06
    ),
    Lifetime(("targetNodeCommunicationMode",), since=V2022_10, until=V2025_06),
    Lifetime(("networkConfiguration", "enableAcceleratedNetworking"), since=V2023_05),
    Lifetime(
        ("networkConfiguration", "publicIPAddressConfiguration", "ipFamilies"), since=V2025_06
    ),
    Lifetime(("networkConfiguration", "publicIPAddressConfiguration", "ipTags"), since=V2025_06),
    Lifetime(("resourceTags",), since=V2023_11, until=V2025_06),
    Lifetime(("upgradePolicy",), since=V2024_02),
    Lifetime(("cloudServiceConfiguration",), until=V2024_07),
    Lifetime(("applicationLicenses",), until=V2024_07),
    Lifetime(("certificateReferences",), until=V2025_06),
    Lifetime(("taskSchedulingPolicy", "jobDefaultOrder"), since=V2025_06),
    Lifetime(("taskSlotsPerNode",), since=V2020_09),
)
_POOL = (
    *_POOL_SPECIFICATION,
    Lifetime(("identity",), since=V2021_06),
    Lifetime(("currentNodeCommunicationMode",), since=V2022_10, until=V2025_06),
)
_SPECIFICATION = (
    Lifetime(("maxParallelTasks",), since=V2021_06),
    Lifetime(("allowTaskPreemption",), since=V2022_01),
    Lifetime(("networkConfiguration", "skipWithdrawFromVNet"), since=V2024_07),
    *_below(("jobManagerTask",), _TASK),
    *_below(("jobPreparationTask",), _COMMAND),
    *_below(("jobReleaseTask",), _COMMAND),
    *_below(("poolInfo", "autoPoolSpecification", "pool"), _POOL_SPECIFICATION),
)
_NODE = (
    Lifetime(("runningTaskSlotsCount",), since=V2020_09),
    Lifetime(("virtualMachineInfo",), since=V2021_06),
    Lifetime(("certificateReferences",), until=V2025_06),
    Lifetime(("ipv6Address",), since=V2025_06),
    *_below(("startTask",), _COMMAND),
)
_COUNTS = (
    Lifetime(("upgradingOS",), since=V2024_02),
    Lifetime(("deallocated",), since=V2024_07),
    Lifetime(("deallocating",), since=V2024_07),
)

LIFETIMES: dict[Entity, tuple[Lifetime, ...]] = {
    Entity.POOLS: _POOL,
    Entity.JOBS: _SPECIFICATION,
    Entity.SCHEDULES: _below(("jobSpecification",), _SPECIFICATION),
    Entity.TASKS: _TASK,
    Entity.NODES: _NODE,
    Entity.NODE_COUNTS: (*_below(("dedicated",), _COUNTS), *_below(("lowPriority",), _COUNTS)),
    Entity.TASK_COUNTS: (),
    Entity.REMOTE_LOGIN: (
        Lifetime(("ipv6RemoteLoginIPAddress",), since=V2025_06),
        Lifetime(("ipv6RemoteLoginPort",), since=V2025_06),
    ),
}

POOLS_WITHIN: dict[Entity, Path] = {
    Entity.POOLS: (),
    Entity.JOBS: ("poolInfo", "autoPoolSpecification", "pool"),
    Entity.SCHEDULES: ("jobSpecification", "poolInfo", "autoPoolSpecification", "pool"),
}
"""Where a pool stands in a body."""


@cache
def absent_paths(version: Version, entity: Entity) -> tuple[Path, ...]:
    """The properties that a version does not have."""
    return tuple(lifetime.path for lifetime in LIFETIMES[entity] if not lifetime.covers(version))
