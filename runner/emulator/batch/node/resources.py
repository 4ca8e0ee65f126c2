"""A task's resource files: what is fetched, and where below the working directory it lands.

It must not know how a server is asked (`downloads` does), nor of the process that follows.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from functools import partial
from typing import BinaryIO

from runner.emulator.batch.node.connections import Connections, TransferError
from runner.emulator.batch.node.containment import OutsideError, parts_below, walk_down
from runner.emulator.batch.node.downloads import WriteError, download, list_blob_names
from runner.emulator.batch.node.failures import StepFailedError, preparation_failed
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.launch import ResourceFile
from runner.emulator.batch.node.near import (
    NO_PROVISIONS,
    SMALL_BYTES,
    Held,
    Provisions,
    read_pieces,
    read_small,
)
from runner.emulator.batch.node.owners import Owner
from runner.emulator.batch.node.transfers import run_side_by_side
from runner.emulator.batch.node.urls import blob_url, without_secrets
from runner.emulator.storage.record import record

_DEFAULT_MODE = 0o770
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OCTAL_DIGITS = frozenset("01234567")


@record(frozen=True, slots=True, kw_only=True)
class _Item:
    """One file to fetch; a `url` of None is a folder that a blob name stands for."""

    url: str | None
    parts: tuple[str, ...]
    mode: int

    @property
    def shown_path(self) -> str:
        return "/".join(self.parts)


@record(frozen=True, slots=True, kw_only=True)
class Fetching:
    """What is needed to fetch; with an owner, that is whose files and their folders become.

    What `provisions` has is copied, all else comes by HTTP.
    """

    connections: Connections
    pool: Executor
    interruption: Interruption
    owner: Owner | None = None
    provisions: Provisions = NO_PROVISIONS


def fetch_resources(
    resource_files: Sequence[ResourceFile], directory: int, fetching: Fetching
) -> None:
    """Fetches all resource files into an open directory; each appears whole or not at all.

    Those that come by HTTP do so side by side. Raises `StepFailedError` with a failure of the
    pre-processing phase (REST: ResourceFile), whose details name the blob without its signature, or
    `InterruptedRunError`.
    """
    run_side_by_side(fetching.pool, _fetch_near(resource_files, directory, fetching))


def _fetch_near(
    resource_files: Sequence[ResourceFile], directory: int, fetching: Fetching
) -> Iterator[Callable[[], None]]:
    """Copies what is near as it comes to it; gives what fetches each of the others."""
    interruption, owner = fetching.interruption, fetching.owner
    for resource in resource_files:
        for item in _items(resource, fetching):
            held = fetching.provisions.held.get(item.url or "")
            if held is None:
                fetch = partial(_download, item.url, fetching.connections, interruption)
                yield partial(_fetch, item, directory, owner, fetch)
                continue
            interruption.check()
            if held.size_bytes <= SMALL_BYTES:
                _fetch_small(item, held, directory, owner)
            else:
                _fetch(item, directory, owner, partial(_copy, held, interruption))


def _items(resource: ResourceFile, fetching: Fetching) -> Iterator[_Item]:
    mode = _parse_mode(resource)
    if resource.http_url is not None:
        parts = _destination(resource.file_path or "", source=resource.http_url)
        if not parts:
            raise _creation_failed(resource.http_url, "", "the file path names no file")
        yield _Item(url=resource.http_url, parts=parts, mode=mode)
    elif resource.storage_container_url is not None:
        yield from _container_items(resource, mode, fetching)
    else:
        raise _creation_failed("", resource.file_path or "", "the resource file names no source")


def _container_items(resource: ResourceFile, mode: int, fetching: Fetching) -> Iterator[_Item]:
    container_url = resource.storage_container_url or ""
    folder = _destination(resource.file_path or "", source=container_url)
    prefix = resource.blob_prefix or ""
    names: Iterable[str] | None = fetching.provisions.names.get((container_url, prefix))
    if names is None:
        names = list_blob_names(fetching.connections, container_url, prefix, fetching.interruption)
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
    item: _Item, directory: int, owner: Owner | None, fetch: Callable[[BinaryIO], None]
) -> None:
    """`fetch` writes the content into a file, and raises `TransferError` or `WriteError`."""
    with _telling(item):
        if item.url is None:
            with walk_down(directory, item.parts, create=True, owner=owner):
                return
        with walk_down(directory, item.parts[:-1], create=True, owner=owner) as folder:
            _save_in(folder, item, owner, fetch)


def _fetch_small(item: _Item, held: Held, directory: int, owner: Owner | None) -> None:
    """In one piece, and where no file has the name, by that from the start."""
    with _telling(item):
        content = read_small(held)
        with walk_down(directory, item.parts[:-1], create=True, owner=owner) as folder:
            try:
                descriptor = os.open(item.parts[-1], _NEW_FILE, 0o600, dir_fd=folder)
            except FileExistsError:
                _save_in(folder, item, owner, partial(_write_all, (content,)))
                return
            try:
                _write_small(descriptor, content)
                _hand_over(descriptor, item, owner)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(item.parts[-1], dir_fd=folder)
                raise
            finally:
                os.close(descriptor)


def _save_in(
    directory: int, item: _Item, owner: Owner | None, fetch: Callable[[BinaryIO], None]
) -> None:
    temporary = f".{secrets.token_hex(8)}.part"
    descriptor = os.open(temporary, _NEW_FILE, 0o600, dir_fd=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            fetch(file)
            _hand_over(file.fileno(), item, owner)
        os.rename(temporary, item.parts[-1], src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=directory)
        raise


def _hand_over(descriptor: int, item: _Item, owner: Owner | None) -> None:
    if owner is not None:
        # Before the mode, of which a change of owner takes away some.
        os.fchown(descriptor, owner.user, owner.group)
    os.fchmod(descriptor, item.mode)


def _download(
    url: str | None, connections: Connections, interruption: Interruption, file: BinaryIO
) -> None:
    download(connections, url or "", file, interruption)


def _copy(held: Held, interruption: Interruption, file: BinaryIO) -> None:
    _write_all(read_pieces(held, interruption), file)


def _write_all(pieces: Iterable[bytes], file: BinaryIO) -> None:
    for piece in pieces:
        try:
            file.write(piece)
        except OSError as error:
            raise WriteError(error) from error
    try:
        file.flush()
    except OSError as error:
        raise WriteError(error) from error


def _write_small(descriptor: int, content: bytes) -> None:
    try:
        written = os.write(descriptor, content)
        while written < len(content):
            written += os.write(descriptor, content[written:])
    except OSError as error:
        raise WriteError(error) from error


@contextmanager
def _telling(item: _Item) -> Iterator[None]:
    """Makes of an error in fetching an item the failure of the task."""
    try:
        yield
    except TransferError as error:
        raise _download_failed(error, item.url or "", item.shown_path) from error
    except WriteError as error:
        raise _write_failed(error.cause, item.url or "", item.shown_path) from error
    except OSError as error:
        raise _write_failed(error, item.url or "", item.shown_path, creating=True) from error


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
