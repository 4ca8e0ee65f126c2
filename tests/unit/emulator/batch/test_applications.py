"""Application packages in a folder."""

from __future__ import annotations

from pathlib import Path

from runner.emulator.batch.applications import Application, Applications


def test_packages_are_found_whatever_their_case(tmp_path: Path) -> None:
    folder = tmp_path / "Tool"
    folder.mkdir()
    for version in ("2.0", "1.0"):
        (folder / f"{version}.zip").touch()
    (folder / "notes.txt").touch()
    (tmp_path / "stray.zip").touch()
    applications = Applications(tmp_path)
    tool = Application(id="Tool", versions=("1.0", "2.0"), default_version=None, display_name=None)
    assert applications.all() == (tool,)
    assert applications.package("tool", "2.0") == folder / "2.0.zip"
    assert applications.package("tool", None) is None
    (folder / "default").write_text("1.0\n")
    (folder / "name").write_text("A tool\n")
    assert applications.package("TOOL", None) == folder / "1.0.zip"
    found = applications.find("tool")
    assert found is not None
    assert (found.default_version, found.display_name) == ("1.0", "A tool")
    assert applications.package("tool", "3.0") is None
    assert applications.package("other", "1.0") is None


def test_there_need_not_be_a_folder(tmp_path: Path) -> None:
    for root in (None, tmp_path / "missing"):
        applications = Applications(root)
        assert applications.all() == ()
        assert applications.find("tool") is None
        assert applications.package("tool", "1.0") is None
