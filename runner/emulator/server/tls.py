"""TLS for the emulator: with a certificate that is given, or with one of its own making.

It must not know what is served over it. Certificates are made by `server.certificates`, which is
loaded only where one is.
"""

from __future__ import annotations

import ipaddress
import re
import ssl
from contextlib import suppress
from dataclasses import field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from runner.emulator.server.trust import Trust, write_private, write_trust
from runner.emulator.storage.record import record

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    from runner.emulator.server.certificates import Authority

# An authority that ends sooner is made anew, so that no client is surprised in mid-run.
_LEAST_LIFETIME = timedelta(days=30)
# No wildcard covers `account.region.batch.localhost` for any region: these are made when asked for.
_LOCAL_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}localhost", re.ASCII)
_MOST_NAMES = 256


class TlsError(Exception):
    """TLS cannot be had; the message is one line for people."""


@record(frozen=True, slots=True, kw_only=True)
class Tls:
    """TLS to serve with; `host` is a name or address that the certificate is good for."""

    server: ssl.SSLContext = field(repr=False)
    host: str
    client: ssl.SSLContext = field(repr=False)
    """For connections of the emulator to itself and to anybody."""
    trust: Trust | None
    """None where the given certificate is not its own authority: clients know theirs."""


def make_tls(directory: Path, address: str, now: datetime) -> Tls:
    """TLS with a certificate of our own, whose authority is kept in `directory`.

    Raises `TlsError` where files cannot be written.
    """
    from runner.emulator.server.certificates import encode_certificate, encode_key, make_key

    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = _load_authority(directory, now)
        trust = write_trust(directory, encode_certificate(authority.certificate))
        key = make_key()
        write_private(directory / "server.key", encode_key(key))
        names = _Names(directory, authority, key, now)
        context = names.make_context(("localhost", "*.blob.localhost", *_loopback(address)))
    except OSError as error:
        raise TlsError(f"{directory} cannot be used for certificates: {error.strerror}") from error
    context.sni_callback = names.choose
    return Tls(server=context, host=address, client=_client_context(trust.authority), trust=trust)


def load_tls(directory: Path, certificate: Path, key: Path, address: str) -> Tls:
    """TLS with the certificate and the key of two PEM files; raises `TlsError`."""
    context = _server_context()
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as error:
            raise TlsError(f"{path} cannot be read: {error.strerror}") from error
    try:
        # Without a password, OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError, ValueError) as error:
        raise TlsError(
            f"{certificate} and {key} are not a certificate and its key in PEM, not encrypted"
        ) from error
    chain = _read_chain(certificate)
    trust = None
    if chain[-1].issuer == chain[-1].subject:
        trust = _write_given_trust(directory, chain[-1])
    return Tls(
        server=context,
        host=_choose_host(chain[0], address),
        client=_client_context(certificate),
        trust=trust,
    )


class _Names:
    """Server certificates for names of this machine, made when a client first asks for one."""

    def __init__(
        self,
        directory: Path,
        authority: Authority,
        key: ec.EllipticCurvePrivateKey,
        now: datetime,
    ) -> None:
        self._directory = directory
        self._authority = authority
        self._key = key
        self._now = now
        self._contexts: dict[str, ssl.SSLContext] = {}

    def make_context(self, hosts: tuple[str, ...]) -> ssl.SSLContext:
        """A context for a server of these names and addresses."""
        from runner.emulator.server.certificates import (
            encode_certificate,
            make_server_certificate,
        )

        certificate = make_server_certificate(self._authority, self._key, hosts, self._now)
        # The standard library reads certificates from files only.
        path = self._directory / "server.pem"
        write_private(path, encode_certificate(certificate))
        context = _server_context()
        context.load_cert_chain(path, self._directory / "server.key")
        return context

    def choose(
        self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext
    ) -> None:
        """Called in the handshake with the name that the client wants to reach."""
        if name is None or not _LOCAL_NAME.fullmatch(name.lower()):
            return
        context = self._contexts.get(name.lower())
        if context is None and len(self._contexts) < _MOST_NAMES:
            # Where the directory is gone meanwhile, the client sees the certificate of localhost.
            with suppress(OSError):
                context = self._contexts[name.lower()] = self.make_context((name.lower(),))
        if context is not None:
            connection.context = context


def _load_authority(directory: Path, now: datetime) -> Authority:
    """The authority of the last start, so that clients that trust it go on doing so, or a new."""
    from runner.emulator.server.certificates import (
        decode_authority,
        encode_certificate,
        encode_key,
        make_authority,
    )

    certificate, key = directory / "authority.pem", directory / "authority.key"
    with suppress(FileNotFoundError, ValueError):
        kept = decode_authority(certificate.read_bytes(), key.read_bytes())
        if kept.is_good_until(now + _LEAST_LIFETIME):
            return kept
    made = make_authority(now)
    write_private(key, encode_key(made.key))
    write_private(certificate, encode_certificate(made.certificate))
    return made


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _client_context(trusted: Path) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(trusted)
    # A certificate that was given is trusted itself, whoever signed it.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _read_chain(path: Path) -> list[x509.Certificate]:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError as error:
        raise TlsError(f"{path} holds a certificate that cannot be read: {error}") from error


def _write_given_trust(directory: Path, authority: x509.Certificate) -> Trust:
    from runner.emulator.server.certificates import encode_certificate

    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return write_trust(directory, encode_certificate(authority))
    except OSError as error:
        raise TlsError(f"{directory} cannot be used for certificates: {error.strerror}") from error


def _choose_host(certificate: x509.Certificate, address: str) -> str:
    """A host that the certificate is good for, the address that is listened on if it can be."""
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return address
    if ipaddress.ip_address(address) in names.get_values_for_type(x509.IPAddress):
        return address
    hosts = [host for host in names.get_values_for_type(x509.DNSName) if "*" not in host]
    if "localhost" in hosts or not hosts:
        return "localhost" if hosts else address
    return hosts[0]


def _loopback(address: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(("127.0.0.1", "::1", address)))
