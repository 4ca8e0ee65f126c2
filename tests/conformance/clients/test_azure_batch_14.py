"""The main path through azure-batch 14.2, over HTTP and over TLS."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.conformance.clients.written import read_exchanges
from tests.conformance.endpoints import Emulator
from tests.conformance.openapi.judging import Judge
from tests.conformance.openapi.reference import read_reference

PROGRAM = Path(__file__).parent / "main_path_14.py"
RELEASE = "azure-batch==14.2.0"
INSTALLING_SECONDS = 120
RUNNING_SECONDS = 150


@pytest.fixture(scope="session")
def folder(pytestconfig: pytest.Config) -> Path:
    """Where the release is installed; kept for later runs."""
    cache = pytestconfig.cache
    if cache is None:
        pytest.skip("there is no cache to install an older azure-batch to")
    place = cache.mkdir("older-azure-batch")
    final = place / f"{RELEASE}-python{sys.version_info.major}.{sys.version_info.minor}"
    if final.is_dir():
        return final
    # Several processes may install it at once: the first to be done is the one.
    made = place / uuid.uuid4().hex
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(made), RELEASE]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALLING_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{RELEASE} was not installed within {INSTALLING_SECONDS} seconds")
    if done.returncode:
        pytest.skip(f"{RELEASE} cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    try:
        made.rename(final)
    except OSError:
        assert final.is_dir()
    return final


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
    reference = read_reference()
    if reference is None:
        return
    judge = Judge(reference=reference)
    for seen in read_exchanges(record, emulator.batch_endpoint):
        assert seen.version == "2024-02-01.19.0"
        judge.judge(seen)
    assert not judge.faults, "\n".join(dict.fromkeys(judge.faults))
    assert len(judge.succeeded) >= 45, sorted(judge.succeeded)
