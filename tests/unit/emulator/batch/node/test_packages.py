"""Application packages are unpacked once, with the rights of their files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from runner.emulator.batch.node.containment import folder_of
from runner.emulator.batch.node.failures import StepFailedError
from runner.emulator.batch.node.launch import Package
from runner.emulator.batch.node.packages import unpack_packages


def make_archive(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        program = zipfile.ZipInfo("bin/run")
        program.external_attr = 0o755 << 16
        archive.writestr(program, "#!/bin/sh\n")
        archive.writestr("../../outside.txt", "x")
    return path


def test_a_package_is_unpacked_once(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "1.0.zip")
    directory = tmp_path / "node" / "tool" / "1.0"
    (tmp_path / "node").mkdir()
    package = Package(
        name="tool:1.0", archive=archive, directory=folder_of(tmp_path / "node", directory)
    )
    unpack_packages([package])
    assert (directory / "bin" / "run").stat().st_mode & 0o777 == 0o755
    assert (directory / "outside.txt").read_text() == "x"
    (directory / "bin" / "run").write_text("changed")
    unpack_packages([package])
    assert (directory / "bin" / "run").read_text() == "changed"
    assert [entry.name for entry in directory.parent.iterdir()] == ["1.0"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["1.0.zip", "node"]


def test_a_package_that_is_missing_or_broken_fails_the_task(tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_text("no zip file")
    for archive, reason in (
        (None, "The account has no such package"),
        (broken, "File is not a zip file"),
    ):
        package = Package(
            name="tool:1.0", archive=archive, directory=folder_of(tmp_path, tmp_path / "tool")
        )
        with pytest.raises(StepFailedError) as caught:
            unpack_packages([package])
        failure = caught.value.failure
        assert failure.code == "ApplicationPackageError"
        assert failure.details == (("ApplicationPackage", "tool:1.0"), ("Message", reason))
        assert not (tmp_path / "tool").exists()
