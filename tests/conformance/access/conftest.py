"""An emulator over TLS with more accounts than the usual two, and who may use it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from tests.conformance.endpoints import Emulator, start_emulator
from tests.fakes.tokens import make_token


@dataclass(frozen=True)
class SignedIn:
    """A `TokenCredential` that signs its own tokens, for whatever scope it is asked."""

    claims: tuple[tuple[str, Any], ...] = ()

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        audience = scopes[0].removesuffix("/.default")
        return AccessToken(make_token(audience, **dict(self.claims)), int(time.time()) + 3600)

    def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def secure() -> Iterator[Emulator]:
    """One emulator over TLS for the whole session, with a Batch account `second` of its own."""
    with start_emulator(
        "--tls", "--batch-account", "second:files", "--storage-account", "files"
    ) as running:
        yield running
