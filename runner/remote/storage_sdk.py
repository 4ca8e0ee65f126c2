"""azure-storage-blob without what it imports and we do not use: requests and, if present, aiohttp.

It must not know what the SDK is used for. azure-storage-blob (12.31) imports both to know their
transports by type; ours is another. That would be half of the time that a run takes to begin.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure.core.pipeline import transport as transports

__all__ = ["BlobLeaseClient", "BlobServiceClient", "ContainerClient", "generate_container_sas"]

_LIBRARIES = {"RequestsTransport": "requests", "AioHttpTransport": "aiohttp"}


class _StandIn(type):
    """Of a transport: whoever makes one, or asks whether something is one, meets the real one."""

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        return getattr(transports, cls.__name__)(*arguments, **options)

    def __instancecheck__(cls, instance: Any) -> bool:
        is_loaded = _LIBRARIES[cls.__name__] in sys.modules
        return is_loaded and isinstance(instance, getattr(transports, cls.__name__))


@contextmanager
def _sparing() -> Iterator[None]:
    """Within it, azure-core gives stand-ins for what it would import when asked for it."""
    names = [name for name in _LIBRARIES if name not in vars(transports)]
    for name in names:
        setattr(transports, name, _StandIn(name, (), {}))
    try:
        yield
    finally:
        for name in names:
            delattr(transports, name)


with _sparing():
    from azure.storage.blob import (
        BlobLeaseClient,
        BlobServiceClient,
        ContainerClient,
        generate_container_sas,
    )
