"""A table of prices as users write it, and what is wrong with one, each at its place."""

from __future__ import annotations

import pytest

from runner.plan.prices.node_price import NodePrice
from runner.plan.prices.price_table import EXAMPLE, PriceTable, read_price_table
from runner.spec.problem import SpecError

TABLE = """\
currency: EUR
region: westeurope
as_of: 2026-01-31
vm_sizes:
  Standard_D2s_v5: {dedicated: 0.11, spot: 0.03}
  Standard_F4s_v2: {dedicated: 1}
"""


def read(text: str) -> PriceTable:
    return read_price_table("prices.yaml", text.encode())


def problems(text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        read(text)
    return [f"{each.location()}: {each.code}: {each.message}" for each in caught.value.problems]


def test_a_price_is_found_by_the_name_of_its_size_in_any_case() -> None:
    assert read(TABLE).find("STANDARD_d2s_v5") == NodePrice(
        vm_size="Standard_D2s_v5",
        currency="EUR",
        dedicated=0.11,
        spot=0.03,
        source="prices.yaml (westeurope)",
        as_of="2026-01-31",
    )
    assert read(TABLE).find("Standard_F4s_v2") == NodePrice(
        vm_size="Standard_F4s_v2",
        currency="EUR",
        dedicated=1.0,
        spot=None,
        source="prices.yaml (westeurope)",
        as_of="2026-01-31",
    )
    assert read(TABLE).find("Standard_D4s_v5") is None
    assert read(TABLE).suggest("Standard_D4s_v5") == (
        "did you mean `Standard_D2s_v5`? in the table: `Standard_D2s_v5`, `Standard_F4s_v2`"
    )


def test_json_is_as_good_and_the_example_is_a_table() -> None:
    table = read('{"currency": "USD", "vm_sizes": {"Standard_D2s_v5": {"spot": 0}}}')
    price = table.find("Standard_D2s_v5")
    assert price is not None
    assert (price.dedicated, price.spot, price.source) == (None, 0.0, "prices.yaml")
    assert read(EXAMPLE).find("Standard_D2s_v5") is not None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["prices.yaml:1:1: empty: a table of prices has a `currency` and `vm_sizes`"]),
        (
            "- 1\n",
            ["prices.yaml:1:1: not-a-mapping: a table of prices has a `currency` and `vm_sizes`"],
        ),
        (
            "curency: EUR\n",
            [
                "prices.yaml:1:1: unknown-key: unknown key `curency` in a table of prices",
                "prices.yaml:1:1: missing-key: `currency` is missing",
                "prices.yaml:1:1: missing-key: `vm_sizes` is missing",
            ],
        ),
        (
            "currency: euro\nas_of: yesterday\nregion: 7\nvm_sizes: []\n",
            [
                "prices.yaml:1:11: price-table: `currency` must be three letters such as `EUR`",
                "prices.yaml:2:8: price-table: `as_of` must be a day such as `2026-01-31`",
                "prices.yaml:3:9: price-table: `region` must be text such as `westeurope`",
                "prices.yaml:4:11: price-table: `vm_sizes` must be a mapping of VM sizes to prices",
            ],
        ),
        (
            (
                "currency: EUR\nvm_sizes:\n  A: 0.1\n  a: {spott: 1, dedicated: -1}\n"
                "  B: {dedicated: [], spot: '0.1'}\n  C: {spot: true}\n  D: {spot: 1.0e+300}\n"
            ),
            [
                (
                    "prices.yaml:3:6: price-table: `A` must be a mapping such as"
                    " `{dedicated: 0.11, spot: 0.03}`"
                ),
                "prices.yaml:4:3: price-table: `a` is the same VM size as `A`",
                "prices.yaml:4:7: unknown-key: unknown key `spott` of `a`",
                "prices.yaml:4:28: price-table: the price of `a` must be a number from 0 to 1e9",
                "prices.yaml:5:18: price-table: the price of `B` must be a number from 0 to 1e9",
                "prices.yaml:5:28: price-table: the price of `B` must be a number from 0 to 1e9",
                "prices.yaml:6:13: price-table: the price of `C` must be a number from 0 to 1e9",
                "prices.yaml:7:13: price-table: the price of `D` must be a number from 0 to 1e9",
            ],
        ),
    ],
)
def test_all_that_is_wrong_is_said_at_its_place(text: str, found: list[str]) -> None:
    assert problems(text) == found
