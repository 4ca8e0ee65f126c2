"""The SDKs, imported without what only their asynchronous clients need.

azure-storage-blob 12 imports aiohttp and yarl wherever they are installed, to know its transports
when they sign a request; none of ours is one. That takes half as long as all else of both SDKs. It
must not know what they are used for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


def import_sdks() -> None:
    """Imports all that our clients are made of, once."""
    with _without("aiohttp", "yarl"):
        import azure.batch
        import azure.storage.blob  # noqa: F401


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """Within it, modules that are not imported yet are not to be had."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        # What Python has for a module that is known not to be there (language reference, 5.3.1).
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
