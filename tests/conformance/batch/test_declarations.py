"""What can be declared of pools and tasks: taken, given back, acted upon where possible."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from azure.batch import BatchClient, models
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import (
    BlobServiceClient,
    ContainerClient,
    ContainerSasPermissions,
    generate_container_sas,
)

from tests.conformance.batch.asking import (
    POLL,
    auto_pool,
    completed,
    machine,
    refused,
    wait_until,
)
from tests.conformance.endpoints import Emulator


@pytest.fixture
def container(emulator: Emulator) -> Iterator[ContainerClient]:
    """A container with a few blobs in folders."""
    name = f"c-{uuid.uuid4().hex}"
    with BlobServiceClient.from_connection_string(emulator.connection_string) as service:
        made = service.create_container(name)
        for blob in ("in/a.txt", "in/deep/b.txt", "other/c.txt"):
            made.upload_blob(blob, blob.encode())
        yield made
        made.delete_container()


@pytest.fixture
def job(client: BatchClient, name: str) -> Iterator[str]:
    """A job with a node."""
    client.create_job(models.BatchJobCreateOptions(id=name, pool_info=auto_pool()))
    yield name
    client.begin_delete_job(name, **POLL).wait()


def signed(container: ContainerClient, emulator: Emulator) -> str:
    """The container's URL with a signature to read it."""
    signature = generate_container_sas(
        emulator.storage_account,
        container.container_name,
        account_key=emulator.storage_key,
        permission=ContainerSasPermissions(read=True, list=True),
        expiry=datetime.now(timezone.utc) + timedelta(hours=1),
    )
    return f"{container.url}?{signature}"


def output(client: BatchClient, job: str) -> str:
    return b"".join(client.download_task_file(job, "t", "stdout.txt")).decode()


def test_resource_files_of_all_three_kinds_are_fetched(
    client: BatchClient, emulator: Emulator, container: ContainerClient, job: str
) -> None:
    url = signed(container, emulator)
    plain, _, signature = url.partition("?")
    files = [
        models.ResourceFile(storage_container_url=url, blob_prefix="in/", file_path="x"),
        models.ResourceFile(
            auto_storage_container_name=container.container_name, blob_prefix="other"
        ),
        models.ResourceFile(
            http_url=f"{plain}/in/a.txt?{signature}", file_path="y/z", file_mode="0640"
        ),
    ]
    client.create_task(
        job,
        models.BatchTaskCreateOptions(
            id="t",
            command_line="/bin/bash -c 'find . -type f -printf \"%P %m\\n\" | sort'",
            resource_files=files,
        ),
    )
    task = completed(client, job, "t")
    assert task.execution_info is not None
    assert task.execution_info.failure_info is None
    assert output(client, job) == (
        "other/c.txt 770\nx/in/a.txt 770\nx/in/deep/b.txt 770\ny/z 640\n"
    )
    assert task.resource_files is not None
    assert [file.as_dict() for file in task.resource_files] == [f.as_dict() for f in files]


def test_a_managed_identity_opens_the_accounts_of_the_emulator(
    client: BatchClient, container: ContainerClient, job: str
) -> None:
    plain = container.url
    identity = models.BatchNodeIdentityReference(resource_id="/subscriptions/s/identities/i")
    files = [
        models.ResourceFile(
            http_url=f"{plain}/in/a.txt", file_path="a.txt", identity_reference=identity
        ),
        models.ResourceFile(
            storage_container_url=plain, blob_prefix="other", identity_reference=identity
        ),
    ]
    destination = models.OutputFileBlobContainerDestination(
        container_url=plain, path="out.txt", identity_reference=identity
    )
    client.create_task(
        job,
        models.BatchTaskCreateOptions(
            id="t",
            command_line="/bin/sh -c 'cat a.txt other/c.txt > out'",
            resource_files=files,
            output_files=[
                models.OutputFile(
                    file_pattern="out",
                    destination=models.OutputFileDestination(container=destination),
                    upload_options=models.OutputFileUploadConfiguration(
                        upload_condition="tasksuccess"
                    ),
                )
            ],
        ),
    )
    info = completed(client, job, "t").execution_info
    assert info is not None
    assert info.failure_info is None
    assert container.download_blob("out.txt").readall() == b"in/a.txtother/c.txt"


def test_a_container_that_is_not_there_is_said(client: BatchClient, job: str) -> None:
    missing = models.ResourceFile(auto_storage_container_name="nowhere")
    client.create_task(
        job,
        models.BatchTaskCreateOptions(id="t", command_line="/bin/true", resource_files=[missing]),
    )
    info = completed(client, job, "t").execution_info
    assert info is not None
    assert info.failure_info is not None
    assert info.failure_info.code == "BlobNotFound"


