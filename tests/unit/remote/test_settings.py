"""The environment names two accounts, or an error names the variables."""

from __future__ import annotations

import base64

import pytest

from runner.errors import UsageError
from runner.remote.settings import Account, AzureSettings, read_azure_settings

KEY = base64.b64encode(b"batch key").decode()
STORAGE_KEY = base64.b64encode(b"storage key").decode()
BATCH = {
    "AZURE_BATCH_ENDPOINT": "https://mybatch.westeurope.batch.azure.com",
    "AZURE_BATCH_ACCESS_KEY": KEY,
}
STORAGE = {"AZURE_STORAGE_ACCOUNT": "mystore", "AZURE_STORAGE_KEY": STORAGE_KEY}
CONNECTION = (
    f"DefaultEndpointsProtocol=https;AccountName=mystore;AccountKey={STORAGE_KEY};"
    "EndpointSuffix=core.windows.net"
)
BATCH_ACCOUNT = Account(
    endpoint="https://mybatch.westeurope.batch.azure.com",
    name="mybatch",
    key=KEY,
    key_variable="AZURE_BATCH_ACCESS_KEY",
)


def test_two_accounts_with_keys() -> None:
    assert read_azure_settings({**BATCH, **STORAGE, "PATH": "/bin"}) == AzureSettings(
        batch=BATCH_ACCOUNT,
        storage=Account(
            endpoint="https://mystore.blob.core.windows.net",
            name="mystore",
            key=STORAGE_KEY,
            key_variable="AZURE_STORAGE_KEY",
        ),
    )


TOLD_BY_AZURE = (
    "`az batch account show` tells the endpoint, `az batch account keys list` the key,"
    " `az storage account show-connection-string` the connection string"
)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        (CONNECTION, "https://mystore.blob.core.windows.net"),
        (
            f" AccountKey={STORAGE_KEY} ; accountname=mystore;",
            "https://mystore.blob.core.windows.net",
        ),
        (CONNECTION + ";BlobEndpoint=http://127.0.0.1:1/mystore/", "http://127.0.0.1:1/mystore"),
        (
            CONNECTION.replace("core.windows.net", "core.chinacloudapi.cn"),
            "https://mystore.blob.core.chinacloudapi.cn",
        ),
    ],
)
def test_a_connection_string_comes_first(text: str, endpoint: str) -> None:
    settings = read_azure_settings(
        {**BATCH, "AZURE_STORAGE_ACCOUNT": "other", "AZURE_STORAGE_CONNECTION_STRING": text}
    )

    assert settings.storage == Account(
        endpoint=endpoint,
        name="mystore",
        key=STORAGE_KEY,
        key_variable="AZURE_STORAGE_CONNECTION_STRING",
    )


def test_a_blob_endpoint_elsewhere() -> None:
    elsewhere = {"AZURE_STORAGE_BLOB_ENDPOINT": "http://127.0.0.1:5/mystore/"}

    for storage in (STORAGE, {"AZURE_STORAGE_CONNECTION_STRING": CONNECTION}):
        settings = read_azure_settings({**BATCH, **storage, **elsewhere})
        assert settings.storage.endpoint == "http://127.0.0.1:5/mystore"


@pytest.mark.parametrize(
    ("endpoint", "normal", "account"),
    [
        (
            "mybatch.westeurope.batch.azure.com",
            "https://mybatch.westeurope.batch.azure.com",
            "mybatch",
        ),
        ("http://127.0.0.1:12345/devaccount/", "http://127.0.0.1:12345/devaccount", "devaccount"),
        ("http://localhost:12345/dev", "http://localhost:12345/dev", "dev"),
    ],
)
def test_the_batch_account_is_in_its_endpoint(endpoint: str, normal: str, account: str) -> None:
    settings = read_azure_settings({**BATCH, **STORAGE, "AZURE_BATCH_ENDPOINT": endpoint})

    assert (settings.batch.endpoint, settings.batch.name) == (normal, account)


def test_the_batch_account_may_be_named() -> None:
    settings = read_azure_settings({**BATCH, **STORAGE, "AZURE_BATCH_ACCOUNT": "named"})

    assert settings.batch.name == "named"


