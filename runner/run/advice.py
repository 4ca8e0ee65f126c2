"""What to do about what the service says, by its codes.

It must not know where a code is met: in a refusal, in a resize that failed, or at a job.
"""

from __future__ import annotations

_QUOTAS = "ask for more under Quotas of the Batch account in the Azure portal"
_SIZE = "`az batch location list-skus --location <region>` shows the VM sizes of a region"
SPOT_IS_GONE = (
    "Batch accounts in the pool allocation mode `Batch service` have no spot nodes since"
    " 30 September 2025"
)
_SPOT = f"ask for `dedicated` nodes, or for spot nodes of another VM size; {SPOT_IS_GONE}"
_IMAGE = "`az batch pool supported-images list` shows the images that the service takes"

_ADVICE = {
    "AccountCoreQuotaReached": f"ask for fewer nodes or a smaller VM size, or {_QUOTAS}"
    " (dedicated cores)",
    "AccountLowPriorityCoreQuotaReached": "ask for fewer spot nodes or a smaller VM size, or"
    f" {_QUOTAS} (spot cores)",
    "AccountSpotCoreQuotaReached": "ask for fewer spot nodes or a smaller VM size, or"
    f" {_QUOTAS} (spot cores)",
    "AccountVMSeriesCoreQuotaReached": "ask for fewer nodes or another VM series, or"
    f" {_QUOTAS} (cores of the series)",
    "ActiveJobAndScheduleQuotaReached": "wait until other jobs have ended, delete some"
    f" (`az batch job list --query [].id`), or {_QUOTAS} (active jobs and schedules)",
    "AllocationFailed": "the region may be out of such machines: try again later, with fewer"
    " nodes or another VM size",
    "AllocationTimedout": "the region may be out of such machines: try again later, with fewer"
    " nodes or another VM size; `pool: {extra: {resizeTimeout: PT30M}}` has the service try"
    " longer",
    "CoreQuotaReached": f"ask for fewer nodes or a smaller VM size, or {_QUOTAS} (cores)",
    "ImageNotFound": _IMAGE,
    "ImageNotSupported": _IMAGE,
    "NodeAgentSKUNotFound": _IMAGE,
    "PoolQuotaReached": "delete pools that nobody needs (`az batch pool list --query [].id`), or"
    f" {_QUOTAS} (pools)",
    "ResizeStopped": "somebody has stopped the resize: run again",
    "VMSizeNotSupported": _SIZE,
    "UnsupportedVMSize": _SIZE,
}
_WORDS = (
    # The service has many codes for one thing, and not all are published.
    ("quota", f"ask for fewer nodes or a smaller VM size, or {_QUOTAS}"),
    ("lowpriority", _SPOT),
    ("spot", _SPOT),
    ("image", _IMAGE),
    ("vmsize", _SIZE),
)


def advise(code: str) -> str | None:
    """What to do, where we know it."""
    known = _ADVICE.get(code)
    if known is not None:
        return known
    lower = code.lower()
    return next((hint for word, hint in _WORDS if word in lower), None)
