"""The file that holds the page's address, whatever is left in its place."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from runner.emulator.dashboard.serving import noting_address
from runner.emulator.storage.error import DataError

ADDRESS = "http://127.0.0.1:1/#token=secret"


def test_a_file_that_others_may_read_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "dashboard"
    path.touch()
    path.chmod(0o644)

    with noting_address(tmp_path, ADDRESS):
        assert path.read_text() == f"{ADDRESS}\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


def test_what_one_that_was_killed_has_left_goes_where_there_is_no_page(tmp_path: Path) -> None:
    path = tmp_path / "dashboard"
    path.write_text(f"{ADDRESS}\n")

    with noting_address(tmp_path, None):
        assert not path.exists()
    assert not path.exists()


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / "dashboard").symlink_to(other)

    with noting_address(tmp_path, ADDRESS):
        assert not (tmp_path / "dashboard").is_symlink()
    assert other.read_text() == "mine"


def test_a_directory_in_its_place_is_said(tmp_path: Path) -> None:
    path = tmp_path / "dashboard"
    path.mkdir()

    with (
        # Unlinking a directory is another error on macOS.
        pytest.raises(DataError, match=f"^{re.escape(str(path))} cannot be written: "),
        noting_address(tmp_path, ADDRESS),
    ):
        pytest.fail("it was noted")
