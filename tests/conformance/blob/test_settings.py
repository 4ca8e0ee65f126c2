"""Settings of the account's Blob service through the SDK."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import (
    BlobAnalyticsLogging,
    BlobServiceClient,
    CorsRule,
    RetentionPolicy,
)

from tests.conformance.endpoints import Emulator


def test_settings_are_kept(account: BlobServiceClient) -> None:
    account.set_service_properties(
        analytics_logging=BlobAnalyticsLogging(
            read=True, retention_policy=RetentionPolicy(enabled=True, days=5)
        ),
        cors=[CorsRule(["*"], ["GET", "PUT"], max_age_in_seconds=5)],
    )
    account.set_service_properties(cors=[CorsRule(["https://a.b"], ["GET"])])

    kept = account.get_service_properties()
    account.set_service_properties(analytics_logging=BlobAnalyticsLogging(), cors=[])

    assert kept["analytics_logging"].read is True
    assert kept["analytics_logging"].retention_policy.days == 5
    assert [rule.allowed_origins for rule in kept["cors"]] == ["https://a.b"]
    assert account.get_service_properties()["cors"] == []


def test_what_would_have_an_effect_is_refused(account: BlobServiceClient) -> None:
    with pytest.raises(HttpResponseError) as refused:
        account.set_service_properties(delete_retention_policy=RetentionPolicy(True, days=5))

    assert refused.value.status_code == 501
    assert "The emulator does not implement `DeleteRetentionPolicy`." in str(refused.value)


def test_statistics(emulator: Emulator) -> None:
    """The client asks the second region, which has the address of the first here."""
    second = urlsplit(emulator.blob_endpoint).netloc
    key = AzureNamedKeyCredential(emulator.storage_account, emulator.storage_key)

    with BlobServiceClient(
        emulator.blob_endpoint, credential=key, secondary_hostname=second
    ) as account:
        assert account.get_service_stats()["geo_replication"]["status"] == "live"
