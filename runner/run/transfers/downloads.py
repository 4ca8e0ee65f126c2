"""Brings blobs into the output directory: whole, under their own names, and nowhere else.

It must not know which task a blob is from, nor whether it is wanted.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import threading
import unicodedata
import uuid
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from runner.errors import DiskFullError, TransferError, describe_os_error
from runner.run.records.file_locks import hold_lock, try_lock
from runner.run.services import Blobs
from runner.run.transfers.folders import Folder, open_folder, shown

_PARTIAL = re.compile(r"\.batch-run-[0-9a-f]{32}\.partial")
"""The names of files that are on their way."""
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


class Downloads:
    """One output directory; may be used from several threads."""

    def __init__(self, directory: Path, *, blobs: Blobs, tells_case: bool | None = None) -> None:
        """`tells_case` is whether `A` and `a` are two files there; None: look."""
        self._directory = directory
        self._blobs = blobs
        self._lock = threading.Lock()
        self._tells_case = tells_case
        self._taken: dict[str, PurePosixPath] = {}

    def bring(self, container: str, blob: str, folder: str, name: str) -> Brought:
        """Writes a blob as `folder/name`, once it is there whole and on the disk.

        Raises `BlobMissingError`, and `TransferError` where it cannot be a file there: then what
        was there before is as it was.
        """
        relative = PurePosixPath(folder) / local_name(name)
        target = self._directory.joinpath(*relative.parts)
        try:
            with open_folder(self._directory, relative.parent) as open_:
                # Refuses a name that is too long before anything is transferred.
                open_.look_at(relative.name)
                return self._bring(open_, container, blob, relative, target)
        except OSError as error:
            raise file_fault("write", target, error) from error

    def _bring(
        self, folder: Folder, container: str, blob: str, relative: PurePosixPath, target: Path
    ) -> Brought:
        # Of its own for each try, whoever downloads beside us.
        partial = f".batch-run-{uuid.uuid4().hex}.partial"
        try:
            with folder.create(partial) as stream:
                hold_lock(stream)
                self._claim(folder, partial, relative)
                done = self._blobs.download(container, blob, stream)
                stream.flush()
                os.fsync(stream.fileno())
                if os.name == "posix":  # while it is locked nobody takes it for left over
                    folder.replace(relative.name, partial)
            if os.name != "posix":  # an open file cannot be renamed there
                folder.replace(relative.name, partial)
        except BaseException:
            with contextlib.suppress(OSError):  # the error that brought us here says more
                folder.remove(partial)
            raise
        return Brought(path=os.fspath(target), size_bytes=done.size_bytes, md5=done.md5)

    def _claim(self, folder: Folder, partial: str, relative: PurePosixPath) -> None:
        """Refuses a name that is another result's file, where the disk cannot tell them apart."""
        with self._lock:
            if self._tells_case is None:
                self._tells_case = folder.look_at(partial.upper()) is None
            if self._tells_case:
                return
            key = unicodedata.normalize("NFC", str(relative)).casefold()
            other = self._taken.setdefault(key, relative)
        if other != relative:
            raise TransferError(
                f"{shown(str(relative))} and {shown(str(other))} are one file in"
                f" {shown(self._directory)}, where upper and lower case are the same",
                hint="choose a place that tells them apart with `--output DIR`",
            )


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
