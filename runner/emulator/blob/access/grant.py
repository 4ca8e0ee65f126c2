"""What an authenticated request may do.

It must not know how the request proved who it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from runner.emulator.blob.core.refusals import (
    AUTHORIZATION_FAILURE,
    AUTHORIZATION_PERMISSION_MISMATCH,
    AUTHORIZATION_RESOURCE_TYPE_MISMATCH,
    RefusedError,
)
from runner.emulator.server.tokens import Claims


class ResourceType(Enum):
    """What an operation works on, as account signatures name it (`srt`)."""

    SERVICE = "s"
    CONTAINER = "c"
    OBJECT = "o"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What an operation asks of a signature: one of the permission letters, or any.

    From the tables "Specify permissions" of "Create a service SAS" and "Create an account SAS".
    """

    permissions: str
    resource_type: ResourceType
    service_signature: bool = True
    """Whether a service signature can permit it at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FullGrant:
    """The account's key, or an access token that says who has it: everything."""

    claims: Claims | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureGrant:
    """A shared access signature; `resource_types` is None for that of one container or blob."""

    permissions: str
    resource_types: str | None
    response_headers: tuple[tuple[str, str], ...] = field(default=())
    """What the signature puts in place of the blob's own headers."""


Grant = FullGrant | SignatureGrant


def check_grant(grant: Grant, demand: Demand) -> None:
    """Refuses an operation that the grant does not cover."""
    if isinstance(grant, FullGrant):
        return
    if grant.resource_types is None:
        if not demand.service_signature:
            raise RefusedError(AUTHORIZATION_FAILURE)
    elif demand.resource_type.value not in grant.resource_types:
        raise RefusedError(AUTHORIZATION_RESOURCE_TYPE_MISMATCH)
    if demand.permissions and not set(demand.permissions) & set(grant.permissions):
        raise RefusedError(AUTHORIZATION_PERMISSION_MISMATCH)


def may_overwrite(grant: Grant) -> bool:
    """Whether new content may take the place of old: `c` alone only creates."""
    return isinstance(grant, FullGrant) or "w" in grant.permissions