def test_without_keys_whoever_is_signed_in_is_asked() -> None:
    settings = read_azure_settings(
        {
            "AZURE_BATCH_ENDPOINT": BATCH["AZURE_BATCH_ENDPOINT"],
            "AZURE_STORAGE_ACCOUNT": "mystore",
            "AZURE_STORAGE_KEY": " ",
        }
    )

    assert (settings.batch.key, settings.storage.key) == (None, None)


@pytest.mark.parametrize(
    ("environ", "missing", "hint"),
    [
        (
            {},
            (
                "AZURE_BATCH_ENDPOINT, AZURE_BATCH_ACCOUNT, "
                "AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_ACCOUNT"
            ),
            (
                "where AZURE_BATCH_ACCESS_KEY or AZURE_STORAGE_KEY is not set, "
                "the account signed in to Azure is used"
            ),
        ),
        (
            {"AZURE_BATCH_ENDPOINT": "http://127.0.0.1:1"},
            (
                "AZURE_BATCH_ACCOUNT, AZURE_BATCH_ACCESS_KEY, "
                "AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_ACCOUNT"
            ),
            "where AZURE_STORAGE_KEY is not set, the account signed in to Azure is used",
        ),
        (
            {**STORAGE, "AZURE_BATCH_ACCESS_KEY": KEY},
            "AZURE_BATCH_ENDPOINT, AZURE_BATCH_ACCOUNT",
            TOLD_BY_AZURE,
        ),
        ({**BATCH, "AZURE_STORAGE_KEY": STORAGE_KEY}, "AZURE_STORAGE_ACCOUNT", TOLD_BY_AZURE),
        (
            {
                **BATCH,
                "AZURE_STORAGE_ACCOUNT": "mystore",
                "AZURE_STORAGE_BLOB_ENDPOINT": "http://127.0.0.1:1/mystore",
            },
            "AZURE_STORAGE_KEY",
            "an endpoint of http takes keys alone: signing in needs https",
        ),
    ],
)
def test_every_missing_variable_is_named(
    environ: dict[str, str], missing: str, hint: str | None
) -> None:
    with pytest.raises(UsageError) as caught:
        read_azure_settings(environ)

    assert caught.value.message == f"missing environment variables for Azure: {missing}"
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"AZURE_BATCH_ACCESS_KEY": "topsecret!"},
            "AZURE_BATCH_ACCESS_KEY is malformed: an account's key is base64",
        ),
        (
            {"AZURE_STORAGE_KEY": "topsecret"},
            "AZURE_STORAGE_KEY is malformed: an account's key is base64",
        ),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": "topsecret"},
            "AZURE_STORAGE_CONNECTION_STRING is malformed: every part must be `Name=value`",
        ),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=a;AccountKey=topsecret"},
            "AZURE_STORAGE_CONNECTION_STRING is malformed: an account's key is base64",
        ),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": "BlobEndpoint=https://a/;SharedAccessSignature=x"},
            "AZURE_STORAGE_CONNECTION_STRING is malformed: it has no AccountName and no AccountKey",
        ),
        (
            {"AZURE_BATCH_ENDPOINT": "ftp://mybatch.westeurope.batch.azure.com"},
            (
                "AZURE_BATCH_ENDPOINT is malformed: it must be a URL such as "
                "`https://myaccount.westeurope.batch.azure.com`"
            ),
        ),
        (
            {"AZURE_BATCH_ENDPOINT": "https://a.b:port/c"},
            (
                "AZURE_BATCH_ENDPOINT is malformed: it must be a URL such as "
                "`https://myaccount.westeurope.batch.azure.com`"
            ),
        ),
        (
            {"AZURE_STORAGE_BLOB_ENDPOINT": "https://a.blob.core.windows.net/?sig=topsecret"},
            (
                "AZURE_STORAGE_BLOB_ENDPOINT is malformed: it must give a URL such as "
                "`https://myaccount.blob.core.windows.net`"
            ),
        ),
    ],
)
def test_a_malformed_variable_is_named_and_not_shown(changed: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_azure_settings({**BATCH, **STORAGE, **changed})

    assert caught.value.message == message
    assert caught.value.hint, "`doctor` shows it as the fix"
    assert "topsecret" not in f"{caught.value.message} {caught.value.hint}"


def test_a_representation_shows_no_key() -> None:
    settings = read_azure_settings({**BATCH, **STORAGE})

    assert KEY not in repr(settings)
    assert STORAGE_KEY not in repr(settings)
