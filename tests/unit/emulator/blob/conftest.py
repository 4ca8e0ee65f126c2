"""Gives the tests a Blob service with one container, `box`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.emulator.blob.wire import Wire


@pytest.fixture
def wire(tmp_path: Path) -> Wire:
    """A service with an empty container `box`."""
    made = Wire(directory=tmp_path / "blob")
    assert made.ask("PUT", "/localstorage/box", "restype=container").status == 201
    return made
