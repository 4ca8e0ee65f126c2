"""The api-versions that the emulator speaks, and the operations that each of them has.

It must not know in which properties they differ (`dialects` does).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NewType

from runner.emulator.batch.core.refusal import Reason, RefusedError

Version = NewType("Version", str)
"""One of `API_VERSIONS`; a later one is the greater one."""

V2020_03 = Version("2020-03-01.11.0")
V2020_09 = Version("2020-09-01.12.0")
V2021_06 = Version("2021-06-01.14.0")
V2022_01 = Version("2022-01-01.15.0")
V2022_10 = Version("2022-10-01.16.0")
V2023_05 = Version("2023-05-01.17.0")
V2023_11 = Version("2023-11-01.18.0")
V2024_02 = Version("2024-02-01.19.0")
V2024_07 = Version("2024-07-01.20.0")
V2025_06 = Version("2025-06-01")

API_VERSIONS = (
    V2020_03,
    V2020_09,
    V2021_06,
    V2022_01,
    V2022_10,
    V2023_05,
    V2023_11,
    V2024_02,
    V2024_07,
    V2025_06,
)

# Azure SDK for Python, azure-batch 9.0 to 15.1: the operations of each version.
_ADDED = {
    "list_node_extensions": V2021_06,
    "get_node_extension": V2021_06,
    "start_node": V2024_07,
    "deallocate_node": V2024_07,
}
_DROPPED = {
    "get_lifetime_pool_statistics": V2023_05,
    "get_lifetime_job_statistics": V2023_05,
    "get_remote_desktop_file": V2024_07,
    "create_certificate": V2025_06,
    "list_certificates": V2025_06,
    "get_certificate": V2025_06,
    "delete_certificate": V2025_06,
    "cancel_certificate_deletion": V2025_06,
}


def read_version(query: Mapping[str, str]) -> Version:
    """The version of a request; raises `RefusedError` where it is absent or not known."""
    version = query.get("api-version")
    if not version:
        raise RefusedError(Reason.QUERY_MISSING, ("QueryParameterName", "api-version"))
    if version not in API_VERSIONS:
        raise RefusedError(
            Reason.VERSION_UNSUPPORTED,
            ("QueryParameterName", "api-version"),
            ("QueryParameterValue", version),
            ("Reason", f"The versions are: {', '.join(API_VERSIONS)}"),
        )
    return Version(version)


def check_operation(version: Version, operation: str) -> None:
    """Raises `RefusedError` for an operation that the version does not have."""
    added, dropped = _ADDED.get(operation), _DROPPED.get(operation)
    if (added is not None and version < added) or (dropped is not None and version >= dropped):
        raise RefusedError(Reason.URI_INVALID, ("Reason", f"Not in api-version {version}"))
