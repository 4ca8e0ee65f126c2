"""The operations on pools, each once granted and once refused."""

from __future__ import annotations

from datetime import timedelta
from itertools import cycle
from typing import Any

from azure.batch import BatchClient, models
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError

from tests.conformance.batch.asking import POLL, is_gone, machine, refused, wait_until
from tests.conformance.batch.operations.conftest import Node, steady

NOT_FOUND = (404, "PoolNotFound")
NONE = "there-is-none"
FORMULA = "$TargetDedicatedNodes = 0"


def test_create_pool(client: BatchClient, pool: str) -> None:
    same = models.BatchPoolCreateOptions(
        id=pool.upper(), vm_size="a", virtual_machine_configuration=machine()
    )
    assert refused(lambda: client.create_pool(same)) == (409, "PoolExists")


def test_list_pools(client: BatchClient, pool: str) -> None:
    (found,) = client.list_pools(filter=f"id eq '{pool}'", select=["id", "vmSize"])
    assert found.as_dict() == {"id": pool, "vmSize": "standard_d2s_v5"}
    assert refused(lambda: list(client.list_pools(filter="id like 'x'"))) == (
        400,
        "InvalidQueryParameterValue",
    )


def test_get_pool(client: BatchClient, pool: str) -> None:
    found = client.get_pool(pool)
    assert found.metadata == [models.BatchMetadataItem(name="colour", value="red")]
    assert refused(lambda: client.get_pool(NONE)) == NOT_FOUND
    unchanged: Any = {"etag": found.etag, "match_condition": MatchConditions.IfModified}
    assert refused(lambda: client.get_pool(pool, **unchanged))[0] == 304


def test_pool_exists(client: BatchClient, pool: str) -> None:
    assert client.pool_exists(pool) is True
    assert refused(lambda: client.pool_exists(NONE))[0] == 404


def test_delete_pool(client: BatchClient, pool: str) -> None:
    client.begin_delete_pool(pool, **POLL).wait()
    wait_until(lambda: is_gone(lambda: client.get_pool(pool)))
    assert refused(lambda: client.begin_delete_pool(pool, **POLL)) == NOT_FOUND


def test_update_pool(client: BatchClient, pool: str) -> None:
    changes = models.BatchPoolUpdateOptions(metadata=[])
    stale: Any = {"etag": "0x8DD671E62323E77", "match_condition": MatchConditions.IfNotModified}
    assert refused(lambda: client.update_pool(pool, changes, **stale)) == (412, "ConditionNotMet")
    client.update_pool(pool, changes)
    assert client.get_pool(pool).metadata == []


def test_replace_pool_properties(client: BatchClient, pool: str) -> None:
    whole = models.BatchPoolReplaceOptions(
        application_package_references=[],
        metadata=[models.BatchMetadataItem(name="a", value="b")],
    )
    client.replace_pool_properties(pool, whole)
    assert client.get_pool(pool).metadata == [models.BatchMetadataItem(name="a", value="b")]
    assert refused(lambda: client.replace_pool_properties(NONE, whole)) == NOT_FOUND


def test_enable_pool_auto_scale(client: BatchClient, pool: str) -> None:
    bad = models.BatchPoolEnableAutoScaleOptions(auto_scale_formula="$TargetDedicatedNodes =")
    assert refused(lambda: client.enable_pool_auto_scale(pool, bad)) == (
        400,
        "AutoScalingFormulaSyntaxError",
    )
    client.enable_pool_auto_scale(
        pool,
        models.BatchPoolEnableAutoScaleOptions(
            auto_scale_formula=FORMULA, auto_scale_evaluation_interval=timedelta(minutes=5)
        ),
    )
    found = client.get_pool(pool)
    assert (found.enable_auto_scale, found.auto_scale_formula) == (True, FORMULA)


def test_evaluate_pool_auto_scale(client: BatchClient, pool: str) -> None:
    options = models.BatchPoolEvaluateAutoScaleOptions(auto_scale_formula=FORMULA)
    assert refused(lambda: client.evaluate_pool_auto_scale(pool, options)) == (
        409,
        "OperationInvalidForCurrentState",
    )
    enabling = models.BatchPoolEnableAutoScaleOptions(auto_scale_formula=FORMULA)
    client.enable_pool_auto_scale(pool, enabling)
    results = client.evaluate_pool_auto_scale(pool, options).results
    assert results is not None
    assert results.startswith("$TargetDedicatedNodes=0;")


def test_disable_pool_auto_scale(client: BatchClient, pool: str) -> None:
    assert refused(lambda: client.disable_pool_auto_scale(pool)) == (
        409,
        "OperationInvalidForCurrentState",
    )
    enabling = models.BatchPoolEnableAutoScaleOptions(auto_scale_formula=FORMULA)
    client.enable_pool_auto_scale(pool, enabling)
    client.disable_pool_auto_scale(pool)
    assert client.get_pool(pool).enable_auto_scale is False


def test_resize_pool(client: BatchClient, pool: str) -> None:
    less = models.BatchPoolResizeOptions(target_dedicated_nodes=-1)
    assert refused(lambda: client.begin_resize_pool(pool, less, **POLL)) == (
        400,
        "InvalidPropertyValue",
    )
    more = models.BatchPoolResizeOptions(target_dedicated_nodes=1, target_low_priority_nodes=1)
    client.begin_resize_pool(pool, more, **POLL).wait()
    found = client.get_pool(pool)
    assert (found.current_dedicated_nodes, found.current_low_priority_nodes) == (1, 1)


def test_stop_pool_resize(client: BatchClient, pool: str) -> None:
    assert refused(lambda: client.begin_stop_pool_resize(pool, **POLL)) == (
        409,
        "OperationInvalidForCurrentState",
    )
    targets = cycle((1, 0))

    def stop() -> bool:
        """An emulator may be done with a resize before it is told to stop it."""
        options = models.BatchPoolResizeOptions(target_low_priority_nodes=next(targets))
        resizing = client.begin_resize_pool(pool, options, **POLL)
        try:
            client.begin_stop_pool_resize(pool, **POLL).wait()
        except HttpResponseError:
            return False
        finally:
            resizing.wait()
        return True

    wait_until(stop)
    errors = client.get_pool(pool).resize_errors
    assert errors is not None
    assert "ResizeStopped" in {error.code for error in errors}


def test_remove_nodes(client: BatchClient, node: Node) -> None:
    gone = models.BatchNodeRemoveOptions(node_ids=[node.id])
    assert refused(lambda: client.begin_remove_nodes(NONE, gone, **POLL)) == NOT_FOUND
    steady(client, node.pool)
    client.begin_remove_nodes(node.pool, gone, **POLL).wait()
    steady(client, node.pool)
    assert list(client.list_nodes(node.pool)) == []
