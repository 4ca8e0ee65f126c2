"""Reads what a Batch account may have at most from Azure's management plane.

It must not know what is compared with it. The data plane, which runs go through, tells no quotas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest

from runner.frozen import dataclass
from runner.json_text import read_json
from runner.remote.endurance import Endurance
from runner.remote.faults import Origin, probing
from runner.remote.retrying import PatientPolicy
from runner.remote.transport import open_transport
from runner.remote.trouble import Trouble
from runner.run.diagnosis.answers import Quotas

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

SUBSCRIPTION = "AZURE_SUBSCRIPTION_ID"
RESOURCE_GROUP = "AZURE_RESOURCE_GROUP"
_API_VERSION = "2024-07-01"
_CLOUDS = {
    "azure.com": "https://management.azure.com",
    "usgovcloudapi.net": "https://management.usgovcloudapi.net",
    "chinacloudapi.cn": "https://management.chinacloudapi.cn",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a Batch account is in the management plane."""

    endpoint: str
    subscription: str
    resource_group: str
    account: str


def find_place(batch_endpoint: str, account: str, environ: Mapping[str, str]) -> Place | None:
    """None where a variable is missing, or the endpoint is of no cloud of Azure's."""
    host = urlsplit(batch_endpoint).hostname or ""
    cloud = next((url for name, url in _CLOUDS.items() if host.endswith(f".{name}")), None)
    subscription = environ.get(SUBSCRIPTION, "").strip()
    group = environ.get(RESOURCE_GROUP, "").strip()
    if cloud is None or not subscription or not group:
        return None
    return Place(endpoint=cloud, subscription=subscription, resource_group=group, account=account)


def read_quotas(place: Place, credential: TokenCredential, endurance: Endurance) -> Quotas:
    """The account's quotas (REST: Batch Account - Get); `ServiceError` where they are not told."""
    origin = Origin(service="Azure Resource Manager", endpoint=place.endpoint)
    client: PipelineClient[Any, Any] = PipelineClient(
        place.endpoint,
        policies=[
            PatientPolicy(Trouble(origin.service, endurance)),
            BearerTokenCredentialPolicy(credential, f"{place.endpoint}/.default"),
        ],
        transport=open_transport(place.endpoint, endurance.patience),
    )
    path = "/".join(
        quote(part, safe="")
        for part in (
            *("subscriptions", place.subscription, "resourceGroups", place.resource_group),
            *("providers", "Microsoft.Batch", "batchAccounts", place.account),
        )
    )
    request = HttpRequest("GET", f"{place.endpoint}/{path}", params={"api-version": _API_VERSION})
    with probing(origin, f"show Batch account `{place.account}`"), client:
        response = client.send_request(request)
        if response.status_code >= 400:
            raise HttpResponseError(response=response)
        return quotas_of(read_json(response.read()))


def quotas_of(account: Mapping[str, Any]) -> Quotas:
    """The quotas in the answer of the management plane."""
    told: Mapping[str, Any] = account.get("properties") or {}
    families = told.get("dedicatedCoreQuotaPerVMFamily") or ()
    counts_families = bool(told.get("dedicatedCoreQuotaPerVMFamilyEnforced"))
    return Quotas(
        location=str(account.get("location") or ""),
        user_subscription=told.get("poolAllocationMode") == "UserSubscription",
        dedicated_cores=told.get("dedicatedCoreQuota"),
        by_family={str(each["name"]): int(each["coreQuota"]) for each in families}
        if counts_families
        else {},
        spot_cores=told.get("lowPriorityCoreQuota"),
        pools=told.get("poolQuota"),
        jobs=told.get("activeJobAndJobScheduleQuota"),
        is_public=told.get("publicNetworkAccess") != "Disabled",
    )
