"""The main path through Microsoft's client for JavaScript, `@azure/batch`."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conformance.clients.written import read_exchanges
from tests.conformance.endpoints import Emulator
from tests.conformance.openapi.judging import Judge
from tests.conformance.openapi.reference import read_reference

HERE = Path(__file__).parent / "javascript"
PACKAGE_FILES = ("package.json", "package-lock.json")
INSTALLING_SECONDS = 120
RUNNING_SECONDS = 120


@pytest.fixture(scope="session")
def folder(pytestconfig: pytest.Config) -> Path:
    """Where the pinned packages are installed; kept for later runs."""
    npm, cache = shutil.which("npm"), pytestconfig.cache
    if npm is None or shutil.which("node") is None:
        pytest.skip("Node.js and npm are not installed")
    if cache is None:
        pytest.skip("there is no cache to install @azure/batch to")
    place = cache.mkdir("azure-batch-javascript")
    pinned = b"".join((HERE / name).read_bytes() for name in PACKAGE_FILES)
    final = place / hashlib.sha256(pinned).hexdigest()[:16]
    if not final.is_dir():
        _install(npm, place, final)
    return final


def _install(npm: str, place: Path, final: Path) -> None:
    """Makes the folder whole or not at all; of several that do, the first to be done wins."""
    with tempfile.TemporaryDirectory(dir=place) as name:
        made = Path(name, "made")
        made.mkdir()
        for each in PACKAGE_FILES:
            shutil.copy(HERE / each, made)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            done = subprocess.run(
                command,
                cwd=made,
                capture_output=True,
                text=True,
                timeout=INSTALLING_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm took more than {INSTALLING_SECONDS} seconds")
        if done.returncode:
            pytest.skip(f"@azure/batch cannot be installed: {done.stderr.strip()[-300:]}")
        try:
            made.rename(final)
        except OSError:
            assert final.is_dir()


def test_the_main_path(emulator: Emulator, folder: Path, tmp_path: Path) -> None:
    # This client puts its paths in the place of the URL's own: it can name an account by host only.
    port = urlsplit(emulator.batch_endpoint).port
    endpoint = f"http://{emulator.batch_account}.westeurope.batch.localhost:{port}"
    record = tmp_path / "exchanges"
    program = ["node", str(HERE / "main_path.cjs"), str(folder)]
    run = subprocess.run(
        [*program, endpoint, emulator.batch_account, emulator.batch_key, str(record)],
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
    for seen in read_exchanges(record, endpoint):
        assert seen.version == "2022-10-01.16.0"
        judge.judge(seen)
    assert not judge.faults, "\n".join(dict.fromkeys(judge.faults))
    assert len(judge.succeeded) >= 20, sorted(judge.succeeded)
