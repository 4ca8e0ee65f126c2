"""Numbers by digest: found again in order, through growth and rows that wrap around."""

from __future__ import annotations

import hashlib
import tracemalloc

from runner.plan.digest_table import DigestTable


def digest(number: int) -> bytes:
    return hashlib.blake2b(str(number).encode(), digest_size=16).digest()


def test_all_that_was_added_is_found() -> None:
    table = DigestTable()
    for number in range(5_000):
        table.add(digest(number), number)
    assert len(table) == 5_000
    assert all(list(table.find(digest(number))) == [number] for number in range(5_000))
    assert list(table.find(digest(5_001))) == []


def test_numbers_of_one_digest_keep_their_order() -> None:
    table = DigestTable()
    last = bytes([255] * 7 + [3]) + bytes(8)  # at the last place, so that its row wraps around
    for number in range(3_000):
        table.add(last if number % 3 == 0 else digest(number), number)
    assert list(table.find(last)) == list(range(0, 3_000, 3))


def test_a_number_costs_few_bytes() -> None:
    tracemalloc.start()
    try:
        table = DigestTable()
        for number in range(40_000):
            table.add(number.to_bytes(8, "little") + bytes(8), number)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < 40_000 * 40