def test_files_are_removed_when_their_time_is_over(client: BatchClient, job: str) -> None:
    client.create_task(
        job,
        models.BatchTaskCreateOptions(
            id="t",
            command_line="/bin/true",
            constraints=models.BatchTaskConstraints(retention_time=timedelta(seconds=1)),
        ),
    )
    completed(client, job, "t")

    def gone() -> bool:
        try:
            list(client.list_task_files(job, "t"))
        except HttpResponseError:
            return True
        return False

    wait_until(gone)
    assert refused(lambda: list(client.list_task_files(job, "t"))) == (409, "TaskFilesCleanedup")
    assert client.get_task(job, "t").state == models.BatchTaskState.COMPLETED


def test_a_container_task_fails_as_on_a_node_without_containers(
    client: BatchClient, job: str
) -> None:
    client.create_task(
        job,
        models.BatchTaskCreateOptions(
            id="t",
            command_line="/bin/true",
            container_settings=models.BatchTaskContainerSettings(
                image_name="ubuntu:24.04",
                container_run_options="--rm",
                registry=models.ContainerRegistryReference(
                    username="u", password="secret", registry_server="h"
                ),
            ),
        ),
    )
    task = completed(client, job, "t")
    assert task.execution_info is not None
    assert task.execution_info.exit_code is None
    failure = task.execution_info.failure_info
    assert failure is not None
    assert (failure.code, failure.message) == (
        "ContainerPoolNotSupported",
        "The specified pool does not support container tasks.",
    )
    assert task.container_settings is not None
    assert task.container_settings.as_dict() == {
        "containerRunOptions": "--rm",
        "imageName": "ubuntu:24.04",
        "registry": {"username": "u", "registryServer": "h"},
    }


CONTAINERS = models.BatchContainerConfiguration(
    type="dockerCompatible", container_image_names=["ubuntu:24.04"]
)


@pytest.fixture
def container_job(client: BatchClient, name: str) -> Iterator[str]:
    """A job with start, preparation and release on a node that is set up for containers."""
    info = auto_pool()
    assert info.auto_pool_specification is not None
    pool = info.auto_pool_specification.pool
    assert pool is not None
    assert pool.virtual_machine_configuration is not None
    pool.virtual_machine_configuration.container_configuration = CONTAINERS
    pool.start_task = models.BatchStartTask(command_line="/bin/true", wait_for_success=True)
    client.create_job(
        models.BatchJobCreateOptions(
            id=name,
            pool_info=info,
            job_preparation_task=models.BatchJobPreparationTask(command_line="/bin/true"),
            job_release_task=models.BatchJobReleaseTask(command_line="/bin/true"),
        )
    )
    yield name
    client.begin_delete_job(name, **POLL).wait()


def test_a_task_must_say_its_container_where_nodes_are_set_up_for_them(
    client: BatchClient, container_job: str
) -> None:
    job = container_job
    client.create_task(job, models.BatchTaskCreateOptions(id="t", command_line="/bin/true"))
    info = completed(client, job, "t").execution_info
    assert info is not None
    assert info.failure_info is not None
    assert info.exit_code is None
    assert (info.failure_info.category, info.failure_info.code, info.failure_info.message) == (
        "UserError",
        "ContainerTaskSettingsNotFound",
        "Container-enabled compute node requires task container settings",
    )
    # What goes before it needs no container.
    job_info = client.get_job(job).execution_info
    assert job_info is not None
    assert job_info.pool_id is not None
    pool = client.get_pool(job_info.pool_id).as_dict()
    assert pool["virtualMachineConfiguration"]["containerConfiguration"] == CONTAINERS.as_dict()
    (node,) = client.list_nodes(job_info.pool_id)
    assert node.start_task_info is not None
    assert node.start_task_info.result == models.BatchTaskExecutionResult.SUCCESS
    (status,) = client.list_job_preparation_and_release_task_status(job)
    prepared = status.job_preparation_task_execution_info
    assert prepared is not None
    assert prepared.result == models.BatchTaskExecutionResult.SUCCESS
    reason: Any = {"terminateReason": "enough"}
    client.begin_terminate_job(job, reason, **POLL).wait()
    wait_until(lambda: client.get_job(job).state == models.BatchJobState.COMPLETED)
    (status,) = client.list_job_preparation_and_release_task_status(job)
    released = status.job_release_task_execution_info
    assert released is not None
    assert released.result == models.BatchTaskExecutionResult.SUCCESS


