"""What signing by SharedKey takes, from the REST reference ("Authorize with Shared Key").

Apart from the emulator's own code and from the SDKs', so that all three can be told apart. It must
not know how a request is put into text: that differs by service, and is what the tests vary.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

STANDARD_HEADERS = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)
"""Whose values are signed, in this order; names in lower case."""


def mac(key: bytes, text: str) -> str:
    """HMAC-SHA256 in base64."""
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
