"""The data directory is made, locked and left."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.emulator.server.data import open_data
from runner.emulator.storage.error import DataError


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
