"""Quotas from the management plane."""

from __future__ import annotations

import pytest

from runner.remote.examination.management import Place, find_place, quotas_of
from runner.run.diagnosis.answers import Quotas

WHERE = {"AZURE_SUBSCRIPTION_ID": " 1 ", "AZURE_RESOURCE_GROUP": "group"}


@pytest.mark.parametrize(
    ("endpoint", "management"),
    [
        ("https://mine.westeurope.batch.azure.com", "https://management.azure.com"),
        ("https://mine.us.batch.usgovcloudapi.net", "https://management.usgovcloudapi.net"),
        ("https://mine.cn.batch.chinacloudapi.cn", "https://management.chinacloudapi.cn"),
    ],
)
def test_each_cloud_has_its_own(endpoint: str, management: str) -> None:
    assert find_place(endpoint, "mine", WHERE) == Place(
        endpoint=management, subscription="1", resource_group="group", account="mine"
    )


def test_no_place_is_known() -> None:
    azure = "https://mine.westeurope.batch.azure.com"
    assert find_place("http://127.0.0.1:1/mine", "mine", WHERE) is None
    assert find_place("https://batch.notazure.com", "mine", WHERE) is None
    assert find_place(azure, "mine", {"AZURE_SUBSCRIPTION_ID": "1"}) is None
    assert find_place(azure, "mine", {**WHERE, "AZURE_RESOURCE_GROUP": ""}) is None


def test_an_account_whose_cores_count_by_family() -> None:
    account = {
        "location": "westeurope",
        "properties": {
            "poolAllocationMode": "BatchService",
            "publicNetworkAccess": "Disabled",
            "dedicatedCoreQuota": 350,
            "dedicatedCoreQuotaPerVMFamilyEnforced": True,
            "dedicatedCoreQuotaPerVMFamily": [
                {"name": "standardDSv5Family", "coreQuota": 20},
            ],
            "lowPriorityCoreQuota": 100,
            "poolQuota": 100,
            "activeJobAndJobScheduleQuota": 300,
        },
    }
    assert quotas_of(account) == Quotas(
        location="westeurope",
        user_subscription=False,
        dedicated_cores=350,
        by_family={"standardDSv5Family": 20},
        spot_cores=100,
        pools=100,
        jobs=300,
        is_public=False,
    )


def test_an_account_that_says_little() -> None:
    told = quotas_of({"properties": {"poolAllocationMode": "UserSubscription"}})
    assert (told.user_subscription, told.is_public) == (True, True)
    assert (told.dedicated_cores, told.by_family) == (None, {})
