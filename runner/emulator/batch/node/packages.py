"""Unpacks application packages on a node, once each.

It must not know of applications, nor which task wants one.
"""

from __future__ import annotations

import secrets
import stat
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from runner.emulator.batch.node.directories import remove_tree
from runner.emulator.batch.node.failures import preparation_failed
from runner.emulator.batch.node.launch import Package


def unpack_packages(packages: Iterable[Package]) -> None:
    """Puts each package into its folder, unless it is there.

    Raises `StepFailedError` (`ApplicationPackageError`) for one that is missing or no zip file.
    """
    for package in packages:
        if package.archive is None:
            raise _failed(package, "The account has no such package")
        if package.directory.exists():
            continue
        try:
            _unpack(package.archive, package.directory)
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise _failed(package, str(error)) from error


def _unpack(archive: Path, directory: Path) -> None:
    directory.parent.mkdir(parents=True, exist_ok=True)
    # Aside first: another task that wants the package sees all of it or nothing.
    aside = directory.with_name(f".{directory.name}-{secrets.token_hex(8)}")
    try:
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                path = Path(opened.extract(entry, aside))
                mode = stat.S_IMODE(entry.external_attr >> 16)
                if mode and path.is_file():
                    path.chmod(_readable(mode))
        aside.mkdir(exist_ok=True)
        with suppress(FileExistsError):
            _move(aside, directory)
    finally:
        remove_tree(aside)


def _readable(mode: int) -> int:
    """Tasks of any user may want the file."""
    anybody = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
    executed = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
    return mode | anybody | (executed if mode & stat.S_IXUSR else 0)


def _move(aside: Path, directory: Path) -> None:
    try:
        aside.rename(directory)
    except OSError:
        if not directory.exists():
            raise


def _failed(package: Package, reason: str) -> Exception:
    return preparation_failed(
        "ApplicationPackageError", ("ApplicationPackage", package.name), ("Message", reason)
    )
