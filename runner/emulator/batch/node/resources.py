"""A task's resource files: what is fetched, and where below the working directory it lands.

It must not know how a server is asked (`downloads` does), nor of the process that follows.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from runner.emulator.batch.node.connections import Connections, TransferError
from runner.emulator.batch.node.containment import (
    NodeFolder,
    OutsideError,
    directory_below,
    parts_below,
)
from runner.emulator.batch.node.downloads import WriteError, download, list_blob_names
from runner.emulator.batch.node.failures import StepFailedError, preparation_failed
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.launch import ResourceFile
from runner.emulator.batch.node.owners import Owner
from runner.emulator.batch.node.transfers import run_side_by_side
from runner.emulator.batch.node.urls import blob_url, without_secrets

_DEFAULT_MODE = 0o770
_OCTAL_DIGITS = frozenset("01234567")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """One file to fetch; a `url` of None is a folder that a blob name stands for."""

    url: str | None
    parts: tuple[str, ...]
    mode: int

    @property
    def shown_path(self) -> str:
        return "/".join(self.parts)


def fetch_resources(
    resource_files: Sequence[ResourceFile],
    *,
    working_directory: NodeFolder,
    connections: Connections,
    pool: Executor,
    interruption: Interruption,
    owner: Owner | None = None,
) -> None:
    """Fetches all resource files, side by side; each appears whole or not at all.

    With an owner, that is whose they and the folders that they need become.

    Raises `StepFailedError` with a failure of the pre-processing phase (REST: ResourceFile),
    whose details name the blob without its signature, or `InterruptedRunError`.
    """

    def jobs() -> Iterator[Callable[[], None]]:
        for resource in resource_files:
            for item in _items(resource, connections, interruption):
                yield partial(_fetch, item, working_directory, owner, connections, interruption)

    run_side_by_side(pool, jobs())


def _items(
    resource: ResourceFile, connections: Connections, interruption: Interruption
) -> Iterator[_Item]:
    mode = _parse_mode(resource)
    if resource.http_url is not None:
        parts = _destination(resource.file_path or "", source=resource.http_url)
        if not parts:
            raise _creation_failed(resource.http_url, "", "the file path names no file")
        yield _Item(url=resource.http_url, parts=parts, mode=mode)
    elif resource.storage_container_url is not None:
        yield from _container_items(resource, mode, connections, interruption)
    else:
        raise _creation_failed("", resource.file_path or "", "the resource file names no source")


def _container_items(
    resource: ResourceFile, mode: int, connections: Connections, interruption: Interruption
) -> Iterator[_Item]:
    container_url = resource.storage_container_url or ""
    folder = _destination(resource.file_path or "", source=container_url)
    names: Iterable[str] = list_blob_names(
        connections, container_url, resource.blob_prefix or "", interruption
    )
    iterator = iter(names)
    while True:
        try:
            name = next(iterator, None)
        except TransferError as error:
            raise _download_failed(error, container_url, resource.file_path or "") from error
        if name is None:
            return
        url = blob_url(container_url, name)
        parts = folder + _destination(name.lstrip("/"), source=url)
        yield _Item(url=None if name.endswith("/") else url, parts=parts, mode=mode)


def _fetch(
    item: _Item,
    working_directory: NodeFolder,
    owner: Owner | None,
    connections: Connections,
    interruption: Interruption,
) -> None:
    source = item.url or ""
    try:
        if item.url is None:
            with directory_below(working_directory, item.parts, create=True, owner=owner):
                return
        with directory_below(
            working_directory, item.parts[:-1], create=True, owner=owner
        ) as directory:
            _save_in(directory, item, item.url, owner, connections, interruption)
    except TransferError as error:
        raise _download_failed(error, source, item.shown_path) from error
    except WriteError as error:
        raise _write_failed(error.cause, source, item.shown_path) from error
    except OSError as error:
        raise _write_failed(error, source, item.shown_path, creating=True) from error


def _save_in(
    directory: int,
    item: _Item,
    url: str,
    owner: Owner | None,
    connections: Connections,
    interruption: Interruption,
) -> None:
    temporary = f".{secrets.token_hex(8)}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600, dir_fd=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            download(connections, url, file, interruption)
            if owner is not None:
                # Before the mode, of which a change of owner takes away some.
                os.fchown(file.fileno(), owner.user, owner.group)
            os.fchmod(file.fileno(), item.mode)
        os.rename(temporary, item.parts[-1], src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=directory)
        raise


def _parse_mode(resource: ResourceFile) -> int:
    text = resource.file_mode
    if text is None:
        return _DEFAULT_MODE
    digits = text.removeprefix("0o")
    if not digits or len(digits) > 5 or not _OCTAL_DIGITS.issuperset(digits):
        source = resource.http_url or resource.storage_container_url or ""
        message = f"the file mode {text!r} is not an octal number"
        raise _creation_failed(source, resource.file_path or "", message)
    return int(digits, 8) & 0o7777


def _destination(path: str, *, source: str) -> tuple[str, ...]:
    try:
        return parts_below(path)
    except OutsideError as error:
        message = "the path leads out of the task's working directory"
        raise _creation_failed(source, path, message) from error


def _creation_failed(source: str, path: str, message: str) -> StepFailedError:
    return _failed("ResourceFileCreateFailed", source, path, message)


def _download_failed(error: TransferError, source: str, path: str) -> StepFailedError:
    if error.timed_out:
        code = "BlobDownloadTimedOut"
    elif error.status in {404, 410}:
        code = "BlobNotFound"
    elif error.status in {401, 403}:
        code = "BlobAccessDenied"
    else:
        code = "BlobDownloadMiscError"
    return _failed(code, source, path, str(error))


def _write_failed(
    error: OSError, source: str, path: str, *, creating: bool = False
) -> StepFailedError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        code = "DiskFull"
    else:
        code = "ResourceFileCreateFailed" if creating else "ResourceFileWriteFailed"
    return _failed(code, source, path, error.strerror or type(error).__name__)


def _failed(code: str, source: str, path: str, message: str) -> StepFailedError:
    return preparation_failed(
        code,
        ("BlobSource", without_secrets(source)),
        ("FilePath", path),
        ("Message", message),
    )
