"""azure-storage-blob without what it imports and we do not use: other HTTP, asyncio, ciphers.

It must not know what the SDK is used for. azure-storage-blob (12.31) imports requests, aiohttp and
yarl, two of them wherever they are installed, to know their transports by type and to sign for
these; ours is another. It imports asyncio for clients that are awaited, and ciphers of cryptography
to encrypt blobs here, for whoever gives it a key for that. All of it would take longer than the
rest of both SDKs together. Who does use them in the same process meets the real ones.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from azure.core.pipeline import transport as transports

__all__ = ["BlobLeaseClient", "BlobServiceClient", "ContainerClient", "generate_container_sas"]

_LIBRARIES = {"RequestsTransport": "requests", "AioHttpTransport": "aiohttp"}


_CIPHERS = {
    "cryptography.hazmat.backends": "default_backend",
    "cryptography.hazmat.primitives.ciphers": "Cipher",
    "cryptography.hazmat.primitives.ciphers.aead": "AESGCM",
    "cryptography.hazmat.primitives.ciphers.algorithms": "AES",
    "cryptography.hazmat.primitives.ciphers.modes": "CBC",
    "cryptography.hazmat.primitives.padding": "PKCS7",
}


class _StandIn(type):
    """Of a transport: whoever makes one, or asks whether something is one, meets the real one."""

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        return getattr(transports, cls.__name__)(*arguments, **options)

    def __instancecheck__(cls, instance: Any) -> bool:
        is_loaded = _LIBRARIES[cls.__name__] in sys.modules
        return is_loaded and isinstance(instance, getattr(transports, cls.__name__))


class _Asyncio(ModuleType):
    """Stands for asyncio, which only those await who use the SDK's clients that are awaited."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module("asyncio"), name)


class _Yarl(ModuleType):
    """Stands for yarl, which only an `AioHttpTransport` is signed for by."""

    @staticmethod
    def URL(*arguments: Any) -> Any:  # noqa: N802 the name that it has there
        """A URL of yarl."""
        import yarl

        return yarl.URL(*arguments)


def _later(module: str, name: str) -> Callable[..., Any]:
    """What is called as the real one is, and imports that only then."""

    def call(*arguments: Any, **options: Any) -> Any:
        return getattr(import_module(module), name)(*arguments, **options)

    return call


def _stand_in_modules() -> dict[str, ModuleType]:
    """Modules of which the SDK takes one thing each, and calls it."""
    modules: dict[str, ModuleType] = {"yarl": _Yarl("yarl"), "asyncio": _Asyncio("asyncio")}
    for module, name in _CIPHERS.items():
        modules[module] = ModuleType(module)
        setattr(modules[module], name, _later(module, name))
    return modules


@contextmanager
def _sparing() -> Iterator[None]:
    """Within it, there are stand-ins for what is not imported yet."""
    names = [name for name in _LIBRARIES if name not in vars(transports)]
    for name in names:
        setattr(transports, name, _StandIn(name, (), {}))
    modules = {
        name: module for name, module in _stand_in_modules().items() if name not in sys.modules
    }
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in names:
            delattr(transports, name)
        for name, module in modules.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


with _sparing():
    from azure.storage.blob import (
        BlobLeaseClient,
        BlobServiceClient,
        ContainerClient,
        generate_container_sas,
    )
