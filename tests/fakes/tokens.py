"""Access tokens as Entra ID gives them, but for the signature, which nobody verifies here."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

TENANT = "72f988bf-0000-4000-8000-2d7cd011db47"
OBJECT_ID = "0b0c0d0e-0000-4000-8000-0a0b0c0d0e0f"


def encode_part(document: object) -> str:
    """JSON in base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode("ascii")


def make_token(audience: str, **claims: Any) -> str:
    """A token for an audience, good for an hour from now; `claims` replace or add."""
    now = int(time.time())
    body = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{TENANT}/",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "tid": TENANT,
        "oid": OBJECT_ID,
        **claims,
    }
    header = {"typ": "JWT", "alg": "RS256", "kid": "none"}
    return f"{encode_part(header)}.{encode_part(body)}.c2lnbmF0dXJl"
