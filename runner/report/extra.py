"""The raw properties of `extra` as they may be shown and kept: without their secrets.

It knows nothing of what they mean to the service, but the names that it has for secrets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

# REST: UserAccount, ContainerRegistryReference, CifsMountConfiguration (`password`); the Blob and
# Files mounts (`accountKey`, `sasKey`); LinuxUserConfiguration (`sshPrivateKey`).
_SECRET = frozenset({"password", "accountkey", "saskey", "sshprivatekey"})


def shown_extra(extra: Mapping[str, object]) -> dict[str, object]:
    """The properties with `***` for each secret."""
    return {name: _shown(name, value) for name, value in extra.items()}


def extra_as_text(extra: Mapping[str, object]) -> str:
    """The same as JSON in one line."""
    return json.dumps(shown_extra(extra), ensure_ascii=False)


def _shown(name: str, value: object) -> object:
    if name.lower() in _SECRET:
        return "***"
    if isinstance(value, Mapping):
        return shown_extra(value)
    if isinstance(value, list):
        return [_shown("", each) for each in value]
    return value
