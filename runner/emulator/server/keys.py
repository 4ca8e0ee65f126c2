"""The keys of accounts: kept from start to start, given in a file, or made anew.

It must not know what the accounts are for.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path

from runner.emulator.privacy import open_private_file
from runner.emulator.server.accounts import decode_key, new_key
from runner.emulator.storage.error import DataError


class KeyFileError(Exception):
    """The file with keys cannot be used; the message is one line for people."""


def load_keys(
    directory: Path, names: Collection[str], given: Mapping[str, bytes]
) -> dict[str, bytes]:
    """A key for each name: the given one, else that of the last start, else a new one.

    They are kept in `accounts.json`, readable by its owner alone, together with those of accounts
    that are not there this time. Raises `DataError`.
    """
    path = directory / "accounts.json"
    try:
        kept = _parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        kept = {}
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    except (TypeError, ValueError) as error:
        message = f"{path} does not hold the emulator's accounts; remove it to get new keys"
        raise DataError(message) from error
    keys = dict(kept)
    for name in names:
        if name in given:
            keys[name] = given[name]
        elif name not in keys:
            keys[name] = new_key()
    if keys != kept:
        _save(path, keys)
    return keys


def read_given_keys(path: Path, names: Collection[str]) -> dict[str, bytes]:
    """The keys of a file of the same form as `accounts.json`; raises `KeyFileError`.

    A key for an account that there is not is refused too: it is most likely misspelt.
    """
    try:
        keys = _parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KeyFileError(f"keys {path} cannot be read: {error.strerror}") from error
    except (TypeError, ValueError) as error:
        raise KeyFileError(
            f"keys {path} is not a JSON object of account names and keys in base64"
        ) from error
    for name in keys:
        if name not in names:
            known = ", ".join(f"`{known}`" for known in names)
            raise KeyFileError(f"keys {path} names `{name}`, which is no account here: {known}")
    return keys


def _parse(text: str) -> dict[str, bytes]:
    document = json.loads(text)
    if not isinstance(document, dict):
        raise TypeError("not an object")
    return {name: decode_key(key) for name, key in document.items()}


def _save(path: Path, keys: Mapping[str, bytes]) -> None:
    document = {name: base64.b64encode(key).decode("ascii") for name, key in keys.items()}
    try:
        # The rename makes it whole.
        temporary = path.with_name(f"accounts-{secrets.token_hex(8)}")
        with os.fdopen(open_private_file(temporary), "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.write("\n")
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}") from error
