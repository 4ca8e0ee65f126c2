"""Where things are: the account that tasks see, and the folders of nodes on this machine.

It must not know what runs in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from runner.emulator.batch.applications import Applications
from runner.emulator.batch.core.ids import NodeId
from runner.emulator.batch.core.node import Node
from runner.emulator.batch.core.pool import Pool
from runner.emulator.batch.node.containment import folder_of
from runner.emulator.batch.node.launch import NodeDirectories, Package
from runner.emulator.server.trust import Trust
from runner.emulator.storage.record import record

NO_APPLICATIONS = Applications(None)


@record(frozen=True, slots=True, kw_only=True)
class Place:
    """The account, and the directory that holds one folder for each node.

    `identity` signs a URL as a managed identity would open it; `auto_storage` gives the signed URL
    of a container of the account's auto-storage account; `trust` is what tasks need to trust the
    emulator, if anything.
    """

    account: str
    endpoint: str
    nodes: Path
    auto_storage: Callable[[str], str] | None = None
    trust: Trust | None = None
    applications: Applications = NO_APPLICATIONS
    identity: Callable[[str], str] | None = None

    def directories(self, node: Node) -> NodeDirectories:
        """The folders of a node."""
        return _directories(self.nodes, node.id)


@lru_cache(maxsize=1024)
def _directories(nodes: Path, node: NodeId) -> NodeDirectories:
    """Each task asks for them several times, and paths take long to put together."""
    return NodeDirectories(root=nodes / node)


def mount_paths(pool: Pool) -> Iterator[str]:
    """Where a pool wants file systems mounted, below the folder of mounts."""
    for mount in pool.document.get("mountConfiguration", ()):
        for configuration in mount.values():
            yield configuration["relativeMountPath"]


def container_images(pool: Pool) -> tuple[str, ...]:
    """The images that a pool wants on its nodes before anything runs there."""
    machine = pool.document.get("virtualMachineConfiguration", {})
    return tuple(machine.get("containerConfiguration", {}).get("containerImageNames", ()))


def package_folder(directories: NodeDirectories, package: Mapping[str, str]) -> Path:
    """Where an application package of a node is."""
    version = package.get("version", "default")
    return directories.root / "applications" / package["applicationId"] / version


def packages_for(
    place: Place, node: Node, packages: Iterable[Mapping[str, str]]
) -> tuple[Package, ...]:
    """What has to be unpacked on a node."""
    directories = place.directories(node)
    return tuple(
        Package(
            name=":".join(filter(None, (package["applicationId"], package.get("version")))),
            archive=place.applications.package(package["applicationId"], package.get("version")),
            directory=folder_of(directories.root, package_folder(directories, package)),
        )
        for package in packages
    )
