"""azure-storage-blob without what it imports and we do not use: requests, aiohttp and yarl.

It must not know what the SDK is used for. azure-storage-blob (12.31) imports them, the latter two
wherever they are installed, to know their transports by type and to sign for these; ours is
another. That would take as long as all else of both SDKs together. Who does use them in the same
process meets the real ones.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
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


class _Yarl(ModuleType):
    """Stands for yarl, which only an `AioHttpTransport` is signed for by."""

    @staticmethod
    def URL(*arguments: Any) -> Any:  # noqa: N802 the name that it has there
        """A URL of yarl."""
        import yarl

        return yarl.URL(*arguments)


@contextmanager
def _sparing() -> Iterator[None]:
    """Within it, there are stand-ins for what is not imported yet."""
    names = [name for name in _LIBRARIES if name not in vars(transports)]
    for name in names:
        setattr(transports, name, _StandIn(name, (), {}))
    stands_for_yarl = "yarl" not in sys.modules
    if stands_for_yarl:
        sys.modules["yarl"] = _Yarl("yarl")
    try:
        yield
    finally:
        for name in names:
            delattr(transports, name)
        if stands_for_yarl:
            del sys.modules["yarl"]


with _sparing():
    from azure.storage.blob import (
        BlobLeaseClient,
        BlobServiceClient,
        ContainerClient,
        generate_container_sas,
    )
