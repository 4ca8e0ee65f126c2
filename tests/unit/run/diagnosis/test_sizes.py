"""What names of VM sizes tell."""

from __future__ import annotations

import pytest

from runner.run.diagnosis.sizes import read_vm_size, suggest_vm_size

FIRST, SECOND = frozenset({1}), frozenset({2})


@pytest.mark.parametrize(
    ("name", "family", "cores", "is_arm", "generations"),
    [
        ("Standard_D2s_v5", "dsv5", 2, False, FIRST | SECOND),
        ("standard_d2S_V5", "dsv5", 2, False, FIRST | SECOND),
        ("Standard_D2ps_v5", "dpsv5", 2, True, SECOND),
        ("Standard_D4s_v6", "dsv6", 4, False, SECOND),
        ("Standard_E8-4s_v5", "esv5", 4, False, FIRST | SECOND),
        ("Standard_NC4as_T4_v3", "ncast4v3", 4, False, None),
        ("Standard_ND96isr_H100_v5", "ndisrh100v5", 96, False, None),
        ("Standard_HB120rs_v3", "hbrsv3", 120, False, None),
        ("Standard_DC2s_v3", "dcsv3", 2, False, SECOND),
        ("Standard_D2_v3", "dv3", 2, False, FIRST),
        ("Standard_D2_v5", "dv5", 2, False, None),
        ("Standard_A1_v2", "av2", 1, False, FIRST),
        ("Standard_A9", "a", 16, False, FIRST),
        ("Standard_D13_v2", "dv2", 8, False, FIRST),
        ("Standard_DS3_v2", "dsv2", 4, False, FIRST | SECOND),
        ("Standard_GS5", "gs", 32, False, None),
        ("Basic_A2", "a", 2, False, FIRST),
    ],
)
def test_a_name_tells(
    name: str, family: str, cores: int, is_arm: bool, generations: frozenset[int] | None
) -> None:
    size = read_vm_size(name)
    assert size is not None
    told = (size.family, size.cores, size.is_arm, size.generations)
    assert told == (family, cores, is_arm, generations)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("D2s_v5", "Standard_D2s_v5"),
        ("standart_D2s_v5", "Standard_D2s_v5"),
        ("Standard-D2s-v5", "Standard_D2s_v5"),
        ("Standard_D2sv5", "Standard_D2s_v5"),
        ("Standard D2s v5", "Standard_D2s_v5"),
        ("large", None),
        ("", None),
        ("Standard_", None),
    ],
)
def test_what_is_no_name_is_told_with_what_was_meant(name: str, meant: str | None) -> None:
    assert read_vm_size(name) is None
    assert suggest_vm_size(name) == meant
