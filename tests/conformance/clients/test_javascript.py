"""The main path through Microsoft's client for JavaScript, `@azure/batch`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conformance.clients.installing import JAVASCRIPT, install_javascript
from tests.conformance.clients.written import judge_exchanges
from tests.conformance.endpoints import Emulator

RUNNING_SECONDS = 120


@pytest.fixture(scope="session")
def folder(pytestconfig: pytest.Config) -> Path:
    """Where the pinned packages are installed; kept for later runs."""
    return install_javascript(pytestconfig)


def test_the_main_path(emulator: Emulator, folder: Path, tmp_path: Path) -> None:
    # This client puts its paths in the place of the URL's own: it can name an account by host only.
    port = urlsplit(emulator.batch_endpoint).port
    endpoint = f"http://{emulator.batch_account}.westeurope.batch.localhost:{port}"
    record = tmp_path / "exchanges"
    program = ["node", str(JAVASCRIPT / "main_path.cjs"), str(folder)]
    run = subprocess.run(
        [*program, endpoint, emulator.batch_account, emulator.batch_key, str(record)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUNNING_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    judge_exchanges(record, endpoint, version="2022-10-01.16.0", succeeded=20)
