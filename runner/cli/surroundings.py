"""Looks around on this machine for `doctor`: versions, the folder, the room on its disk.

It must not know what any of it means for a run.
"""

from __future__ import annotations

import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryFile

from runner import __version__
from runner.cli.world import World
from runner.errors import describe_os_error
from runner.run.diagnosis.machine import Machine

_PACKAGES = ("azure-batch", "azure-storage-blob", "azure-identity", "azure-core")


def look_around(world: World, *, target: str, why: str) -> Machine:
    """What there is; the folder is tried by a file that has no name."""
    return Machine(
        target=target,
        why=why,
        environ=world.environ,
        versions={
            "batch-run": __version__,
            "Python": platform.python_version(),
            **{name: _version(name) for name in _PACKAGES},
        },
        folder_problem=_find_folder_problem(world.working_directory),
        free_bytes=_free_bytes(world.working_directory),
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(unknown)"


def _find_folder_problem(folder: Path) -> str | None:
    kept = folder / ".batch-run" / "runs"
    place = next((each for each in (kept, kept.parent) if each.is_dir()), folder)
    try:
        with TemporaryFile(dir=place):
            return None
    except OSError as error:
        return f"`{place}`: {describe_os_error(error)}"


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
