"""Pools and nodes through azure-batch 15.1."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.batch import BatchClient, models
from azure.core import MatchConditions

from tests.conformance.batch.asking import POLL, is_gone, machine, refused, wait_until

Create = Callable[..., str]


@pytest.fixture
def create(client: BatchClient, name: str) -> Iterator[Create]:
    """Creates the pool of the test, which is deleted after it."""

    def create_pool(**options: Any) -> str:
        client.create_pool(
            models.BatchPoolCreateOptions(
                id=name,
                vm_size="STANDARD_D2s_v5",
                virtual_machine_configuration=machine(),
                **options,
            )
        )
        return name

    yield create_pool
    if not is_gone(lambda: client.get_pool(name)):
        client.begin_delete_pool(name, **POLL).wait()


def nodes_in(client: BatchClient, pool: str, state: str, count: int) -> list[models.BatchNode]:
    """The nodes of a pool, once so many are in a state."""

    def look() -> list[models.BatchNode] | None:
        found = list(client.list_nodes(pool, filter=f"state eq '{state}'"))
        return found if len(found) == count else None

    return wait_until(look)


def steady(client: BatchClient, pool: str) -> models.BatchPool:
    """The pool, once it is steady."""

    def look() -> models.BatchPool | None:
        found = client.get_pool(pool)
        return found if found.allocation_state == models.AllocationState.STEADY else None

    return wait_until(look)


def test_a_pool_gets_its_nodes(client: BatchClient, create: Create) -> None:
    pool = create(target_dedicated_nodes=2, target_low_priority_nodes=1)

    nodes = nodes_in(client, pool, "idle", 3)

    found = steady(client, pool)
    assert (found.current_dedicated_nodes, found.current_low_priority_nodes) == (2, 1)
    assert found.vm_size == "standard_d2s_v5"
    kinds = sorted((str(node.id)[-2:], node.is_dedicated) for node in nodes)
    assert kinds == [("_d", True), ("_d", True), ("_p", False)]
    assert all(re.fullmatch(r"tvmps_[0-9a-f]{64}_[dp]", str(node.id)) for node in nodes)
    (counts,) = client.list_pool_node_counts(filter=f"poolId eq '{pool}'")
    assert counts.dedicated is not None
    assert counts.low_priority is not None
    assert (counts.dedicated.idle, counts.dedicated.total) == (2, 2)
    assert (counts.low_priority.idle, counts.low_priority.total) == (1, 1)
    one = client.get_node(pool, str(nodes[0].id))
    assert one.affinity_id == f"TVM:{nodes[0].id}"


def test_a_start_task_runs_before_the_node_is_idle(client: BatchClient, create: Create) -> None:
    pool = create(
        target_dedicated_nodes=1,
        start_task=models.BatchStartTask(
            command_line="/bin/bash -c 'echo $AZ_BATCH_POOL_ID; touch $AZ_BATCH_NODE_SHARED_DIR/x'"
        ),
    )

    (node,) = nodes_in(client, pool, "idle", 1)

    assert node.start_task_info is not None
    assert node.start_task_info.exit_code == 0
    assert node.start_task_info.result == models.BatchTaskExecutionResult.SUCCESS
    content = client.download_node_file(pool, str(node.id), "startup/stdout.txt")
    assert b"".join(content).decode() == f"{pool}\n"
    files = {file.name for file in client.list_node_files(pool, str(node.id), recursive=True)}
    assert {"shared", "shared/x", "startup/wd", "workitems", "fsmounts"} <= files


def test_a_start_task_that_fails_keeps_the_node_from_work(
    client: BatchClient, create: Create
) -> None:
    pool = create(
        target_dedicated_nodes=1,
        start_task=models.BatchStartTask(
            command_line="/bin/bash -c 'exit 9'", max_task_retry_count=1, wait_for_success=True
        ),
    )

    (node,) = nodes_in(client, pool, "starttaskfailed", 1)

    info = node.start_task_info
    assert info is not None
    assert (info.exit_code, info.retry_count) == (9, 1)
    assert info.failure_info is not None
    assert info.failure_info.code == "FailureExitCode"


def test_a_pool_can_be_resized_and_nodes_removed(client: BatchClient, create: Create) -> None:
    pool = create(target_dedicated_nodes=1)
    nodes_in(client, pool, "idle", 1)
    steady(client, pool)

    client.begin_resize_pool(
        pool, models.BatchPoolResizeOptions(target_dedicated_nodes=3), **POLL
    ).wait()
    nodes = nodes_in(client, pool, "idle", 3)
    leaving = str(nodes[0].id)
    client.begin_remove_nodes(
        pool, models.BatchNodeRemoveOptions(node_ids=[leaving]), **POLL
    ).wait()

    found = steady(client, pool)
    assert (found.target_dedicated_nodes, found.current_dedicated_nodes) == (2, 2)
    assert refused(lambda: client.get_node(pool, leaving)) == (404, "NodeNotFound")


def test_a_pool_goes_when_it_is_deleted(client: BatchClient, create: Create) -> None:
    pool = create(target_dedicated_nodes=2)
    assert client.pool_exists(pool)

    client.begin_delete_pool(pool, **POLL).wait()

    assert refused(lambda: client.get_pool(pool)) == (404, "PoolNotFound")


def test_what_a_pool_declares_comes_back_without_secrets(
    client: BatchClient, create: Create
) -> None:
    pool = create(
        metadata=[models.BatchMetadataItem(name="a", value="b")],
        user_accounts=[models.UserAccount(name="jo", password="pw", elevation_level="admin")],
        mount_configuration=[
            models.MountConfiguration(
                azure_blob_file_system_configuration=models.AzureBlobFileSystemConfiguration(
                    account_name="acc",
                    container_name="con",
                    relative_mount_path="x",
                    account_key="secret",
                )
            )
        ],
    )

    found = client.get_pool(pool).as_dict()

    assert found["metadata"] == [{"name": "a", "value": "b"}]
    assert found["userAccounts"] == [{"name": "jo", "elevationLevel": "admin"}]
    mount = found["mountConfiguration"][0]["azureBlobFileSystemConfiguration"]
    assert mount == {"accountName": "acc", "containerName": "con", "relativeMountPath": "x"}
    assert found["taskSchedulingPolicy"] == {"nodeFillType": "Spread"}
    assert found["resizeTimeout"] == "PT15M"


def test_properties_are_patched_or_replaced(client: BatchClient, create: Create) -> None:
    pool = create(
        metadata=[models.BatchMetadataItem(name="a", value="b")],
        start_task=models.BatchStartTask(command_line="/bin/true"),
    )
    client.update_pool(
        pool,
        models.BatchPoolUpdateOptions(metadata=[models.BatchMetadataItem(name="c", value="d")]),
    )
    patched = client.get_pool(pool)
    assert patched.metadata is not None
    assert [item.name for item in patched.metadata] == ["c"]
    assert patched.start_task is not None

    client.replace_pool_properties(
        pool, models.BatchPoolReplaceOptions(application_package_references=[], metadata=[])
    )
    replaced = client.get_pool(pool)
    assert replaced.metadata == []
    assert replaced.start_task is None
    assert replaced.etag != patched.etag


def test_conditions_are_kept(client: BatchClient, create: Create) -> None:
    pool = create()
    found = steady(client, pool)
    update = models.BatchPoolUpdateOptions(metadata=[])

    client.update_pool(pool, update, etag=found.etag, match_condition=MatchConditions.IfNotModified)

    stale = refused(
        lambda: client.update_pool(
            pool, update, etag=found.etag, match_condition=MatchConditions.IfNotModified
        )
    )
    assert stale == (412, "ConditionNotMet")


@pytest.mark.parametrize(
    ("image", "agent", "code"),
    [
        ({"publisher": "canonical", "offer": "nothing", "sku": "1"}, None, "InvalidPropertyValue"),
        (None, "batch.node.debian 12", "InvalidPropertyValue"),
        ({"publisher": "canonical", "offer": "x"}, None, "MissingRequiredProperty"),
    ],
)
def test_an_image_must_be_listed_and_fit_its_agent(
    client: BatchClient, name: str, image: dict[str, str] | None, agent: str | None, code: str
) -> None:
    configuration = machine()
    if image is not None:
        configuration.image_reference = models.BatchVmImageReference(**image)
    if agent is not None:
        configuration.node_agent_sku_id = agent
    pool = models.BatchPoolCreateOptions(
        id=name, vm_size="x", virtual_machine_configuration=configuration
    )
    assert refused(lambda: client.create_pool(pool)) == (400, code)


def test_images_are_listed_and_filtered(client: BatchClient) -> None:
    images = list(client.list_supported_images())
    agents = {image.node_agent_sku_id for image in images}
    assert {"batch.node.ubuntu 22.04", "batch.node.ubuntu 24.04", "batch.node.debian 12"} <= agents
    windows = list(client.list_supported_images(filter="osType eq 'WINDOWS'"))
    assert {image.node_agent_sku_id for image in windows} == {"batch.node.windows amd64"}


def test_a_second_pool_with_the_id_is_refused(client: BatchClient, create: Create) -> None:
    create()
    assert refused(create) == (409, "PoolExists")


def test_a_node_is_rebooted_and_taken_from_work(client: BatchClient, create: Create) -> None:
    pool = create(target_dedicated_nodes=1)
    (node,) = nodes_in(client, pool, "idle", 1)
    assert node.id is not None
    option: Any = {"nodeDisableSchedulingOption": "taskcompletion"}
    client.disable_node_scheduling(pool, node.id, option)
    assert client.get_node(pool, node.id).state == models.BatchNodeState.OFFLINE
    assert refused(lambda: client.disable_node_scheduling(pool, node.id or "", option)) == (
        409,
        "NodeAlreadyInTargetSchedulingState",
    )
    client.enable_node_scheduling(pool, node.id)
    reboot: Any = {"nodeRebootOption": "terminate"}
    client.begin_reboot_node(pool, node.id, reboot, **POLL).wait()
    (again,) = nodes_in(client, pool, "idle", 1)
    assert again.id == node.id
    assert again.last_boot_time != node.last_boot_time
