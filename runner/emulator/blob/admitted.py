"""Requests that were admitted, so that others like them are in a quarter of the time.

They differ in the last components of their blobs' names alone. Whether the signature is good, for
this blob and now, is looked at each time. It must not know what becomes of the requests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from runner.emulator.blob.operations.blobs import Putting
from runner.emulator.blob.operations.call import Call
from runner.emulator.blob.service import BlobService

# What is before the last components of a blob's URL, these where they mean what they say, a query.
_NAMED = re.compile(r"(https?://[^/?#%]+/[^/?#%]+/[^/?#%]+/)([\w.~/-]+)\?([^#]+)", re.ASCII)
_MOST_KNOWN = 256


class _Known(NamedTuple):
    headers: dict[str, str]
    service: BlobService
    call: Call
    above: str
    """What of the blob's name is before the components in which others differ."""
    putting: Putting | None


class Again(NamedTuple):
    """A request that is admitted, and what the earlier one was to put, if anything."""

    call: Call
    putting: Putting | None


class Admitted:
    """The last few hundred kinds of them."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], _Known] = {}

    def again(self, method: str, url: str, headers: Mapping[str, str]) -> Again | None:
        """Admits what is like an earlier request; None for any other.

        Raises `RefusedError` as `BlobService.admit` does.
        """
        match = _NAMED.fullmatch(url)
        if match is None:
            return None
        known = self._known.get((method, match[1], match[3]))
        if known is None or known.headers != headers:
            return None
        call = known.service.admit_again(known.call, known.above + match[2])
        return None if call is None else Again(call, known.putting)

    def note(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        service: BlobService,
        call: Call,
        putting: Putting | None = None,
    ) -> None:
        """Takes note of one that was admitted."""
        match = _NAMED.fullmatch(url)
        # A key signs the name too.
        if match is None or "authorization" in call.request.headers:
            return
        while len(self._known) >= _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[method, match[1], match[3]] = _Known(
            headers=dict(headers),
            service=service,
            call=call,
            above=call.target.blob.removesuffix(match[2]),
            putting=putting,
        )
