"""Emulators with a page, and what they are filled with; knows nothing of what a page shows."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from azure.batch import BatchClient, models
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import BlobServiceClient

from tests.conformance.endpoints import Emulator, start_emulator
from tests.unit.emulator.dashboard.asking import Page, page_at

TASKS = 3000
FAILING = 20
SECRETS = ("s3cret-value", "s3cret-password")
SIGNED = f"http://h/c/in.mp4?sp=r&sig={SECRETS[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An emulator, who changes what it holds, and its page."""

    emulator: Emulator
    client: BatchClient
    blobs: BlobServiceClient
    page: Page


@contextmanager
def watch(*options: str) -> Iterator[Watched]:
    """An emulator that ends with the block."""
    with start_emulator(*options) as emulator:
        key = AzureNamedKeyCredential(emulator.batch_account, emulator.batch_key)
        with (
            BatchClient(emulator.batch_endpoint, key) as client,
            BlobServiceClient.from_connection_string(emulator.connection_string) as blobs,
        ):
            yield Watched(
                emulator=emulator, client=client, blobs=blobs, page=page_at(emulator.dashboard)
            )


def machine() -> models.VirtualMachineConfiguration:
    return models.VirtualMachineConfiguration(
        image_reference=models.BatchVmImageReference(
            publisher="canonical", offer="ubuntu-24_04-lts", sku="server"
        ),
        node_agent_sku_id="batch.node.ubuntu 24.04",
    )


def fill(watched: Watched) -> None:
    client = watched.client
    client.create_pool(
        models.BatchPoolCreateOptions(
            id="many",
            display_name=f"Many {SIGNED}",
            vm_size="standard_d4s_v5",
            virtual_machine_configuration=machine(),
            target_dedicated_nodes=10,
            target_low_priority_nodes=30,
            task_slots_per_node=4,
            user_accounts=[models.UserAccount(name="me", password=SECRETS[1])],
        )
    )
    info = models.BatchPoolInfo(pool_id="many")
    client.create_job(models.BatchJobCreateOptions(id="all", display_name=SIGNED, pool_info=info))
    client.create_job(models.BatchJobCreateOptions(id="empty", pool_info=info))
    for start in range(0, TASKS, 1000):
        client.create_tasks("all", [task(n) for n in range(start, start + 1000)])
    deadline = time.monotonic() + 120
    while client.get_job_task_counts("all").task_counts.completed < TASKS:
        assert time.monotonic() < deadline
        select.select([], [], [], 0.05)
    container = watched.blobs.create_container("texts")
    for number in range(3):
        container.upload_blob(f"a/{number}.txt", b"x" * number)
    container.upload_blob(
        "signed.txt",
        b"",
        metadata={"from": SIGNED, "by": f"AccountKey={SECRETS[1]}"},
        tags={"sas": f"sig={SECRETS[0]}-and-so-on-for-long"},
    )
    container.upload_blob("<b>\u202egnp.exe", b"four")


@contextmanager
def watch_executions(*, nodes: int) -> Iterator[Watched]:
    """The job `job` has a task of three attempts, and one with two subtasks; all have ended.

    They were on the pool `few`; `many` has as many nodes as wanted.
    """
    with watch("--model", "1s exit=7 task=again", "--model", "1s", "--time", "virtual") as watched:
        client = watched.client
        for name, count in (("few", 3), ("many", nodes)):
            client.create_pool(
                models.BatchPoolCreateOptions(
                    id=name,
                    vm_size="standard_d2s_v5",
                    virtual_machine_configuration=machine(),
                    target_dedicated_nodes=count,
                    enable_inter_node_communication=name == "few",
                )
            )
        info = models.BatchPoolInfo(pool_id="few")
        client.create_job(models.BatchJobCreateOptions(id="job", pool_info=info))
        retries = models.BatchTaskConstraints(max_task_retry_count=2)
        instances = models.MultiInstanceSettings(
            number_of_instances=3, coordination_command_line="meet"
        )
        options = models.BatchTaskCreateOptions
        client.create_task("job", options(id="again", command_line="x", constraints=retries))
        client.create_task(
            "job", options(id="wide", command_line="x", multi_instance_settings=instances)
        )
        client.create_task("job", options(id="once", command_line="x"))
        deadline = time.monotonic() + 60
        while client.get_job_task_counts("job").task_counts.completed < 3:
            assert time.monotonic() < deadline
            select.select([], [], [], 0.05)
        yield watched


def task(number: int) -> models.BatchTaskCreateOptions:
    return models.BatchTaskCreateOptions(
        # Those that fail are told from others by the end of their ids.
        id=f"{number:05d}" if number >= FAILING else f"{number:05d}-7",
        display_name=f"encode/clip-{number}.mp4",
        command_line="render",
        environment_settings=[models.EnvironmentSetting(name="TOKEN", value=SECRETS[0])],
        resource_files=[models.ResourceFile(http_url=SIGNED, file_path="in")],
    )
