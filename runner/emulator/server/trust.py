"""What clients need in order to trust a server: files of certificates, variables that name them.

It must not know whose certificate it is, nor how it came about.
"""

from __future__ import annotations

import os
import ssl
from contextlib import suppress
from pathlib import Path

from runner.emulator.storage.record import record

# Where systems keep the certificates that they trust, where OpenSSL was not told.
_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


@record(frozen=True, slots=True, kw_only=True)
class Trust:
    """What clients need in order to trust the emulator: files in PEM."""

    authority: Path
    """The authority of the emulator's certificate, alone."""
    bundle: Path
    """The same with all that this machine trusts: most programs take one file, not one more."""

    def variables(self) -> dict[str, str]:
        """The environment variables that make programs trust it."""
        return {
            "SSL_CERT_FILE": str(self.bundle),  # OpenSSL, Python, Go
            "REQUESTS_CA_BUNDLE": str(self.bundle),  # Python's requests, and so the Azure SDKs
            "CURL_CA_BUNDLE": str(self.bundle),
            "NODE_EXTRA_CA_CERTS": str(self.authority),
        }


def write_trust(directory: Path, authority: bytes) -> Trust:
    """Writes the files for an authority, given in PEM; raises `OSError`."""
    trust = Trust(authority=directory / "ca.pem", bundle=directory / "ca-bundle.pem")
    write_private(trust.authority, authority)
    write_private(trust.bundle, _read_system_bundle(but=trust.bundle) + authority)
    return trust


def _read_system_bundle(*, but: Path) -> bytes:
    """All that this machine trusts; `but` is ours, which the environment may name by now."""
    told = ssl.get_default_verify_paths().cafile
    for path in map(Path, (*((told,) if told else ()), *_SYSTEM_BUNDLES)):
        with suppress(OSError):
            if not (but.exists() and path.samefile(but)):
                return path.read_bytes().rstrip() + b"\n"
    return b""


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that its owner alone can read, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    part.replace(path)
