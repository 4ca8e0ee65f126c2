"""Unpacks application packages on a node, once each.

It must not know of applications, nor which task wants one.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

from runner.emulator.batch.node.containment import NodeFolder, directory_below, status_below
from runner.emulator.batch.node.directories import remove_tree, unlink
from runner.emulator.batch.node.failures import preparation_failed
from runner.emulator.batch.node.launch import Package


def unpack_packages(packages: Iterable[Package]) -> None:
    """Puts each package into its folder, unless it is there.

    Raises `StepFailedError` (`ApplicationPackageError`) for one that is missing or no zip file.
    """
    # Imported here: it takes long to load, and few tasks have packages.
    import zipfile

    for package in packages:
        if package.archive is None:
            raise _failed(package, "The account has no such package")
        try:
            if _is_there(package.directory):
                continue
            _unpack(package.archive, package.directory)
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise _failed(package, str(error)) from error


def _is_there(folder: NodeFolder) -> bool:
    status = status_below(folder.above, folder.parts[-1:])
    return status is not None and stat.S_ISDIR(status.st_mode)


def _unpack(archive: Path, folder: NodeFolder) -> None:
    import zipfile

    # Aside first: another task that wants the package sees all of it or nothing. Beside the node,
    # since what is in it may be swapped for a link at any time.
    aside = folder.node.parent / f".{secrets.token_hex(8)}.unpacked"
    try:
        aside.mkdir()
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                path = Path(opened.extract(entry, aside))
                mode = stat.S_IMODE(entry.external_attr >> 16)
                if mode and path.is_file():
                    path.chmod(_readable(mode))
        with directory_below(folder.above, create=True, replace_links=True) as parent:
            _move(aside, folder.parts[-1], parent)
    finally:
        remove_tree(aside)


def _readable(mode: int) -> int:
    """Tasks of any user may want the file."""
    anybody = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
    executed = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
    return mode | anybody | (executed if mode & stat.S_IXUSR else 0)


def _move(aside: Path, name: str, parent: int) -> None:
    try:
        os.rename(aside, name, dst_dir_fd=parent)
    except NotADirectoryError:
        # A task's link or file has its name.
        unlink(name, parent)
        os.rename(aside, name, dst_dir_fd=parent)
    except OSError as error:
        # Another task that wanted it was faster.
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise


def _failed(package: Package, reason: str) -> Exception:
    return preparation_failed(
        "ApplicationPackageError", ("ApplicationPackage", package.name), ("Message", reason)
    )
