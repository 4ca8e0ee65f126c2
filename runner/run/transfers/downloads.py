"""Brings blobs into the output directory: whole, under their own names, and nowhere else.

It must not know which task a blob is from, nor whether it is wanted.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import threading
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from runner.errors import DiskFullError, TransferError, describe_os_error
from runner.frozen import dataclass
from runner.run.records.file_locks import hold_lock, try_lock
from runner.run.services import Blobs
from runner.run.transfers.folders import Folder, Folders, shown

_PARTIAL = re.compile(r"\.batch-run-[0-9a-f]{32}\.partial")
"""The names of files that are on their way."""
# No part of it is empty or begins with a dot.
_PLAIN_NAME = re.compile(r"[^/\0.][^/\0]*(?:/[^/\0.][^/\0]*)*")
# A longer name may be too long for some file system.
_SURE_BYTES = 128
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_WINDOWS_DEVICE = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])(?:\.|\Z)", re.IGNORECASE
)
_WINDOWS_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"|?*\\]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A blob that is a file now."""

    path: str
    size_bytes: int
    md5: bytes
    """Of what was written, whatever the service says of the blob."""
    modified: datetime | None
    """When the blob was written, where the service says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A blob that is whole in an open file, under a name that nobody looks for."""

    folder: Folder
    partial: str
    stream: BinaryIO
    name: str
    path: str
    """Where it is to be."""
    size_bytes: int
    md5: bytes
    modified: datetime | None


class Downloads:
    """One output directory; may be used from several threads."""

    def __init__(self, directory: Path, *, blobs: Blobs, tells_case: bool | None = None) -> None:
        """`tells_case` is whether `A` and `a` are two files there; None: look."""
        self._directory = directory
        self._prefix = os.path.join(directory, "")  # noqa: PTH118 - joined to a text for each file
        self._folders = Folders(directory)
        self._blobs = blobs
        self._lock = threading.Lock()
        self._tells_case = tells_case
        self._taken: dict[str, str] = {}
        # Chance is asked once, and not the system for each file.
        self._mark = os.urandom(10).hex()
        self._numbers = itertools.count()

    def fetch(self, container: str, blob: str, folder: str, name: str) -> Fetched:
        """Writes a blob beside `folder/name`, whole; `land` gives it its name.

        Raises `BlobMissingError`, and `TransferError` where it cannot be a file there: then what
        was there before is as it was.
        """
        relative = f"{folder}/{_local_text(name)}"
        below, _, last = relative.rpartition("/")
        path = self._prefix + relative.replace("/", os.sep)
        try:
            open_ = self._folders.take(below)
            try:
                if len(os.fsencode(last)) > _SURE_BYTES:
                    # Refuses a name that is too long before anything is transferred.
                    open_.look_at(last)
                return self._fetch(open_, container, blob, relative, last, path)
            except BaseException:
                self._folders.give_back(open_)
                raise
        except OSError as error:
            raise file_fault("write", path, error) from error

    def land(self, files: Sequence[Fetched]) -> list[Brought | TransferError]:
        """Gives files their names, once they are on the disk; what of each came of that.

        Several together cost the disk little more than one. One that cannot have its name leaves
        what was there as it was.
        """
        faults = [self._attempt(file, _put_on_disk) for file in files]
        for place, file in enumerate(files):
            faults[place] = faults[place] or self._attempt(file, _name)
            self._folders.give_back(file.folder)
        return [
            fault
            or Brought(
                path=file.path, size_bytes=file.size_bytes, md5=file.md5, modified=file.modified
            )
            for file, fault in zip(files, faults, strict=True)
        ]

    def close(self) -> None:
        """Gives the folders back."""
        self._folders.close()

    def _attempt(self, file: Fetched, act: Callable[[Fetched], None]) -> TransferError | None:
        """Why something could not be done to a file, which then is not there any more."""
        try:
            act(file)
        except OSError as error:
            _drop(file.folder, file.partial, file.stream)
            return file_fault("write", file.path, error)
        return None

    def _fetch(
        self, folder: Folder, container: str, blob: str, relative: str, name: str, path: str
    ) -> Fetched:
        # Of its own for each try, whoever downloads beside us.
        partial = f".batch-run-{self._mark}{next(self._numbers):012x}.partial"
        stream = folder.create(partial)
        try:
            hold_lock(stream)
            self._claim(folder, partial, relative)
            done = self._blobs.download(container, blob, stream)
            stream.flush()
            stream.begin_to_land()
        except BaseException:
            _drop(folder, partial, stream)
            raise
        return Fetched(
            folder=folder,
            partial=partial,
            stream=stream,
            name=name,
            path=path,
            size_bytes=done.size_bytes,
            md5=done.md5,
            modified=done.modified,
        )

    def _claim(self, folder: Folder, partial: str, relative: str) -> None:
        """Refuses a name that is another result's file, where the disk cannot tell them apart."""
        with self._lock:
            if self._tells_case is None:
                self._tells_case = folder.look_at(partial.upper()) is None
            if self._tells_case:
                return
            key = unicodedata.normalize("NFC", relative).casefold()
            other = self._taken.setdefault(key, relative)
        if other != relative:
            raise TransferError(
                f"{shown(relative)} and {shown(other)} are one file in"
                f" {shown(self._directory)}, where upper and lower case are the same",
                hint="choose a place that tells them apart with `--output DIR`",
            )


