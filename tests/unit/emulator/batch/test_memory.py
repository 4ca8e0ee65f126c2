"""The memory of machines, as the tables of their series say."""

from __future__ import annotations

import pytest

from runner.emulator.batch.launching.memory import memory_of


@pytest.mark.parametrize(
    ("size", "gib"),
    [
        ("Standard_D2s_v5", 8),
        ("STANDARD_D64_V3", 256),
        ("standard_d4ls_v5", 8),
        ("standard_d4plds_v5", 8),
        ("standard_d2_v2", 7),
        ("standard_ds14_v2", 112),
        ("standard_a1_v2", 2),
        ("standard_a4m_v2", 32),
        ("standard_e8-4s_v5", 64),
        ("standard_e96s_v5", 672),
        ("standard_f4s_v2", 8),
        ("standard_f8", 16),
        ("standard_f4as_v6", 16),
        ("standard_f4als_v6", 8),
        ("standard_f4ams_v6", 32),
        ("standard_b2ms", 8),
        ("standard_b1s", 1),
        ("standard_b4as_v2", 16),
        ("standard_b2als_v2", 4),
        ("standard_l8s_v3", 64),
        ("standard_nc4as_t4_v3", None),
        ("standard_m128", None),
        ("standard_d3", None),
        ("standard_nonsense", None),
    ],
)
def test_memory_by_name(size: str, gib: int | None) -> None:
    assert memory_of(size) == (None if gib is None else gib << 30)
