"""Which environment variables hold secrets: all of their values are kept out of what we write.

It must not know what a command does with them; it says nothing of which are missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

# Those of azure-identity's `EnvironmentCredential`, of `az batch`, and our own.
_WHOLE = frozenset(
    {
        "AZURE_BATCH_ACCESS_KEY",
        "AZURE_STORAGE_KEY",
        "AZURE_STORAGE_CONNECTION_STRING",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_CLIENT_SECRET",
        "AZURE_CLIENT_CERTIFICATE_PASSWORD",
        "AZURE_PASSWORD",
        "IDENTITY_HEADER",
        "MSI_SECRET",
    }
)
_OURS = "BATCH_RUN_SECRET_"
_PARTS = frozenset({"accountkey", "sharedaccesskey", "sharedaccesssignature", "sig"})


def secrets_in(environ: Mapping[str, str]) -> Iterator[str]:
    """The values of the variables that hold secrets, and the secret parts of those."""
    for name, value in environ.items():
        if name.upper() not in _WHOLE and not name.upper().startswith(_OURS):
            continue
        yield value.strip()
        for part in value.replace("&", ";").split(";"):
            key, equals, rest = part.strip().partition("=")
            if equals and key.lower() in _PARTS:
                yield rest
