"""The emulator's data directory: made, checked, locked, and the accounts kept in it.

It must not know what the services keep in their folders of it.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.emulator.server.accounts import Account, Kind, new_key


class DataError(Exception):
    """The data directory cannot be used; the message is one line for people."""


@contextmanager
def open_data(directory: Path | None) -> Iterator[Path]:
    """The directory, locked against a second emulator; without one, a temporary directory.

    The temporary one is removed at the end. Raises `DataError`.
    """
    if directory is None:
        with tempfile.TemporaryDirectory(prefix="batch-run-emulator-") as temporary:
            yield Path(temporary)
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DataError(f"data directory {directory} cannot be used: {error.strerror}") from error
    try:
        _lock(lock, directory)
        yield directory
    finally:
        os.close(lock)


def load_accounts(directory: Path) -> tuple[Account, Account]:
    """The Batch and the storage account, with the keys of the last start; raises `DataError`.

    The file is `accounts.json`, readable by its owner alone.
    """
    path = directory / "accounts.json"
    try:
        keys = _parse_keys(path.read_text(encoding="utf-8"), path)
    except FileNotFoundError:
        keys = {"localbatch": new_key(), "localstorage": new_key()}
        _save_keys(path, keys)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    return (
        Account(name="localbatch", kind=Kind.BATCH, key=keys["localbatch"]),
        Account(name="localstorage", kind=Kind.BLOB, key=keys["localstorage"]),
    )


def _lock(lock: int, directory: Path) -> None:
    # Imported here: Windows has no fcntl, and nothing else of this module needs it.
    import fcntl

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        message = f"data directory {directory} is in use by another emulator"
        raise DataError(message) from error


def _parse_keys(text: str, path: Path) -> dict[str, bytes]:
    try:
        document = json.loads(text)
        return {
            name: base64.b64decode(document[name], validate=True)
            for name in ("localbatch", "localstorage")
        }
    except (json.JSONDecodeError, KeyError, TypeError, ValueError, binascii.Error) as error:
        message = f"{path} does not hold the emulator's accounts; remove it to get new keys"
        raise DataError(message) from error


def _save_keys(path: Path, keys: dict[str, bytes]) -> None:
    document = {name: base64.b64encode(key).decode("ascii") for name, key in keys.items()}
    try:
        # mkstemp makes it 0600; the rename makes it whole.
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix="accounts-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.write("\n")
        Path(temporary).replace(path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}") from error
