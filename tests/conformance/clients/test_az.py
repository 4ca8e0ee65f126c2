"""The main path through `az batch`; azure-cli is large, so `BATCH_RUN_AZ` has to name the program.

For example: `python -m venv /tmp/az && /tmp/az/bin/pip install azure-cli`, then
`BATCH_RUN_AZ=/tmp/az/bin/az pytest tests/conformance/clients/test_az.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.endpoints import Emulator

PROGRAM = os.environ.get("BATCH_RUN_AZ")
COMMAND_SECONDS = 60
DEADLINE_SECONDS = 60.0

Az = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="BATCH_RUN_AZ does not name az")


@pytest.fixture(params=["emulator", "tls_emulator"], ids=["http", "https"])
def az(request: pytest.FixtureRequest, tmp_path: Path) -> Az:
    """Runs `az batch` for the account, without whatever else it is configured for."""
    emulator: Emulator = request.getfixturevalue(request.param)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "AZURE_CONFIG_DIR": str(tmp_path / "azure"),
        "AZURE_CORE_COLLECT_TELEMETRY": "0",
        "AZURE_BATCH_ACCOUNT": emulator.batch_account,
        "AZURE_BATCH_ACCESS_KEY": emulator.batch_key,
        "AZURE_BATCH_ENDPOINT": emulator.batch_endpoint,
    }
    if emulator.ca_file is not None:
        environment["REQUESTS_CA_BUNDLE"] = emulator.ca_file

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        assert PROGRAM is not None
        return subprocess.run(
            [PROGRAM, "batch", *words],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    return run


def answer(az: Az, *words: str) -> Any:
    """What a command that succeeds answers, None where that is nothing."""
    done = az(*words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


@pytest.mark.timeout(600)
def test_the_main_path(az: Az, tmp_path: Path) -> None:
    assert answer(az, "pool", "supported-images", "list", "--query", "[0].nodeAgentSkuId")
    answer(
        az,
        *("pool", "create", "--id", "az", "--vm-size", "standard_d2s_v5"),
        *("--target-dedicated-nodes", "1", "--node-agent-sku-id", "batch.node.ubuntu 24.04"),
        *("--image", "canonical:ubuntu-24_04-lts:server:latest"),
    )
    answer(az, "job", "create", "--id", "az", "--pool-id", "az")
    words = ("--job-id", "az", "--task-id", "t")
    answer(az, "task", "create", *words, "--command-line", "/bin/bash -c 'echo hello'")
    deadline = time.monotonic() + DEADLINE_SECONDS
    while answer(az, "task", "show", *words, "--query", "state") != "completed":
        assert time.monotonic() < deadline
    code = answer(az, "task", "show", *words, "--query", "executionInfo.exitCode")
    assert code == 0
    assert answer(az, "task", "list", "--job-id", "az", "--query", "[].id") == ["t"]
    files = answer(az, "task", "file", "list", *words, "--query", "[].name")
    assert files == ["stderr.txt", "stdout.txt", "wd"]
    target = tmp_path / "said"
    answer(
        az,
        *("task", "file", "download", *words),
        *("--file-path", "stdout.txt", "--destination", str(target)),
    )
    assert target.read_text() == "hello\n"
    counts = answer(az, "job", "task-counts", "show", "--job-id", "az")
    assert counts["taskCounts"]["succeeded"] == 1
    assert answer(az, "node", "list", "--pool-id", "az", "--query", "[].state") == ["idle"]
    answer(az, "pool", "resize", "--pool-id", "az", "--target-dedicated-nodes", "2")
    missing = az("job", "show", "--job-id", "none")
    assert missing.returncode == 3
    assert "(JobNotFound) The specified job does not exist." in missing.stderr
    answer(az, "job", "stop", "--job-id", "az", "--terminate-reason", "enough")
    answer(az, "job", "delete", "--job-id", "az", "--yes")
    answer(az, "pool", "delete", "--pool-id", "az", "--yes")
    while answer(az, "pool", "list", "--query", "[?id=='az'].id"):
        assert time.monotonic() < deadline + DEADLINE_SECONDS
