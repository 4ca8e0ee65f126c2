"""Where nobody listens: what takes lines for people, and shows none of them.

It must not know who says them, nor why nobody listens.
"""

from __future__ import annotations


def say_nothing(line: str) -> None:
    """Takes a line for people to nobody."""
