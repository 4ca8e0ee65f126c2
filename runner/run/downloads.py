"""Brings blobs into the output directory: whole, under their own names, and nowhere else.

It must not know which task a blob is from, nor whether it is wanted.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from pathlib import Path, PurePosixPath

from runner.errors import TransferError, describe_os_error
from runner.run.services import Blobs


class Downloads:
    """One output directory; may be used from several threads."""

    def __init__(self, directory: Path, *, blobs: Blobs) -> None:
        self._directory = directory
        self._blobs = blobs
        self._lock = threading.Lock()
        self._folders: set[Path] = set()

    def bring(self, container: str, blob: str, folder: str, name: str) -> tuple[str, int]:
        """Writes a blob as `folder/name`; gives the path and the size in bytes.

        Raises `BlobMissingError`, and `TransferError` where it cannot be a file there.
        """
        target = self._directory / folder / local_name(name)
        # One of its own for each blob, however long its name is and whoever downloads beside us.
        digest = hashlib.sha256(f"{container}/{blob}".encode("utf-8", "surrogatepass")).hexdigest()
        partial = target.with_name(f".batch-run-{digest[:32]}.partial")
        try:
            self._make_folder(target.parent)
            with contextlib.suppress(FileNotFoundError):
                target.lstat()  # refuses a name that is too long before anything is transferred
            size = self._blobs.download_file(container, blob, partial)
            partial.replace(target)
        except OSError as error:
            raise file_fault("write", target, error) from error
        finally:
            with contextlib.suppress(OSError):  # an error that brought us here says more
                partial.unlink()
        return os.fspath(target), size

    def _make_folder(self, folder: Path) -> None:
        """Makes the folder, once, unless a link on the way leads out of the output directory."""
        with self._lock:
            if folder in self._folders:
                return
            self._directory.mkdir(parents=True, exist_ok=True)
            root = Path(os.path.realpath(self._directory))
            # Looked at before anything is made: what is new below it cannot be a link.
            existing = folder
            while not os.path.lexists(existing):
                existing = existing.parent
            if not Path(os.path.realpath(existing)).is_relative_to(root):
                raise TransferError(f"{_shown(folder)} leads out of {_shown(root)} by a link")
            folder.mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)


def local_name(blob: str) -> PurePosixPath:
    """The path of a blob below its role's folder; `TransferError` if it would lead elsewhere."""
    path = PurePosixPath(blob)
    unsafe = path.is_absolute() or ".." in path.parts or not path.parts or "\0" in blob
    if unsafe or (os.sep == "\\" and ("\\" in blob or ":" in blob)):
        raise TransferError(f"blob {blob!a} cannot be a file below the output directory")
    return path


def file_fault(verb: str, path: Path | str, error: OSError) -> TransferError:
    """What the system says of a file that could not be read or written."""
    reason = describe_os_error(error)
    return TransferError(f"cannot {verb} {_shown(path)}: {reason}")


def _shown(path: Path | str) -> str:
    """In backticks, or with escapes where a blob's name would break the line."""
    text = os.fspath(path)
    return f"`{text}`" if text.isprintable() else ascii(text)
