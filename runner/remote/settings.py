"""Which Azure accounts to use, and how to sign in, from the variables that `az batch` uses too.

It must not know what is done there, and never says what a variable that holds a secret is set to.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from urllib.parse import urlsplit

from runner.errors import UsageError
from runner.frozen import dataclass

BATCH_ENDPOINT = "AZURE_BATCH_ENDPOINT"
BATCH_ACCOUNT = "AZURE_BATCH_ACCOUNT"
BATCH_KEY = "AZURE_BATCH_ACCESS_KEY"
CONNECTION_STRING = "AZURE_STORAGE_CONNECTION_STRING"
STORAGE_ACCOUNT = "AZURE_STORAGE_ACCOUNT"
STORAGE_KEY = "AZURE_STORAGE_KEY"
BLOB_ENDPOINT = "AZURE_STORAGE_BLOB_ENDPOINT"

LONGEST_DELEGATION = timedelta(days=7)
"""How long a signature lives at most that is made without the account's key (REST, Get User
Delegation Key)."""
SURE_DELEGATION = LONGEST_DELEGATION - timedelta(days=1)
"""How long such a signature lives at least: one key signs for a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account of a service; without a key, whoever is signed in to Azure is asked for.

    `key_variable` is where the key came from, or would have come from.
    """

    endpoint: str
    name: str
    key: str | None = field(repr=False)
    key_variable: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureSettings:
    """The two accounts that a run needs."""

    batch: Account
    storage: Account


def read_azure_settings(environ: Mapping[str, str]) -> AzureSettings:
    """The accounts that the environment names; a variable that is empty counts as unset.

    Raises `UsageError`: for variables that are missing, all of them at once; else for the first
    that is malformed, by its name.
    """
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    missing = _missing(given)
    if missing:
        raise UsageError(
            f"missing environment variables for Azure: {', '.join(missing)}",
            hint=_how_to_set(missing, given),
        )
    return AzureSettings(batch=_batch(given), storage=_storage(given))


def _missing(given: Mapping[str, str]) -> list[str]:
    missing = []
    endpoint = given.get(BATCH_ENDPOINT)
    if endpoint is None:
        missing.append(BATCH_ENDPOINT)
    if BATCH_ACCOUNT not in given and (endpoint is None or not _account_of(endpoint)):
        missing.append(BATCH_ACCOUNT)
    if BATCH_KEY not in given and _is_plain(endpoint):
        missing.append(BATCH_KEY)
    if CONNECTION_STRING in given:
        return missing
    if STORAGE_ACCOUNT not in given:
        alone = STORAGE_KEY in given or BLOB_ENDPOINT in given
        missing.append(STORAGE_ACCOUNT if alone else f"{CONNECTION_STRING} or {STORAGE_ACCOUNT}")
    if STORAGE_KEY not in given and _is_plain(given.get(BLOB_ENDPOINT)):
        missing.append(STORAGE_KEY)
    return missing


def _how_to_set(missing: list[str], given: Mapping[str, str]) -> str:
    keys = [
        name
        for name, instead in ((BATCH_KEY, ""), (STORAGE_KEY, CONNECTION_STRING))
        if name not in given and instead not in given and name not in missing
    ]
    if keys:
        return f"where {' or '.join(keys)} is not set, the account signed in to Azure is used"
    if {BATCH_KEY, STORAGE_KEY} & {*missing}:
        return "an endpoint of http takes keys alone: signing in needs https"
    return (
        "`az batch account show` tells the endpoint, `az batch account keys list` the key,"
        " `az storage account show-connection-string` the connection string"
    )


def _batch(given: Mapping[str, str]) -> Account:
    endpoint = _endpoint(BATCH_ENDPOINT, given[BATCH_ENDPOINT])
    return Account(
        endpoint=endpoint,
        name=given.get(BATCH_ACCOUNT) or _account_of(endpoint),
        key=_key(BATCH_KEY, given.get(BATCH_KEY)),
        key_variable=BATCH_KEY,
    )


def _storage(given: Mapping[str, str]) -> Account:
    text = given.get(CONNECTION_STRING)
    if text is not None:
        return _from_connection_string(text, given.get(BLOB_ENDPOINT))
    name = given[STORAGE_ACCOUNT]
    endpoint = given.get(BLOB_ENDPOINT, f"https://{name}.blob.core.windows.net")
    return Account(
        endpoint=_endpoint(BLOB_ENDPOINT, endpoint),
        name=name,
        key=_key(STORAGE_KEY, given.get(STORAGE_KEY)),
        key_variable=STORAGE_KEY,
    )


def _from_connection_string(text: str, blob_endpoint: str | None) -> Account:
    parts: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, separator, value = part.partition("=")
        if not separator:
            raise UsageError(
                f"{CONNECTION_STRING} is malformed: every part must be `Name=value`",
                hint="copy it whole, in quotes: the shell takes `;` for the end of a command",
            )
        parts[name.strip().lower()] = value.strip()
    lacking = [name for name in ("AccountName", "AccountKey") if not parts.get(name.lower())]
    if lacking:
        raise UsageError(
            f"{CONNECTION_STRING} is malformed: it has no {' and no '.join(lacking)}",
            hint="use the connection string of an access key, which can sign for the tasks",
        )
    account = parts["accountname"]
    scheme = parts.get("defaultendpointsprotocol", "https")
    suffix = parts.get("endpointsuffix", "core.windows.net")
    derived = parts.get("blobendpoint") or f"{scheme}://{account}.blob.{suffix}"
    return Account(
        endpoint=_endpoint(BLOB_ENDPOINT, blob_endpoint)
        if blob_endpoint
        else _endpoint(CONNECTION_STRING, derived),
        name=account,
        key=_key(CONNECTION_STRING, parts["accountkey"]),
        key_variable=CONNECTION_STRING,
    )


def _endpoint(variable: str, value: str) -> str:
    """The endpoint with its scheme and without a slash at its end."""
    endpoint = (value if "://" in value else f"https://{value}").rstrip("/")
    try:
        parts = urlsplit(endpoint)
        host = parts.hostname if parts.port is None or parts.port > 0 else None
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or parts.query or parts.username:
        raise UsageError(
            f"{variable} is malformed: it must be a URL such as "
            "`https://myaccount.westeurope.batch.azure.com`"
            if variable == BATCH_ENDPOINT
            else f"{variable} is malformed: it must give a URL such as "
            "`https://myaccount.blob.core.windows.net`",
            hint="`az batch account show --query accountEndpoint` tells it"
            if variable == BATCH_ENDPOINT
            else "`az storage account show --query primaryEndpoints.blob` tells it",
        )
    return endpoint


def _key(variable: str, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UsageError(
            f"{variable} is malformed: an account's key is base64",
            hint="copy the key whole, with the `=` at its end",
        ) from error
    return value


def _account_of(endpoint: str) -> str:
    """The account that an endpoint names: its path's last part, else its host's first.

    Empty where it names none, as `http://127.0.0.1:1234`.
    """
    try:
        parts = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
        host = parts.hostname or ""
    except ValueError:
        return ""
    named = parts.path.rstrip("/").rpartition("/")[2]
    if named:
        return named
    try:
        ipaddress.ip_address(host)
    except ValueError:
        first, dot, _ = host.partition(".")
        return first if dot else ""
    return ""


def _is_plain(endpoint: str | None) -> bool:
    """Whether it is not TLS, over which alone a token may go: such an endpoint needs a key."""
    return endpoint is not None and endpoint.lower().startswith("http://")
