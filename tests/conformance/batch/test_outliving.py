"""An emulator that goes on without its client, and ends by itself once its jobs have."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from pathlib import Path

from azure.batch import BatchClient, models
from azure.core.credentials import AzureNamedKeyCredential

from tests.conformance.batch.asking import machine
from tests.conformance.endpoints import parse_announcement

LIMIT_SECONDS = 60


def begin(data: Path, process: subprocess.Popen[str]) -> None:
    """Leaves a job behind that ends itself, and whose one task writes a file."""
    assert process.stdout is not None
    emulator = parse_announcement(process.stdout.readline(), process)
    credential = AzureNamedKeyCredential(emulator.batch_account, emulator.batch_key)
    with BatchClient(emulator.batch_endpoint, credential) as client:
        client.create_pool(
            models.BatchPoolCreateOptions(
                id="pool",
                vm_size="Standard_D2s_v5",
                virtual_machine_configuration=machine(),
                target_dedicated_nodes=1,
            )
        )
        pool = models.BatchPoolInfo(pool_id="pool")
        client.create_job(models.BatchJobCreateOptions(id="job", pool_info=pool))
        command = f"/bin/bash -c 'while [ ! -e {data}/go ]; do sleep 0.1; done; touch {data}/done'"
        client.create_task("job", models.BatchTaskCreateOptions(id="a", command_line=command))
        end = models.BatchAllTasksCompleteMode.TERMINATE_JOB
        client.update_job("job", models.BatchJobUpdateOptions(all_tasks_complete_mode=end))


def test_it_ends_once_its_jobs_have_and_no_client_wants_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    options = ["--json", "--until-jobs-end", "--isolation", "none", "--data", str(data)]
    with subprocess.Popen(
        [sys.executable, "-m", "runner.emulator", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            with (data / "clients").open("a") as client:
                fcntl.flock(client, fcntl.LOCK_SH)
                begin(data, process)
            assert process.poll() is None
            (data / "go").touch()
            code = process.wait(timeout=LIMIT_SECONDS)
        finally:
            process.kill()

    assert code == 0
    assert (data / "done").exists()
    # What it kept is there for the next one.
    assert json.loads((data / "accounts.json").read_text()).keys() == {"localbatch", "localstorage"}
