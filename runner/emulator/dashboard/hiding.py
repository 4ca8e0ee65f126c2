"""Takes the secrets out of what is shown: values of environment variables, signatures, keys.

It must not know which thing is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from runner.emulator.server.record.redaction import HIDDEN, hide_in_json, hide_in_query

_ENVIRONMENTS = frozenset({"environmentSettings", "commonEnvironmentSettings"})
# The whole query of a signed URL: what it allows is nobody's business either.
_QUERY = re.compile(r"\?[^\s\"'<>`\\]+")
_SIGNED = re.compile(r"\bsig=", re.IGNORECASE)
# A signature without a URL before it, as in a variable or an option, or encoded in another URL.
# Real ones have 44 characters and more; what is shorter may well be something else.
_BARE = re.compile(
    r"((?:(?<![a-z0-9_])|(?<=%26)|(?<=%3f))sig(?:=|%3d))[a-z0-9%+/=_-]{20,}", re.IGNORECASE
)
_SIGNATURE = frozenset(
    {
        *("sig", "sv", "ss", "srt", "sr", "sp", "st", "se", "si", "sip", "spr", "ses", "sdd"),
        *("skoid", "sktid", "skt", "ske", "sks", "skv", "saoid", "suoid", "scid"),
        *("rscc", "rscd", "rsce", "rscl", "rsct"),
    }
)


def hide_in_document(document: object) -> object:
    """JSON as the service gives it back, without secrets; of variables the names are left."""
    return hide_in_json(_hide(document))


def hide_in_text(text: str) -> str:
    """The text without signatures."""
    if "sig" not in text.lower():
        return text
    return _BARE.sub(rf"\1{HIDDEN}", _QUERY.sub(_hide_signed, text))


def show_name(document: Mapping[str, Any]) -> str | None:
    """What people call a pool, job or task, where they call it anything."""
    name = document.get("displayName")
    return None if name is None else hide_in_text(name)


def show_query(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The parameters of a request; of a signature (SAS) only that there was one."""
    given = tuple(pairs)
    signed = any(name.lower() == "sig" for name, _ in given)
    if not signed:
        return hide_in_query(given)
    rest = [(name, value) for name, value in given if name.lower() not in _SIGNATURE]
    return {**hide_in_query(rest), "sig": HIDDEN}


def _hide_signed(query: re.Match[str]) -> str:
    return f"?{HIDDEN}" if _SIGNED.search(query[0]) else query[0]


def _hide(value: object) -> object:
    if isinstance(value, str):
        return hide_in_text(value)
    if isinstance(value, list):
        return [_hide(each) for each in value]
    if isinstance(value, dict):
        return {
            name: _names_alone(each) if name in _ENVIRONMENTS else _hide(each)
            for name, each in value.items()
        }
    return value


def _names_alone(settings: object) -> object:
    if not isinstance(settings, list):
        return HIDDEN
    return [
        {"name": each.get("name"), "value": HIDDEN} for each in settings if isinstance(each, dict)
    ]