@pytest.fixture
def wide_job(client: BatchClient, name: str) -> Iterator[str]:
    """A job on two nodes that can reach each other."""
    info = auto_pool(dedicated=2)
    assert info.auto_pool_specification is not None
    assert info.auto_pool_specification.pool is not None
    info.auto_pool_specification.pool.enable_inter_node_communication = True
    client.create_job(models.BatchJobCreateOptions(id=name, pool_info=info))
    yield name
    client.begin_delete_job(name, **POLL).wait()


def test_a_multi_instance_task_is_coordinated_first(
    client: BatchClient, emulator: Emulator, container: ContainerClient, wide_job: str
) -> None:
    job = wide_job
    url = signed(container, emulator)
    settings = models.MultiInstanceSettings(
        number_of_instances=2,
        coordination_command_line="/bin/bash -c 'echo ready; ls $AZ_BATCH_TASK_SHARED_DIR/in'",
        common_resource_files=[models.ResourceFile(storage_container_url=url, blob_prefix="in/a")],
    )
    client.create_task(
        job,
        models.BatchTaskCreateOptions(
            id="t",
            command_line="/bin/bash -c 'echo $AZ_BATCH_HOST_LIST $AZ_BATCH_IS_CURRENT_NODE_MASTER'",
            multi_instance_settings=settings,
        ),
    )
    task = completed(client, job, "t")
    assert output(client, job) == "ready\na.txt\n127.0.0.1,127.0.0.1 true\n"
    assert task.multi_instance_settings is not None
    assert task.multi_instance_settings.as_dict() == settings.as_dict()
    (subtask,) = client.list_subtasks(job, "t")
    assert (subtask.id, subtask.state, subtask.exit_code) == (1, "completed", 0)
    assert subtask.result == "success"
    assert task.node_info is not None
    place = subtask.node_info
    assert place is not None
    assert place.node_id != task.node_info.node_id
    file = f"{place.task_root_directory}/stdout.txt"
    content = client.download_node_file(str(place.pool_id), str(place.node_id), file)
    assert b"".join(content) == b"ready\na.txt\n"


def test_a_coordination_that_fails_fails_the_task(client: BatchClient, wide_job: str) -> None:
    job = wide_job
    client.create_task(
        job,
        models.BatchTaskCreateOptions(
            id="t",
            command_line="/bin/echo never",
            multi_instance_settings=models.MultiInstanceSettings(
                coordination_command_line="/bin/bash -c 'exit 7'"
            ),
        ),
    )
    info = completed(client, job, "t").execution_info
    assert info is not None
    assert info.exit_code == 7
    assert output(client, job) == ""


def test_a_pool_of_everything_is_given_back(client: BatchClient, name: str) -> None:
    pool = models.BatchPoolCreateOptions(
        id=name,
        vm_size="standard_d2s_v5",
        virtual_machine_configuration=machine(),
        target_dedicated_nodes=1,
        enable_inter_node_communication=True,
        task_scheduling_policy=models.BatchTaskSchedulingPolicy(node_fill_type="Pack"),
        network_configuration=models.NetworkConfiguration(
            subnet_id="/subscriptions/s/n",
            dynamic_vnet_assignment_scope="none",
            public_ip_address_configuration=models.BatchPublicIpAddressConfiguration(
                ip_address_provisioning_type="nopublicipaddresses"
            ),
        ),
        mount_configuration=[
            models.MountConfiguration(
                nfs_mount_configuration=models.NfsMountConfiguration(
                    source="h:/x", relative_mount_path="data/nfs"
                )
            )
        ],
    )
    client.create_pool(pool)
    shown = client.get_pool(name).as_dict()
    sent = pool.as_dict()
    for entry in (
        "virtualMachineConfiguration",
        "enableInterNodeCommunication",
        "taskSchedulingPolicy",
        "networkConfiguration",
        "mountConfiguration",
    ):
        assert shown[entry] == sent[entry]
    info = models.BatchPoolInfo(pool_id=name)
    client.create_job(models.BatchJobCreateOptions(id=name, pool_info=info))
    script = "ls -d $AZ_BATCH_NODE_MOUNTS_DIR/data/nfs >/dev/null && echo there"
    client.create_task(
        name, models.BatchTaskCreateOptions(id="t", command_line=f"/bin/bash -c '{script}'")
    )
    completed(client, name, "t")
    assert output(client, name) == "there\n"
    client.begin_delete_job(name, **POLL).wait()
    client.begin_delete_pool(name, **POLL).wait()
