"""Nodes through azure-batch 15.1: restarts, users, logs, extensions, and what pools have used."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from azure.batch import BatchClient, models
from azure.storage.blob import (
    ContainerClient,
    ContainerSasPermissions,
    generate_container_sas,
)

from tests.conformance.batch.asking import POLL, is_gone, machine, refused, wait_until
from tests.conformance.endpoints import Emulator

NOT_VALID = (409, "OperationNotValidOnNode")


@pytest.fixture
def pool(client: BatchClient, name: str) -> Iterator[str]:
    """A pool with one dedicated node, which has an extension."""
    configuration = machine()
    configuration.extensions = [
        models.VMExtension(
            name="Agent",
            publisher="Contoso.Batch",
            type="AgentForLinux",
            type_handler_version="1.0",
            settings={"level": "high"},
            protected_settings={"key": "secret"},
        )
    ]
    client.create_pool(
        models.BatchPoolCreateOptions(
            id=name,
            vm_size="standard_d2s_v5",
            virtual_machine_configuration=configuration,
            target_dedicated_nodes=1,
        )
    )
    yield name
    if not is_gone(lambda: client.get_pool(name)):
        client.begin_delete_pool(name, **POLL).wait()


def node_in(client: BatchClient, pool: str, state: str) -> models.BatchNode:
    """The one node of a pool, once it is in a state."""

    def look() -> models.BatchNode | None:
        return next(iter(client.list_nodes(pool, filter=f"state eq '{state}'")), None)

    return wait_until(look)


def test_a_reimaged_node_starts_without_its_files(client: BatchClient, pool: str) -> None:
    node = str(node_in(client, pool, "idle").id)
    client.delete_node_file(pool, node, "shared", recursive=True)
    assert "shared" not in {file.name for file in client.list_node_files(pool, node)}
    boot = client.get_node(pool, node).last_boot_time
    assert boot is not None

    options: Any = {"nodeReimageOption": "terminate"}
    client.begin_reimage_node(pool, node, options, **POLL).wait()

    again = node_in(client, pool, "idle")
    assert again.id == node
    assert again.last_boot_time is not None
    assert again.last_boot_time > boot
    wait_until(lambda: "shared" in {file.name for file in client.list_node_files(pool, node)})


def test_a_node_is_deallocated_and_started(client: BatchClient, pool: str) -> None:
    node = str(node_in(client, pool, "idle").id)
    assert refused(lambda: client.begin_start_node(pool, node, **POLL)) == NOT_VALID
    options: Any = {"nodeDeallocateOption": "requeue"}

    client.begin_deallocate_node(pool, node, options, **POLL).wait()

    assert client.get_node(pool, node).state == "deallocated"
    assert refused(lambda: list(client.list_node_files(pool, node))) == NOT_VALID
    (counts,) = client.list_pool_node_counts(filter=f"poolId eq '{pool}'")
    assert counts.dedicated is not None
    assert (counts.dedicated.deallocated, counts.dedicated.total) == (1, 1)
    assert refused(lambda: client.begin_deallocate_node(pool, node, options, **POLL)) == NOT_VALID
    client.begin_start_node(pool, node, **POLL).wait()
    assert node_in(client, pool, "idle").id == node


def test_users_of_a_node(client: BatchClient, pool: str) -> None:
    node = str(node_in(client, pool, "idle").id)
    user = models.BatchNodeUserCreateOptions(
        name="ann", is_admin=True, password="kt#_gahr!@aGERDXA"
    )
    client.create_node_user(pool, node, user)
    assert refused(lambda: client.create_node_user(pool, node, user)) == (409, "NodeUserExists")

    later = datetime.now(timezone.utc) + timedelta(days=3)
    update = models.BatchNodeUserReplaceOptions(ssh_public_key="AAAA", expiry_time=later)
    client.replace_node_user(pool, node, "ann", update)
    client.delete_node_user(pool, node, "ann")

    missing = (404, "NodeUserNotFound")
    assert refused(lambda: client.delete_node_user(pool, node, "ann")) == missing
    assert refused(lambda: client.replace_node_user(pool, node, "ann", update)) == missing


PAST = datetime(2020, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"name": "a" * 21, "password": "x"}, "InvalidPropertyValue"),
        ({"name": "a b", "password": "x"}, "InvalidPropertyValue"),
        ({"name": "ann"}, "MissingRequiredProperty"),
        ({"name": "ann", "password": "x", "expiry_time": PAST}, "InvalidPropertyValue"),
    ],
    ids=["long", "space", "no-password", "expired"],
)
def test_users_are_checked(
    client: BatchClient, pool: str, options: dict[str, Any], code: str
) -> None:
    node = str(node_in(client, pool, "idle").id)
    user = models.BatchNodeUserCreateOptions(**options)
    assert refused(lambda: client.create_node_user(pool, node, user)) == (400, code)


def test_where_to_log_in(client: BatchClient, pool: str) -> None:
    node = str(node_in(client, pool, "idle").id)
    settings = client.get_node_remote_login_settings(pool, node)
    assert settings.remote_login_ip_address == "127.0.0.1"
    assert settings.remote_login_port == 50000
    missing = (404, "NodeNotFound")
    assert refused(lambda: client.get_node_remote_login_settings(pool, "other")) == missing


def test_logs_of_a_node_come_to_a_container(
    client: BatchClient, emulator: Emulator, pool: str
) -> None:
    node = str(node_in(client, pool, "idle").id)
    now = datetime.now(timezone.utc)
    with ContainerClient.from_connection_string(emulator.connection_string, pool) as container:
        container.create_container()
        url = signed(pool, emulator)
        options = models.UploadBatchServiceLogsOptions(
            container_url=url, start_time=now - timedelta(minutes=5)
        )

        result = client.upload_node_logs(pool, node, options)

        directory = result.virtual_directory_name
        assert re.fullmatch(rf"batch-[0-9A-F]{{16}}/{pool}/{node}/[0-9a-f-]{{36}}", directory)
        assert result.number_of_files_uploaded == 1
        name = f"{directory}/agent-debug.log"
        wait_until(lambda: name in set(container.list_blob_names()))
        text = container.download_blob(name, encoding="utf-8").readall()
        assert "\tINFO\tnode has booted\n" in text
    later = models.UploadBatchServiceLogsOptions(
        container_url=url, start_time=now + timedelta(hours=1)
    )
    assert client.upload_node_logs(pool, node, later).number_of_files_uploaded == 0


def signed(container: str, emulator: Emulator) -> str:
    """The container's URL with a signature to write."""
    token = generate_container_sas(
        emulator.storage_account,
        container,
        account_key=emulator.storage_key,
        permission=ContainerSasPermissions(write=True, create=True),
        expiry=datetime.now(timezone.utc) + timedelta(hours=1),
    )
    return f"{emulator.blob_endpoint}/{container}?{token}"


