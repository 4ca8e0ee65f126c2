"""Takes the secrets out of what a request holds, and leaves all else as it was sent.

It must not know which operation was asked for, nor where the result is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

HIDDEN = "***"

# Names of JSON properties and query parameters whose whole value is a secret, in lower case
# (REST reference: pool users, node users, registries, mounts, extensions).
_SECRET_NAMES = frozenset(
    {"accountkey", "password", "protectedsettings", "saskey", "sig", "sshprivatekey"}
)
# A signature may stand in the URL of any property, header or environment variable.
_SECRET_PARTS = re.compile(
    r"(?P<signature>[?&;]sig=)[^&;#\s\"'<>`\\]+"
    r"|(?P<key>\b(?:AccountKey|SharedAccessSignature)=)[^;\s\"'<>`\\]+",
    re.IGNORECASE,
)
_SHOWN_HEADERS = frozenset(
    {
        "accept",
        "client-request-id",
        "content-encoding",
        "content-length",
        "content-md5",
        "content-type",
        "date",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-unmodified-since",
        "ocp-date",
        "ocp-range",
        "range",
        "user-agent",
    }
)
_SECRET_HEADERS = frozenset({"x-ms-copy-source-authorization", "x-ms-encryption-key"})


def hide_in_text(text: str) -> str:
    """The text with the signature of every URL in it, and account keys, replaced."""
    return _SECRET_PARTS.sub(_hide, text)


def _hide(match: re.Match[str]) -> str:
    return (match["signature"] or match["key"]) + HIDDEN


def hide_in_json(value: object) -> object:
    """The JSON with secret properties replaced, at any depth."""
    if isinstance(value, str):
        return hide_in_text(value)
    if isinstance(value, list):
        return [hide_in_json(item) for item in value]
    if isinstance(value, dict):
        return {
            name: HIDDEN
            if name.lower() in _SECRET_NAMES and item is not None
            else hide_in_json(item)
            for name, item in value.items()
        }
    return value


def hide_in_query(query: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Decoded parameters by name as sent; the values of one given twice are joined by a comma."""
    shown: dict[str, str] = {}
    for name, value in query:
        text = HIDDEN if name.lower() in _SECRET_NAMES else hide_in_text(value)
        shown[name] = f"{shown[name]},{text}" if name in shown else text
    return shown


def select_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that say what was asked for; never those that prove who asks."""
    return {
        name: hide_in_text(value)
        for name, value in headers.items()
        if name in _SHOWN_HEADERS or (name.startswith("x-ms-") and name not in _SECRET_HEADERS)
    }
