"""The operations on the account, each once granted and once refused."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from azure.batch import BatchClient

from tests.conformance.batch.asking import refused

BAD_QUERY = (400, "InvalidQueryParameterValue")


def test_list_applications(client: BatchClient) -> None:
    assert [found.id for found in client.list_applications()] == ["tool"]
    assert refused(lambda: list(client.list_applications(max_results=0))) == BAD_QUERY


def test_get_application(client: BatchClient) -> None:
    assert client.get_application("tool").versions == ["1.5"]
    assert refused(lambda: client.get_application("none")) == (404, "ApplicationNotFound")


def test_list_supported_images(client: BatchClient) -> None:
    (image, *_) = client.list_supported_images(filter="nodeAgentSKUId eq 'batch.node.ubuntu 24.04'")
    assert (image.os_type, image.image_reference.publisher) == ("linux", "canonical")
    assert refused(lambda: list(client.list_supported_images(filter="size eq 1"))) == BAD_QUERY


def test_list_pool_node_counts(client: BatchClient, pool: str) -> None:
    (counts,) = client.list_pool_node_counts(filter=f"poolId eq '{pool}'")
    assert counts.dedicated is not None
    assert counts.dedicated.total == 0
    assert refused(lambda: list(client.list_pool_node_counts(filter="size eq 1"))) == BAD_QUERY


def test_list_pool_usage_metrics(client: BatchClient) -> None:
    now = datetime.now(timezone.utc)
    early, late = now - timedelta(hours=4), now - timedelta(hours=3)
    used = client.list_pool_usage_metrics(start_time=early, end_time=late)
    assert all(entry.total_core_hours >= 0 for entry in used)
    backwards = client.list_pool_usage_metrics(start_time=late, end_time=early)
    assert refused(lambda: list(backwards)) == BAD_QUERY
