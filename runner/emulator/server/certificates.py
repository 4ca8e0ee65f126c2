"""Makes certificates: a small authority of the emulator's own, and servers' that it signs.

It must not know where they are kept, nor who trusts them.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from runner.emulator.storage.record import record

_AUTHORITY_LIFETIME = timedelta(days=3650)
# Some clients refuse a server's certificate that is good for more than 398 days.
_SERVER_LIFETIME = timedelta(days=397)
# Clocks of clients may be behind.
_GRACE = timedelta(days=1)
_NAME = "batch-run emulator"


@record(frozen=True, slots=True)
class Authority:
    """A certificate that signs others, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def is_good_until(self, moment: datetime) -> bool:
        """Whether what it signs is still trusted then."""
        # `not_valid_after_utc` came with cryptography 42, and the other went with a later one.
        end = self.certificate.not_valid_after_utc
        return moment < end


def make_authority(now: datetime) -> Authority:
    """An authority whose word counts for names and addresses of this machine alone.

    Whoever installs it for good trusts nobody with it who cannot listen on loopback anyway.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{_NAME} {secrets.token_hex(4)}")])
    constraints = x509.NameConstraints(
        permitted_subtrees=[
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_network("127.0.0.0/8")),
            x509.IPAddress(ipaddress.ip_network("::1/128")),
        ],
        excluded_subtrees=None,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        _begin(name, name, key.public_key(), now, _AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(constraints, critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(_issued_by(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def make_server_certificate(
    authority: Authority,
    key: ec.EllipticCurvePrivateKey,
    hosts: Sequence[str],
    now: datetime,
) -> x509.Certificate:
    """A certificate for names (`*.` at the begin of one stands for any label) and addresses."""
    issuer = authority.certificate
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    issuer_identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        _begin(name, issuer.subject, key.public_key(), now, _SERVER_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False
        )
        .add_extension(identifier, critical=False)
        .add_extension(_issued_by(issuer_identifier), critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def make_key() -> ec.EllipticCurvePrivateKey:
    """A key for a server's certificates."""
    return ec.generate_private_key(ec.SECP256R1())


def encode_certificate(certificate: x509.Certificate) -> bytes:
    """PEM."""
    return certificate.public_bytes(Encoding.PEM)


def encode_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """PEM, not encrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def decode_authority(certificate: bytes, key: bytes) -> Authority:
    """What was encoded; raises `ValueError` where it is something else."""
    read = load_pem_private_key(key, password=None)
    if not isinstance(read, ec.EllipticCurvePrivateKey):
        raise ValueError("another kind of key")  # noqa: TRY004 - the content is wrong, not a type
    return Authority(x509.load_pem_x509_certificate(certificate), read)


def _begin(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _GRACE)
        .not_valid_after(now + lifetime)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _issued_by(identifier: x509.SubjectKeyIdentifier) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