def _put_on_disk(file: Fetched) -> None:
    os.fsync(file.stream.fileno())


def _name(file: Fetched) -> None:
    if os.name == "posix":
        with file.stream:  # while it is locked nobody takes it for left over
            file.folder.replace(file.name, file.partial)
    else:
        file.stream.close()  # an open file cannot be renamed there
        file.folder.replace(file.name, file.partial)


def _drop(folder: Folder, partial: str, stream: BinaryIO) -> None:
    """Takes away what does not get its name; the error that brought us here says more."""
    with contextlib.suppress(OSError):
        stream.close()
    with contextlib.suppress(OSError):
        folder.remove(partial)


def remove_partials(directory: Path) -> int:
    """Removes what killed downloads have left below an output directory, and says how many.

    Links are not followed. What another client is just writing stays, and so does what cannot be
    removed: it is in nobody's way.
    """
    removed = 0
    for folder, _, names in os.walk(directory):  # follows no links, and passes over what is closed
        for name in filter(_PARTIAL.fullmatch, names):
            path = Path(folder, name)
            with contextlib.suppress(OSError):
                if path.is_symlink() or not path.is_file():
                    continue
                with path.open("ab") as stream:
                    if not try_lock(stream):
                        continue
                    if os.name == "posix":
                        path.unlink()
                if os.name != "posix":
                    path.unlink()
                removed += 1
    return removed


def _local_text(blob: str) -> str:
    """The same as a text, without the cost of a path where nothing about it is odd."""
    if os.sep == "/" and _PLAIN_NAME.fullmatch(blob):
        return blob
    return str(local_name(blob))


def local_name(blob: str, *, windows: bool = os.sep == "\\") -> PurePosixPath:
    """The path of a blob below its role's folder; `TransferError` if it would lead elsewhere.

    On Windows, names are refused too that mean something else there.
    """
    path = PurePosixPath(blob)
    unsafe = path.is_absolute() or ".." in path.parts or not path.parts or "\0" in blob
    if not unsafe and windows:
        unsafe = any(_is_odd_on_windows(part) for part in path.parts)
    if unsafe or _PARTIAL.fullmatch(path.name):
        raise TransferError(f"blob {blob!a} cannot be a file below the output directory")
    return path


def _is_odd_on_windows(part: str) -> bool:
    """Streams, devices, and names whose end Windows cuts off."""
    return bool(
        _WINDOWS_FORBIDDEN.search(part) or _WINDOWS_DEVICE.match(part) or part.endswith((".", " "))
    )


def file_fault(verb: str, path: Path | str, error: OSError) -> TransferError:
    """What the system says of a file that could not be read or written."""
    kind = DiskFullError if error.errno in _FULL else TransferError
    return kind(f"cannot {verb} {shown(path)}: {describe_os_error(error)}")
