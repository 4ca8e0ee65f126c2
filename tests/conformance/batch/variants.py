"""The ways in which a test can talk to the service: sync or async client, plain HTTP or TLS.

It must not know what the tests ask for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from azure.batch import BatchClient
from azure.batch.aio import BatchClient as AsyncBatchClient
from azure.core.credentials import AzureNamedKeyCredential

from tests.conformance.batch.blocking import BlockingClient
from tests.conformance.endpoints import Emulator
from tests.conformance.openapi.judging import Judge
from tests.conformance.openapi.watching import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way."""

    asynchronous: bool
    tls: bool

    def __str__(self) -> str:
        return f"{'aio' if self.asynchronous else 'sync'}-{'https' if self.tls else 'http'}"


MAIN = Variant(asynchronous=False, tls=False)
# Both clients and both transports, in as few runs as can be.
VARIANTS = (
    MAIN,
    Variant(asynchronous=True, tls=True),
)
ALL_VARIANTS = (
    *VARIANTS,
    Variant(asynchronous=False, tls=True),
    Variant(asynchronous=True, tls=False),
)


@contextmanager
def open_client(variant: Variant, emulator: Emulator, judge: Judge | None) -> Iterator[BatchClient]:
    """A client of the account, which a judge watches where there is one."""
    options: dict[str, Any] = {}
    if emulator.ca_file is not None:
        options["connection_verify"] = emulator.ca_file
    if judge is not None:
        options["per_retry_policies"] = [Watch(judge, emulator.batch_endpoint)]
    credential = AzureNamedKeyCredential(emulator.batch_account, emulator.batch_key)
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
