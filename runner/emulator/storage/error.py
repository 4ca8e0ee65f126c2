"""What is wrong with a data directory, whoever finds it.

It must not know what is kept in the directory.
"""

from __future__ import annotations


class DataError(Exception):
    """The data directory cannot be used; the message is one line for people."""
