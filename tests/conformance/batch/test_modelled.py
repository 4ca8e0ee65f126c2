"""Modelled tasks in virtual time, as a client of the service meets them."""

from __future__ import annotations

import json
import urllib.request
from datetime import timedelta
from typing import Any

from azure.batch import BatchClient, models
from azure.core.credentials import AzureNamedKeyCredential

from tests.conformance.batch.asking import machine, wait_until
from tests.conformance.endpoints import Emulator, start_emulator

FORMULA = "$TargetDedicatedNodes = min(20, $PendingTasks.GetSample(1));"


def virtual_time(emulator: Emulator, body: object = None) -> Any:
    """Asks `/.emulator/time`."""
    request = urllib.request.Request(
        f"{emulator.batch_endpoint.rpartition('/')[0]}/.emulator/time",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def test_a_day_of_tasks_passes_while_a_client_looks_on() -> None:
    arguments = ("--model", "1h..2h exit=1 rate=0.1", "--time", "virtual", "--seed", "1")
    with start_emulator(*arguments) as emulator:
        credential = AzureNamedKeyCredential(emulator.batch_account, emulator.batch_key)
        with BatchClient(emulator.batch_endpoint, credential) as client:
            client.create_pool(
                models.BatchPoolCreateOptions(
                    id="pool",
                    vm_size="Standard_D2s_v5",
                    virtual_machine_configuration=machine(),
                    enable_auto_scale=True,
                    auto_scale_evaluation_interval=timedelta(minutes=5),
                    auto_scale_formula=FORMULA,
                )
            )
            pool = models.BatchPoolInfo(pool_id="pool")
            client.create_job(models.BatchJobCreateOptions(id="job", pool_info=pool))
            tasks = [
                models.BatchTaskCreateOptions(id=f"t{n}", command_line="none") for n in range(100)
            ]
            client.create_task_collection("job", models.BatchTaskGroup(task_values=tasks))

            def done() -> bool:
                return client.get_job_task_counts("job").task_counts.completed == 100

            assert wait_until(done)
            ended = list(client.list_tasks("job"))
        moments = [
            (task.execution_info.start_time, task.execution_info.end_time)
            for task in ended
            if task.execution_info is not None
        ]
        lengths = [end - start for start, end in moments if start is not None and end is not None]
        assert len(lengths) == 100
        assert min(lengths) >= timedelta(hours=1)
        assert max(lengths) <= timedelta(hours=2)
        starts = [start for start, _ in moments if start is not None]
        assert max(starts) - min(starts) > timedelta(hours=4)
        failed = [t for t in ended if t.execution_info and t.execution_info.exit_code == 1]
        assert 2 <= len(failed) <= 25
        before = virtual_time(emulator)
        after = virtual_time(emulator, {"advance": "24h"})
        assert before["mode"] == "virtual"
        assert after["now"] > before["now"]
