"""What an hour of a node costs, and who says so.

It must not know where prices are kept, nor what is done with them.
"""

from __future__ import annotations

from runner.frozen import dataclass

HOUR_SECONDS = 3600.0
MOST = 1e9
"""Nothing costs as much an hour, in any currency; and with less no sum is beyond a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePrice:
    """The price of an hour of one VM size; None for a kind of node that nobody gives one for."""

    vm_size: str
    currency: str
    """ISO 4217, such as `EUR`."""
    dedicated: float | None
    spot: float | None
    source: str
    """Who says so, in a few words: the user's file, or Azure with the region."""
    as_of: str | None = None
    """The day that it is of, as `2026-01-31`, where that is known."""

    def amount(self, *, dedicated_seconds: float, spot_seconds: float) -> float | None:
        """What so much time of nodes costs; None where a kind is used that has no price."""
        total = 0.0
        for seconds, price in ((dedicated_seconds, self.dedicated), (spot_seconds, self.spot)):
            if not seconds:
                continue
            if price is None:
                return None
            total += seconds / HOUR_SECONDS * price
        return total

    def lacks(self, *, dedicated: bool, spot: bool) -> str | None:
        """The kind of node, of those that are used, that has no price."""
        if dedicated and self.dedicated is None:
            return "dedicated"
        return "spot" if spot and self.spot is None else None


def write_amount(amount: float, currency: str) -> str:
    """`1,234.50 EUR`; of less than one, as many digits as tell it from nothing."""
    digits = 2
    while digits < 6 and 0 < amount < 10 ** (1 - digits):
        digits += 1
    whole, _, decimals = f"{amount:,.{digits}f}".partition(".")
    return f"{whole}.{decimals[:2]}{decimals[2:].rstrip('0')} {currency}"
