"""The api-versions that the emulator speaks.

It must not know in what they differ.
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.emulator.batch.core.refusal import Reason, RefusedError

API_VERSIONS = (
    "2020-03-01.11.0",
    "2020-09-01.12.0",
    "2021-06-01.14.0",
    "2022-01-01.15.0",
    "2022-10-01.16.0",
    "2023-05-01.17.0",
    "2023-11-01.18.0",
    "2024-02-01.19.0",
    "2024-07-01.20.0",
    "2025-06-01",
)


def check_version(query: Mapping[str, str]) -> None:
    """Raises `RefusedError` where `api-version` is absent or not known."""
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
