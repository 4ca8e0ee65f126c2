"""Places where no expression may stand, whatever the shell: what is wrong and what to do instead.

It knows no shell; each has its own places.
"""

from __future__ import annotations

from enum import Enum


class Place(Enum):
    """A place whose text a shell reads as something other than a value, and the way out."""

    @property
    def message(self) -> str:
        """What is wrong."""
        return f"an expression cannot stand {self.value[0]}"

    @property
    def hint(self) -> str:
        """What to do instead."""
        return str(self.value[1])
