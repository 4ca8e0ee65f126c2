"""What an authenticated request may do.

It must not know how the request proved who it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum

from runner.emulator.blob.core.records import PublicAccess
from runner.emulator.blob.core.refusals import (
    AUTHORIZATION_FAILURE,
    AUTHORIZATION_PERMISSION_MISMATCH,
    AUTHORIZATION_RESOURCE_TYPE_MISMATCH,
    NO_AUTHENTICATION_INFORMATION,
    RefusedError,
)
from runner.emulator.server.tokens import Claims
from runner.emulator.storage.record import record


class ResourceType(Enum):
    """What an operation works on, as account signatures name it (`srt`)."""

    SERVICE = "s"
    CONTAINER = "c"
    OBJECT = "o"


@record(frozen=True, slots=True, kw_only=True)
class Demand:
    """What an operation asks of a signature: one of the permission letters, or any.

    From the tables "Specify permissions" of "Create a service SAS" and "Create an account SAS".
    """

    permissions: str
    resource_type: ResourceType | None
    """None: any will do."""
    service_signature: bool = True
    """Whether a signature of a container or a blob can permit it at all."""
    account_signature: bool = True
    """Whether a signature of the account can permit it at all."""
    public: PublicAccess = PublicAccess.NONE
    """The access of the container at which anybody may do it; NONE: nobody unknown ever may."""


@record(frozen=True, slots=True, kw_only=True)
class FullGrant:
    """The account's key, or an access token that says who has it: everything."""

    claims: Claims | None = None


@record(frozen=True, slots=True, kw_only=True)
class SignatureGrant:
    """A shared access signature; `resource_types` is None for that of one container or blob."""

    permissions: str
    resource_types: str | None
    response_headers: tuple[tuple[str, str], ...] = field(default=())
    """What the signature puts in place of the blob's own headers."""


@record(frozen=True, slots=True, kw_only=True)
class AnonymousGrant:
    """Nothing that proves anything, for a container that anybody may read."""

    access: PublicAccess
    challenge: str
    """How to prove who one is, as `WWW-Authenticate` says it."""


Grant = FullGrant | SignatureGrant | AnonymousGrant


def refuse_anonymous(grant: AnonymousGrant) -> RefusedError:
    """401, with what would be taken."""
    return RefusedError(
        NO_AUTHENTICATION_INFORMATION, headers=(("WWW-Authenticate", grant.challenge),)
    )


def check_grant(grant: Grant, demand: Demand) -> None:
    """Refuses an operation that the grant does not cover."""
    if isinstance(grant, FullGrant):
        return
    if isinstance(grant, AnonymousGrant):
        # A container that anybody may list is one whose blobs anybody may read.
        if demand.public not in (PublicAccess.BLOB, grant.access):
            raise refuse_anonymous(grant)
        return
    if grant.resource_types is None:
        if not demand.service_signature:
            raise RefusedError(AUTHORIZATION_FAILURE)
    elif not demand.account_signature:
        raise RefusedError(AUTHORIZATION_PERMISSION_MISMATCH)
    elif demand.resource_type and demand.resource_type.value not in grant.resource_types:
        raise RefusedError(AUTHORIZATION_RESOURCE_TYPE_MISMATCH)
    if not demand.permissions:
        return
    for letter in demand.permissions:
        if letter in grant.permissions:
            return
    raise RefusedError(AUTHORIZATION_PERMISSION_MISMATCH)


def check_tag_grant(grant: Grant, headers: Mapping[str, str]) -> None:
    """Refuses tags, and conditions on them, that a signature does not cover: they need its `t`."""
    if not ("x-ms-tags" in headers or "x-ms-if-tags" in headers):
        return
    if isinstance(grant, SignatureGrant) and "t" not in grant.permissions:
        raise RefusedError(AUTHORIZATION_PERMISSION_MISMATCH)


def may_overwrite(grant: Grant) -> bool:
    """Whether new content may take the place of old: `c` alone only creates."""
    return not isinstance(grant, SignatureGrant) or "w" in grant.permissions
