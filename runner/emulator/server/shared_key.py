"""What the SharedKey forms of both services have in common: signed headers, signature, clock skew.

It must not know how either service puts the text to sign together.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta

LARGEST_SKEW = timedelta(minutes=15)
"""How far the date of a request may be off ("Authorize with Shared Key")."""

SIGNED_HEADERS = (
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
"""The standard headers whose values are signed, in their order."""


def sign(key: bytes, text: str) -> str:
    """HMAC-SHA256 in base64, as every signature of both services is."""
    digest = hmac.digest(key, text.encode("utf-8"), hashlib.sha256)
    return base64.b64encode(digest).decode("ascii")


def is_signature(key: bytes, text: str, signature: str) -> bool:
    """Compares in constant time; `signature` may hold whatever was sent."""
    return hmac.compare_digest(sign(key, text).encode("ascii"), signature.encode("utf-8"))
