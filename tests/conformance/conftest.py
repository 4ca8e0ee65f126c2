"""Gives the conformance tests a running emulator; it knows nothing of what they ask of it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.endpoints import Emulator, start_emulator


@pytest.fixture(scope="session")
def applications(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one application, which has one version."""
    folder = tmp_path_factory.mktemp("applications")
    (folder / "tool").mkdir()
    with zipfile.ZipFile(folder / "tool" / "1.5.zip", "w") as archive:
        archive.writestr("words.txt", "from the package\n")
    return folder


@pytest.fixture(scope="session")
def emulator(applications: Path) -> Iterator[Emulator]:
    """One emulator for the whole session, on a free port; admin start tasks are allowed."""
    with start_emulator("--allow-admin", "--applications", str(applications)) as running:
        yield running


@pytest.fixture(scope="session")
def tls_emulator(applications: Path) -> Iterator[Emulator]:
    """The same over TLS, started only where a test wants it."""
    with start_emulator("--allow-admin", "--applications", str(applications), "--tls") as running:
        yield running
