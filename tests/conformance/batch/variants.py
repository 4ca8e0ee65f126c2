"""The ways to talk to the service: sync or async client, HTTP or TLS, key or access token.

It must not know what the tests ask for.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from azure.batch import BatchClient
from azure.batch.aio import BatchClient as AsyncBatchClient
from azure.core.credentials import AccessToken, AzureNamedKeyCredential
from typing_extensions import Self

from tests.conformance.batch.blocking import BlockingClient
from tests.conformance.endpoints import Emulator
from tests.conformance.openapi.judging import Judge
from tests.conformance.openapi.watching import Watch
from tests.fakes.tokens import make_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way."""

    asynchronous: bool = False
    tls: bool = False
    token: bool = False
    """Whether an access token is sent in place of a signature; clients do so only over TLS."""

    version: str | None = None
    """The api-version to ask for, where it is not the client's own."""

    def __str__(self) -> str:
        client = "aio" if self.asynchronous else "sync"
        name = f"{client}-{'https' if self.tls else 'http'}-{'token' if self.token else 'key'}"
        return name if self.version is None else f"{name}-{self.version}"


MAIN = Variant()
# Both clients over both transports, and both credentials.
VARIANTS = (
    MAIN,
    Variant(asynchronous=True),
    Variant(tls=True, token=True),
    Variant(asynchronous=True, tls=True, token=True),
)
ALL_VARIANTS = (
    *VARIANTS,
    Variant(tls=True),
    Variant(asynchronous=True, tls=True),
)
OLDER = (
    Variant(version="2024-07-01.20.0"),
    Variant(version="2024-02-01.19.0"),
)


class Tokens:
    """A credential whose access tokens are for Batch."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A new one, whatever is asked for."""
        return AccessToken(make_token("https://batch.core.windows.net/"), int(time.time()) + 3600)


class AsyncTokens:
    """The same for the async client."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A new one, whatever is asked for."""
        return Tokens().get_token(*scopes, **options)

    async def close(self) -> None:
        """Has nothing to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *ended: object) -> None:
        await self.close()


@contextmanager
def open_client(variant: Variant, emulator: Emulator, judge: Judge | None) -> Iterator[BatchClient]:
    """A client of the account, which a judge watches where there is one."""
    options: dict[str, Any] = {}
    if variant.version is not None:
        options["api_version"] = variant.version
    if emulator.ca_file is not None:
        options["connection_verify"] = emulator.ca_file
    if judge is not None:
        options["per_retry_policies"] = [Watch(judge, emulator.batch_endpoint)]
    credential: Any = AzureNamedKeyCredential(emulator.batch_account, emulator.batch_key)
    if variant.token:
        credential = AsyncTokens() if variant.asynchronous else Tokens()
    if not variant.asynchronous:
        with BatchClient(emulator.batch_endpoint, credential, **options) as client:
            yield client
        return
    blocking = BlockingClient(
        lambda: AsyncBatchClient(emulator.batch_endpoint, credential, **options)
    )
    try:
        # It has the methods of the sync client, whatever the type checker can see of them.
        yield cast("BatchClient", blocking)
    finally:
        blocking.close()
