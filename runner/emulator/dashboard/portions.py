"""Walks long tables in portions, between which requests are answered.

It must not know what is looked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Protocol, TypeVar

from runner.emulator.batch.core.ids import Key

_PORTION = 1000
_Record_co = TypeVar("_Record_co", covariant=True)


class Table(Protocol[_Record_co]):
    """Records in the order of their keys."""

    def after(self, key: Key | None) -> Iterator[tuple[Key, _Record_co]]:
        """Those behind a key; all of them for None."""
        ...


async def in_portions(
    table: Table[_Record_co], start: Key | None = None
) -> AsyncIterator[tuple[Key, _Record_co]]:
    """The records behind a key; after each portion the table may be another."""
    while True:
        portion = list(islice(table.after(start), _PORTION))
        for each in portion:
            yield each
        if len(portion) < _PORTION:
            return
        start = portion[-1][0]
        await asyncio.sleep(0)
