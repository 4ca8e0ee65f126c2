"""Where the emulator and Azurite differ, and why the emulator is kept as it is.

The list is closed: a difference that is not here is a fault, and so is a line here that nothing
fits any more. Each reason says what Microsoft's REST reference documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.conformance.azurite.comparing import Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Differences of one cause: patterns of steps, and of aspects of their answers."""

    where: tuple[str, ...]
    aspects: tuple[str, ...]
    reason: str

    def covers(self, difference: Difference) -> bool:
        """Whether it is one of these."""
        return any(fnmatchcase(difference.where, pattern) for pattern in self.where) and any(
            fnmatchcase(difference.aspect, pattern) for pattern in self.aspects
        )


def _kept(where: str, aspects: str, reason: str) -> Kept:
    return Kept(where=tuple(where.split()), aspects=tuple(aspects.split("|")), reason=reason)


KEPT = (
    _kept("*", "header server|header x-ms-version",
          "who answers; the service answers with the version that was asked for"),
    _kept("*", "error HeaderName|error HeaderValue",
          "the service names the header at fault, and its value"),
    _kept("*", "xml EnumerationResults/MaxResults",
          "List Blobs, List Containers: repeated where the request gave it"),
    _kept("*", "header x-ms-blob-content-md5",
          "Get Blob: the blob's own MD5 stands there only where a range is asked for"),
    _kept("*", "header x-ms-access-tier-change-time|*/Properties/AccessTierChangeTime",
          "Get Blob Properties: only where the tier was set, on the blob or when it was put"),
    _kept("*", "header x-ms-access-tier-inferred",
          "Get Blob Properties: only where the tier was not set"),
    _kept("copies/6", "*/AccessTierInferred", "List Blobs: only where the tier was not set"),
    _kept("*", "header x-ms-immutable-storage-with-versioning-enabled"
          "|header x-ms-d*-encryption-scope*|*EncryptionScope*"
          "|*/ImmutableStorageWithVersioningEnabled",
          "Get Container Properties, List Containers: since 2019-12-12 and 2021-06-08"),
    _kept("blocks/* appends/* copies/12 copies/19 lists/10", "header x-ms-content-crc64"
          "|header content-md5",
          "no CRC64 is computed here; the MD5 of the content is given in its place"),
    _kept("blocks/6 blocks/11 copies/21 appends/9", "header content-md5",
          "Put Block List: a blob of blocks has the MD5 that the client gives it, and else none"),
    _kept("blob/3 snapshots/6", "content|header *",
          "Get Blob Metadata gives headers alone; Azurite takes the GET for Get Blob"),
    _kept("conditions-of-containers/3", "header *",
          "Get Container Metadata gives the metadata alone"),
    _kept("put-refused/3 put-refused/8 put-refused/10 blocks/14 blocks/16 leases-refused/3"
          " leases-refused/4 leases-refused/5 leases-refused/6 leases-refused/7 leases-refused/8"
          " leases-refused/9 leases-refused/10 leases-refused/12 snapshots/17 tags/17 tiers/5"
          " lists/12 lists/13 account/4 policies/16",
          "status|code|error *|header content-type|header x-ms-request-id",
          "Azurite's front end refuses what it cannot parse with plain text and no code, or fails"
          " with 500; the service has InvalidHeaderValue, MissingRequiredHeader and the like"),
    _kept("put-refused/6 put-refused/7", "*",
          "a version that never was is InvalidHeaderValue; Azurite is told not to look"),
    _kept("put-refused/1", "error Message", "the service's own words"),
    _kept("put-refused/9", "code|error *",
          "Put Blob of an append blob with content: the header is at fault"),
    _kept("put-refused/11", "*", "an operation that is not there is not Get Blob"),
    _kept("ranges/5 ranges/9", "*",
          "a range that begins at the end of the blob or behind it is 416, also of an empty blob"),
    _kept("ranges/7", "*",
          "Get Blob: x-ms-range-get-content-md5 without a range is 400"),
    _kept("conditions/3 conditions/7", "header content-type", "304 has no content"),
    _kept("conditions/26", "*", "what is not there is 404 whatever is asked of its ETag"),
    _kept("blocks/2 blocks/3", "header etag|header last-modified",
          "Get Block List: only of a blob that is committed"),
    _kept("blocks/15", "*", "Put Block: an empty block is refused"),
    _kept("blocks/17", "code|error *", "Put Block: InvalidBlockId is the code of this"),
    _kept("appends/*", "header x-ms-blob-sealed|*/Sealed", "given of blobs that are sealed"),
    _kept("leases/* leases-of-containers/* signatures/16", "error Message",
          "the messages of Blob Storage error codes"),
    _kept("snapshots/*", "header x-ms-request-server-encrypted",
          "Snapshot Blob: given since version 2019-02-02"),
    _kept("snapshots/4 snapshots/5 snapshots/8", "header x-ms-lease-*|*/LeaseSt*",
          "a snapshot cannot be leased"),
    _kept("tags/12", "error *", "the position is told in other words"),
    _kept("tags/14", "code|error *", "Set Blob Tags: InvalidTag is the code of this"),
    _kept("tiers/4", "code|error *", "a tier that no blob has is InvalidHeaderValue"),
    _kept("copies/*", "header x-ms-incremental-copy|*/IncrementalCopy",
          "of page blobs alone"),
    _kept("copies/7", "code|error *",
          "Copy Blob: SourceConditionNotMet is the code of a condition of the source"),
    _kept("copies/12", "header x-ms-request-server-encrypted",
          "Copy Blob From URL: given since version 2019-02-02"),
    _kept("copies/13", "header x-ms-copy-source",
          "the source is told without its signature"),
    _kept("copies/14", "*",
          "Copy Blob From URL: the source has to be public or to come with a signature"),
    _kept("copies/15", "code|error *",
          "Abort Copy Blob: NoPendingCopyOperation where the copy is done"),
    _kept("copies/17 copies/18", "*", "Azurite has no Put Blob From URL"),
    _kept("lists/11", "xml *", "an uncommitted blob is described with fewer or other properties"),
    _kept("account/0", "header x-ms-sku-name", "an account of another kind"),
    _kept("account/2 account/6 account-signatures/14",
          "*/DefaultServiceVersion|*/DeleteRetentionPolicy/Enabled",
          "what was never set has the values of a new account"),
    _kept("account/3", "*",
          "the service tells this at the address of the second region, which is not apart here"),
    _kept("policies/8 policies/9 policies/19 signatures/25 signatures/26",
          "status|code|error *|header www-authenticate",
          "without any authorization: 401 NoAuthenticationInformation since version 2019-12-12"),
    _kept("policies/12", "*",
          "a stored access policy that is not there makes a signature worthless"),
    _kept("policies/17", "*", "an access that is none is InvalidHeaderValue"),
    _kept("policies/18 policies/19", "status|header *",
          "Azurite fails with 500 once it has taken an access that is none"),
    _kept("signatures/5 signatures/12 signatures/17 signatures/18 signatures/24", "code|error *",
          "a signature that does not fit, or not now, is AuthenticationFailed, and the detail why"),
    _kept("signatures/9 signatures/10 signatures/11", "code|error *",
          "no service signature can permit operations on containers: AuthorizationFailure"),
    _kept("signatures/14 account-signatures/12", "code|error *",
          "to overwrite with `c` alone is UnauthorizedBlobOverwrite"),
    _kept("signatures/21", "*", "Azurite does not look at addresses"),
    _kept("signatures/27", "*",
          "an Authorization header that cannot be read is 400 InvalidAuthenticationInfo"),
)  # fmt: skip
