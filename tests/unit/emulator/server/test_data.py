"""The data directory and the accounts in it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from runner.emulator.server.data import DataError, load_accounts, open_data


def test_keys_are_the_same_after_a_restart_and_private(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "data"
    with open_data(directory):
        first = load_accounts(directory)
    with open_data(directory):
        second = load_accounts(directory)

    assert first == second
    assert [account.name for account in first] == ["localbatch", "localstorage"]
    assert first[0].key != first[1].key
    assert stat.S_IMODE((directory / "accounts.json").stat().st_mode) == 0o600


def test_without_a_directory_a_temporary_one_is_made_and_removed() -> None:
    with open_data(None) as directory:
        (directory / "file").write_text("x")
        assert directory.is_dir()

    assert not directory.exists()


def test_a_directory_in_use_is_refused(tmp_path: Path) -> None:
    with open_data(tmp_path), pytest.raises(DataError) as refused, open_data(tmp_path):
        pass

    assert str(refused.value) == f"data directory {tmp_path} is in use by another emulator"


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")

    with pytest.raises(DataError) as refused, open_data(path):
        pass

    assert str(refused.value) == f"data directory {path} cannot be used: File exists"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"localbatch": 1, "localstorage": "!"}'])
def test_accounts_that_cannot_be_read_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "accounts.json"
    path.write_text(text)

    with pytest.raises(DataError) as refused:
        load_accounts(tmp_path)

    assert str(refused.value) == (
        f"{path} does not hold the emulator's accounts; remove it to get new keys"
    )