def test_extensions_of_a_node(client: BatchClient, pool: str) -> None:
    node = str(node_in(client, pool, "idle").id)

    listed, of_batch = client.list_node_extensions(pool, node)
    one = client.get_node_extension(pool, node, "agent")

    assert one.provisioning_state == listed.provisioning_state == "Succeeded"
    assert one.vm_extension is not None
    assert (one.vm_extension.name, one.vm_extension.settings) == ("Agent", {"level": "high"})
    assert one.vm_extension.protected_settings is None
    assert of_batch.vm_extension is not None
    assert of_batch.vm_extension.name == "batchNodeExtension"
    assert of_batch.vm_extension.publisher == "Microsoft.Azure.Extensions"
    assert one.instance_view is not None
    assert one.instance_view.statuses is not None
    assert [status.code for status in one.instance_view.statuses] == ["ProvisioningState/succeeded"]
    missing = (404, "ResourceNotFound")
    assert refused(lambda: client.get_node_extension(pool, node, "other")) == missing


def usage(client: BatchClient, **options: Any) -> Callable[[], list[models.BatchPoolUsageMetrics]]:
    """Asks for what pools have used."""
    return lambda: list(client.list_pool_usage_metrics(**options))


def test_usage_is_known_two_hours_later(client: BatchClient, pool: str) -> None:
    node_in(client, pool, "idle")
    assert [entry for entry in usage(client)() if entry.pool_id == pool] == []
    now = datetime.now(timezone.utc)
    three, four = now - timedelta(hours=3), now - timedelta(hours=4)
    assert usage(client, start_time=four, end_time=three)() == []
    invalid = (400, "InvalidQueryParameterValue")
    assert refused(usage(client, start_time=now - timedelta(hours=1))) == invalid
    assert refused(usage(client, end_time=now - timedelta(hours=1))) == invalid
    assert refused(usage(client, start_time=three, end_time=four)) == invalid
