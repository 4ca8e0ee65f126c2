"""The main path through azure-batch 14.2, over HTTP and over TLS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.clients.installing import install_older
from tests.conformance.clients.written import judge_exchanges
from tests.conformance.endpoints import Emulator

PROGRAM = Path(__file__).parent / "main_path_14.py"
RUNNING_SECONDS = 150


@pytest.fixture(scope="session")
def folder(pytestconfig: pytest.Config) -> Path:
    """Where the release is installed; kept for later runs."""
    return install_older(pytestconfig)


@pytest.mark.parametrize("fixture", ["emulator", "tls_emulator"], ids=["http", "https"])
def test_the_main_path(
    request: pytest.FixtureRequest, fixture: str, folder: Path, tmp_path: Path
) -> None:
    emulator: Emulator = request.getfixturevalue(fixture)
    record = tmp_path / "exchanges"
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    if emulator.ca_file is not None:
        environment["REQUESTS_CA_BUNDLE"] = emulator.ca_file
    account = (emulator.batch_endpoint, emulator.batch_account, emulator.batch_key)
    run = subprocess.run(
        [sys.executable, str(PROGRAM), *account, str(record)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUNNING_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    judge_exchanges(record, emulator.batch_endpoint, version="2024-02-01.19.0", succeeded=45)
