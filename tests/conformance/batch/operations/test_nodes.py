"""The operations on nodes, each once granted and once refused."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from azure.batch import BatchClient, models
from azure.storage.blob import ContainerSasPermissions, generate_container_sas

from tests.conformance.batch.asking import POLL, refused, wait_until
from tests.conformance.batch.operations.conftest import Node, idle
from tests.conformance.endpoints import Emulator

NONE = "there-is-none"
NOT_FOUND = (404, "NodeNotFound")
NOT_VALID = (409, "OperationNotValidOnNode")
USER = models.BatchNodeUserCreateOptions(name="ann", password="kt#_gahr!@aGERDXA")
OTHER_KEY = models.BatchNodeUserReplaceOptions(ssh_public_key="AAAA")
NO_USER = (404, "NodeUserNotFound")

# The classes of these options are private, and without options azure-batch 15.1 raises ValueError.
REBOOT: Any = {"nodeRebootOption": "requeue"}
REIMAGE: Any = {"nodeReimageOption": "requeue"}
DEALLOCATE: Any = {"nodeDeallocateOption": "requeue"}
DISABLE: Any = {"nodeDisableSchedulingOption": "requeue"}


def test_list_nodes(client: BatchClient, node: Node) -> None:
    (found,) = client.list_nodes(node.pool)
    assert (found.id, found.is_dedicated) == (node.id, True)
    assert refused(lambda: list(client.list_nodes(NONE))) == (404, "PoolNotFound")


def test_get_node(client: BatchClient, node: Node) -> None:
    found = client.get_node(node.pool, node.id)
    assert (found.affinity_id, found.vm_size) == (f"TVM:{node.id}", "standard_d2s_v5")
    assert refused(lambda: client.get_node(node.pool, NONE)) == NOT_FOUND


def test_create_node_user(client: BatchClient, node: Node) -> None:
    client.create_node_user(node.pool, node.id, USER)
    again = refused(lambda: client.create_node_user(node.pool, node.id, USER))
    assert again == (409, "NodeUserExists")


def test_replace_node_user(client: BatchClient, node: Node) -> None:
    def replace() -> None:
        client.replace_node_user(node.pool, node.id, "ann", OTHER_KEY)

    assert refused(replace) == NO_USER
    client.create_node_user(node.pool, node.id, USER)
    replace()


def test_delete_node_user(client: BatchClient, node: Node) -> None:
    client.create_node_user(node.pool, node.id, USER)
    client.delete_node_user(node.pool, node.id, "ann")
    assert refused(lambda: client.delete_node_user(node.pool, node.id, "ann")) == NO_USER


def test_reboot_node(client: BatchClient, node: Node) -> None:
    client.begin_reboot_node(node.pool, node.id, REBOOT, **POLL).wait()
    assert idle(client, node.pool) == node.id
    rebooting = refused(lambda: client.begin_reboot_node(node.pool, NONE, REBOOT, **POLL))
    assert rebooting == NOT_FOUND


def test_reimage_node(client: BatchClient, node: Node) -> None:
    client.begin_reimage_node(node.pool, node.id, REIMAGE, **POLL).wait()
    assert idle(client, node.pool) == node.id
    reimaging = refused(lambda: client.begin_reimage_node(node.pool, NONE, REIMAGE, **POLL))
    assert reimaging == NOT_FOUND


def deallocated(client: BatchClient, node: Node) -> None:
    client.begin_deallocate_node(node.pool, node.id, DEALLOCATE, **POLL).wait()
    wait_until(lambda: client.get_node(node.pool, node.id).state == "deallocated")


def test_deallocate_node(client: BatchClient, node: Node) -> None:
    deallocated(client, node)
    again = refused(lambda: client.begin_deallocate_node(node.pool, node.id, DEALLOCATE, **POLL))
    assert again == NOT_VALID


def test_start_node(client: BatchClient, node: Node) -> None:
    assert refused(lambda: client.begin_start_node(node.pool, node.id, **POLL)) == NOT_VALID
    deallocated(client, node)
    client.begin_start_node(node.pool, node.id, **POLL).wait()
    assert idle(client, node.pool) == node.id


def test_disable_node_scheduling(client: BatchClient, node: Node) -> None:
    def disable() -> None:
        client.disable_node_scheduling(node.pool, node.id, DISABLE)

    disable()
    assert client.get_node(node.pool, node.id).scheduling_state == "disabled"
    assert refused(disable) == (409, "NodeAlreadyInTargetSchedulingState")


def test_enable_node_scheduling(client: BatchClient, node: Node) -> None:
    def enable() -> None:
        client.enable_node_scheduling(node.pool, node.id)

    assert refused(enable) == (409, "NodeAlreadyInTargetSchedulingState")
    client.disable_node_scheduling(node.pool, node.id, DISABLE)
    enable()
    assert client.get_node(node.pool, node.id).scheduling_state == "enabled"


def test_get_node_remote_login_settings(client: BatchClient, node: Node) -> None:
    settings = client.get_node_remote_login_settings(node.pool, node.id)
    assert settings.remote_login_port > 0
    assert refused(lambda: client.get_node_remote_login_settings(node.pool, NONE)) == NOT_FOUND


@pytest.fixture
def container_url(emulator: Emulator) -> Iterator[str]:
    """A container, with a signature to write to it."""
    from azure.storage.blob import ContainerClient

    name = f"logs-{uuid.uuid4().hex[:12]}"
    with ContainerClient.from_connection_string(emulator.connection_string, name) as container:
        container.create_container()
        token = generate_container_sas(
            emulator.storage_account,
            name,
            account_key=emulator.storage_key,
            permission=ContainerSasPermissions(write=True, create=True),
            expiry=datetime.now(timezone.utc) + timedelta(hours=1),
        )
        yield f"{emulator.blob_endpoint}/{name}?{token}"
        container.delete_container()


def test_upload_node_logs(client: BatchClient, node: Node, container_url: str) -> None:
    start = datetime.now(timezone.utc) - timedelta(minutes=5)
    options = models.UploadBatchServiceLogsOptions(container_url=container_url, start_time=start)
    result = client.upload_node_logs(node.pool, node.id, options)
    assert result.number_of_files_uploaded > 0
    assert refused(lambda: client.upload_node_logs(node.pool, NONE, options)) == NOT_FOUND


def test_list_node_extensions(client: BatchClient, node: Node) -> None:
    found = [one.vm_extension for one in client.list_node_extensions(node.pool, node.id)]
    names = [extension.name for extension in found if extension is not None]
    assert names == ["agent", "batchNodeExtension"]
    assert refused(lambda: list(client.list_node_extensions(node.pool, NONE))) == NOT_FOUND


def test_get_node_extension(client: BatchClient, node: Node) -> None:
    found = client.get_node_extension(node.pool, node.id, "agent")
    assert found.provisioning_state == "Succeeded"
    missing = refused(lambda: client.get_node_extension(node.pool, node.id, NONE))
    assert missing == (404, "ResourceNotFound")


def test_list_node_files(client: BatchClient, node: Node) -> None:
    names = {file.name for file in client.list_node_files(node.pool, node.id)}
    assert {"shared", "startup"} <= names
    assert refused(lambda: list(client.list_node_files(node.pool, NONE))) == NOT_FOUND


def test_get_node_file_properties(client: BatchClient, node: Node, done: str) -> None:
    path = f"workitems/{done}/job-1/t/wd/made"
    assert client.get_node_file_properties(node.pool, node.id, path).content_length == 5
    missing = refused(lambda: client.get_node_file_properties(node.pool, node.id, NONE))
    assert missing[0] == 404


def test_download_node_file(client: BatchClient, node: Node, done: str) -> None:
    path = f"workitems/{done}/job-1/t/wd/made"
    assert b"".join(client.download_node_file(node.pool, node.id, path)) == b"made\n"
    missing = refused(lambda: client.download_node_file(node.pool, node.id, NONE))
    assert missing[0] == 404


def test_delete_node_file(client: BatchClient, node: Node, done: str) -> None:
    def delete() -> None:
        client.delete_node_file(node.pool, node.id, f"workitems/{done}/job-1/t/wd/made")

    delete()
    assert refused(delete) == (404, "FileNotFound")
