"""The environment of tasks: what the documentation promises, and what users set.

It must not know how a process gets it. Source: "Batch runtime environment variables".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from runner.emulator.batch.core.node import Node
from runner.emulator.batch.core.pool import Pool
from runner.emulator.batch.launching.place import Place, package_folder
from runner.emulator.batch.node.launch import NodeDirectories

# The documentation's own example value; a local node reserves nothing.
_RESERVED_DISK_BYTES = "1000000000"
_LOCAL_ADDRESS = "127.0.0.1"
_COORDINATION_PORT = 6000
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]")


def settings(given: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """What users set."""
    return {setting["name"]: setting.get("value", "") for setting in given}


def node_variables(place: Place, pool: Pool, node: Node) -> dict[str, str]:
    """What every task of whatever kind is given."""
    return {
        "AZ_BATCH_ACCOUNT_NAME": place.account,
        "AZ_BATCH_ACCOUNT_URL": place.endpoint,
        "AZ_BATCH_POOL_ID": pool.id,
        "AZ_BATCH_NODE_ID": node.id,
        "AZ_BATCH_NODE_IS_DEDICATED": "true" if node.dedicated else "false",
        **_node_folders(place.directories(node)),
        "AZ_BATCH_TASK_RESERVED_EPHEMERAL_DISK_SPACE_BYTES": _RESERVED_DISK_BYTES,
    }


@lru_cache(maxsize=1024)
def _node_folders(directories: NodeDirectories) -> Mapping[str, str]:
    return {
        "AZ_BATCH_NODE_ROOT_DIR": str(directories.root),
        "AZ_BATCH_NODE_SHARED_DIR": str(directories.shared),
        "AZ_BATCH_NODE_STARTUP_DIR": str(directories.startup),
        "AZ_BATCH_NODE_MOUNTS_DIR": str(directories.mounts),
    }


def folder_variables(directory: Path) -> dict[str, str]:
    """Where a task finds its own files."""
    folder = str(directory)
    return {"AZ_BATCH_TASK_DIR": folder, "AZ_BATCH_TASK_WORKING_DIR": f"{folder}/wd"}


def package_variables(
    place: Place, node: Node, packages: Iterable[Mapping[str, str]]
) -> dict[str, str]:
    """Where application packages are; on Linux what a name may not hold becomes `_`."""
    directories = place.directories(node)
    variables = {}
    for package in packages:
        parts = [package["applicationId"], *filter(None, (package.get("version"),))]
        name = _NOT_IN_NAMES.sub("_", "_".join(parts))
        variables[f"AZ_BATCH_APP_PACKAGE_{name}"] = str(package_folder(directories, package))
    return variables


def instance_variables(directory: Path, instances: int, *, primary: bool) -> dict[str, str]:
    """What an instance of a multi-instance task is given: all of them are on this machine."""
    hosts: Sequence[str] = [_LOCAL_ADDRESS] * instances
    return {
        "AZ_BATCH_HOST_LIST": ",".join(hosts),
        "AZ_BATCH_NODE_LIST": ";".join(hosts),
        "AZ_BATCH_IS_CURRENT_NODE_MASTER": "true" if primary else "false",
        "AZ_BATCH_MASTER_NODE": f"{_LOCAL_ADDRESS}:{_COORDINATION_PORT}",
        "AZ_BATCH_TASK_SHARED_DIR": str(directory),
        "CCP_NODES": " ".join([str(instances), *(f"{host} 1" for host in hosts)]),
    }
