"""Keys are kept privately, given in a file, or made anew."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from runner.emulator.server.keys import KeyFileError, load_keys, read_given_keys
from runner.emulator.storage.error import DataError


def test_keys_are_the_same_after_a_restart_and_private(tmp_path: Path) -> None:
    first = load_keys(tmp_path, ["one", "two"], {})
    second = load_keys(tmp_path, ["one", "two"], {})

    assert first == second
    assert [len(first[name]) for name in ("one", "two")] == [64, 64]
    assert first["one"] != first["two"]
    assert stat.S_IMODE((tmp_path / "accounts.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["accounts.json"]


def test_the_key_of_an_account_that_is_away_once_is_kept(tmp_path: Path) -> None:
    first = load_keys(tmp_path, ["one", "two"], {})
    load_keys(tmp_path, ["one", "three"], {})

    assert load_keys(tmp_path, ["two"], {})["two"] == first["two"]


def test_a_given_key_takes_the_place_of_the_kept_one(tmp_path: Path) -> None:
    load_keys(tmp_path, ["one"], {})

    assert load_keys(tmp_path, ["one"], {"one": b"given"}) == {"one": b"given"}
    assert json.loads((tmp_path / "accounts.json").read_text()) == {"one": "Z2l2ZW4="}


@pytest.mark.parametrize("text", ["", "[]", '{"one": 1}', '{"one": "!"}', '{"one": ""}'])
def test_what_does_not_hold_keys_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "accounts.json"
    path.write_text(text)

    with pytest.raises(DataError) as kept:
        load_keys(tmp_path, ["one"], {})
    with pytest.raises(KeyFileError) as given:
        read_given_keys(path, ["one"])

    assert (str(kept.value), str(given.value)) == (
        f"{path} does not hold the emulator's accounts; remove it to get new keys",
        f"keys {path} is not a JSON object of account names and keys in base64",
    )


def test_given_keys_are_read(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text('{"two": "Z2l2ZW4="}')

    assert read_given_keys(path, ["one", "two"]) == {"two": b"given"}
    with pytest.raises(KeyFileError) as refused:
        read_given_keys(path, ["one", "three"])
    assert str(refused.value) == (
        f"keys {path} names `two`, which is no account here: `one`, `three`"
    )


def test_a_file_of_keys_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none"

    with pytest.raises(KeyFileError) as refused:
        read_given_keys(path, ["one"])

    assert str(refused.value) == f"keys {path} cannot be read: No such file or directory"
