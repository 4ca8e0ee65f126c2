"""The texts that shared access signatures are made of, in the layouts of all versions.

Source: "Create a service SAS", "Create an account SAS" and "Create a user delegation SAS", the
sections on the string to sign; for versions since 2026-04-06 azure-storage-blob 12.31. It must not
know whether a signature fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

OVERRIDES = (
    ("rscc", "Cache-Control"),
    ("rscd", "Content-Disposition"),
    ("rsce", "Content-Encoding"),
    ("rscl", "Content-Language"),
    ("rsct", "Content-Type"),
)
"""The parameters that replace headers of the answer."""

# The first version of each change.
_RESOURCE_VERSION = "2018-11-09"
_AGENT_VERSION = "2020-02-10"
_SCOPE_VERSION = "2020-12-06"
_DELEGATED_VERSION = "2025-07-05"
_REQUEST_VERSION = "2026-04-06"


def service_string(query: Mapping[str, str], canonical: str, version: str) -> str:
    """The text of a signature of one container or blob, made with the account's key."""
    return "\n".join(
        (
            *_pick(query, "sp", "st", "se"),
            canonical,
            *_pick(query, "si", "sip", "spr"),
            version,
            *_resource_fields(query, version),
            *_pick(query, *(key for key, _ in OVERRIDES)),
        )
    )


def delegation_string(
    query: Mapping[str, str], headers: Mapping[str, str], canonical: str, version: str
) -> str:
    """The text of a signature made with a user delegation key."""
    fields = [
        *_pick(query, "sp", "st", "se"),
        canonical,
        *_pick(query, "skoid", "sktid", "skt", "ske", "sks", "skv"),
    ]
    if version >= _AGENT_VERSION:
        fields += _pick(query, "saoid", "suoid", "scid")
    if version >= _DELEGATED_VERSION:
        fields += _pick(query, "skdutid", "sduoid")
    fields += [*_pick(query, "sip", "spr"), version, *_resource_fields(query, version)]
    if version >= _REQUEST_VERSION:
        named = "".join(f"{n}:{headers.get(n.lower(), '')}\n" for n in _names(query, "srh"))
        asked = "".join(f"\n{n}:{query.get(n.lower(), '')}" for n in _names(query, "srq"))
        fields += [named, asked]
    fields += _pick(query, *(key for key, _ in OVERRIDES))
    return "\n".join(fields)


def account_string(query: Mapping[str, str], account: str, version: str) -> str:
    """The text of a signature of the account."""
    names = ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"]
    if version >= _SCOPE_VERSION:
        names.append("ses")
    return "".join(f"{value}\n" for value in (account, *_pick(query, *names)))


def _resource_fields(query: Mapping[str, str], version: str) -> Iterator[str]:
    if version < _RESOURCE_VERSION:
        return
    resource = query.get("sr", "")
    yield resource
    yield query.get("snapshot", "") if resource == "bs" else ""
    if version >= _SCOPE_VERSION:
        yield query.get("ses", "")


def _pick(query: Mapping[str, str], *names: str) -> Iterator[str]:
    return (query.get(name, "") for name in names)


def _names(query: Mapping[str, str], parameter: str) -> Iterator[str]:
    return filter(None, query.get(parameter, "").split(","))
