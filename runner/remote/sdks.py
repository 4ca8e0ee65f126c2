"""The SDKs, imported without what only their asynchronous clients need.

azure-storage-blob 12 imports aiohttp wherever that is installed, to know its transports when they
sign a request; none of ours is one. That takes as long as all else of both SDKs together. It must
not know what they are used for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


def import_sdks() -> None:
    """Imports all that our clients are made of, once."""
    with _without("aiohttp"):
        import azure.batch
        import azure.storage.blob  # noqa: F401


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Within it, a module that is not imported yet is not to be had."""
    if name in sys.modules:
        yield
        return
    # What Python itself has for a module that is known not to be there (language reference, 5.3.1).
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
