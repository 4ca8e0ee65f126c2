"""Random GUIDs, for which the standard library would ask what platform it is on.

It must not know what they are the names of.
"""

from __future__ import annotations

import os


def make_guid() -> str:
    """A new one in its usual form, of version 4 of RFC 9562."""
    digits = bytearray(os.urandom(16))
    digits[6] = digits[6] & 0x0F | 0x40
    digits[8] = digits[8] & 0x3F | 0x80
    text = digits.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
