"""TLS: clients that were told whom to trust trust it, and no others."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from runner.emulator.server.certificates import (
    decode_authority,
    encode_certificate,
    encode_key,
    make_authority,
    make_key,
    make_server_certificate,
)
from runner.emulator.server.tls import Tls, TlsError, load_tls, make_tls

NOW = datetime.now(timezone.utc)


@contextmanager
def listening(tls: Tls) -> Iterator[int]:
    """A port that does the handshake with each client, one after the other."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                try:
                    tls.server.wrap_socket(connection, server_side=True).close()
                except OSError:
                    # The client did not trust it; that is for the client to say.
                    connection.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def shake_hands(port: int, name: str, context: ssl.SSLContext) -> set[str]:
    """The names of the certificate that a client sees, which trusts it."""
    with (
        socket.create_connection(("127.0.0.1", port)) as connection,
        context.wrap_socket(connection, server_hostname=name) as secured,
    ):
        content = secured.getpeercert(binary_form=True)
    assert content is not None
    names = x509.load_der_x509_certificate(content).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    return {str(getattr(found, "value", found)) for found in names.value}


def trusting(path: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(path))
    # The default since Python 3.13.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def test_a_client_that_trusts_the_authority_reaches_every_name(tmp_path: Path) -> None:
    tls = make_tls(tmp_path / "tls", "127.0.0.5", NOW)
    assert tls.host == "127.0.0.5"
    assert tls.trust is not None
    context = trusting(tls.trust.authority)

    with listening(tls) as port:
        usual = {"localhost", "*.blob.localhost", "127.0.0.1", "::1", "127.0.0.5"}
        for name in ("127.0.0.1", "::1", "127.0.0.5", "localhost"):
            assert shake_hands(port, name, context) == usual
        for name in ("localbatch.eastus.batch.localhost", "other.blob.localhost"):
            for _ in range(2):
                assert shake_hands(port, name, context) == {name}
        with pytest.raises(ssl.SSLCertVerificationError):
            shake_hands(port, "localbatch.eastus.batch.azure.com", context)
        with pytest.raises(ssl.SSLCertVerificationError):
            shake_hands(port, "localhost", ssl.create_default_context())
        assert shake_hands(port, "localhost", tls.client) == usual
        assert shake_hands(port, "localhost", trusting(tls.trust.bundle)) == usual


def test_the_authority_speaks_for_this_machine_alone(tmp_path: Path) -> None:
    authority, key = make_authority(NOW), make_key()
    certificate = make_server_certificate(authority, key, ["example.org", "10.0.0.1"], NOW)
    for name, content in (
        ("server.pem", encode_certificate(certificate)),
        ("server.key", encode_key(key)),
        ("ca.pem", encode_certificate(authority.certificate)),
    ):
        (tmp_path / name).write_bytes(content)
    tls = load_tls(tmp_path, tmp_path / "server.pem", tmp_path / "server.key", "127.0.0.1")
    assert (tls.host, tls.trust) == ("example.org", None)

    with listening(tls) as port:
        for name in ("example.org", "10.0.0.1"):
            with pytest.raises(ssl.SSLCertVerificationError) as refused:
                shake_hands(port, name, trusting(tmp_path / "ca.pem"))
            assert "permitted subtree violation" in str(refused.value)
        # What was given is trusted by the emulator itself, whoever signed it.
        assert shake_hands(port, "example.org", tls.client) == {"example.org", "10.0.0.1"}


def test_the_bundle_does_not_grow_where_the_environment_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_tls(tmp_path, "127.0.0.1", NOW)
    assert first.trust is not None
    content = first.trust.bundle.read_bytes()
    for name, value in first.trust.variables().items():
        monkeypatch.setenv(name, value)

    make_tls(tmp_path, "127.0.0.1", NOW)

    assert first.trust.bundle.read_bytes() == content


def test_the_authority_is_the_same_after_a_restart_and_private(tmp_path: Path) -> None:
    first = make_tls(tmp_path, "127.0.0.1", NOW)
    assert first.trust is not None
    authority = first.trust.authority.read_bytes()
    make_tls(tmp_path, "127.0.0.1", NOW + timedelta(days=3000))

    assert first.trust.authority.read_bytes() == authority
    assert first.trust.bundle.read_bytes().endswith(authority)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {
        "authority.key": 0o600,
        "authority.pem": 0o600,
        "ca-bundle.pem": 0o600,
        "ca.pem": 0o600,
        "server.key": 0o600,
        "server.pem": 0o600,
    }


@pytest.mark.parametrize("spoil", ["ends", "other"])
def test_an_authority_that_will_not_do_is_made_anew(tmp_path: Path, spoil: str) -> None:
    first = make_tls(tmp_path, "127.0.0.1", NOW)
    assert first.trust is not None
    authority = first.trust.authority.read_bytes()
    later = NOW
    if spoil == "ends":
        later = NOW + timedelta(days=3649)
    else:
        (tmp_path / "authority.key").write_text("x")
    make_tls(tmp_path, "127.0.0.1", later)

    assert first.trust.authority.read_bytes() != authority
    content = [(tmp_path / f"authority.{end}").read_bytes() for end in ("pem", "key")]
    assert decode_authority(content[0], content[1]).is_good_until(later + timedelta(days=3000))


def self_signed(directory: Path, hosts: list[str]) -> tuple[Path, Path]:
    """A certificate that is its own authority, as `openssl req -x509` makes them."""
    key = make_key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "own")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
    )
    if hosts:
        names: list[x509.GeneralName] = []
        for host in hosts:
            try:
                names.append(x509.IPAddress(ipaddress.ip_address(host)))
            except ValueError:
                names.append(x509.DNSName(host))
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    from cryptography.hazmat.primitives import hashes

    paths = directory / "own.pem", directory / "own.key"
    paths[0].write_bytes(encode_certificate(builder.sign(key, hashes.SHA256())))
    paths[1].write_bytes(encode_key(key))
    return paths


@pytest.mark.parametrize(
    ("hosts", "host"),
    [
        (["a.test", "localhost", "127.0.0.1"], "127.0.0.1"),
        (["a.test", "localhost"], "localhost"),
        (["*.test", "a.test"], "a.test"),
        (["*.test"], "127.0.0.1"),
        ([], "127.0.0.1"),
    ],
)
def test_links_have_a_host_that_the_given_certificate_is_good_for(
    tmp_path: Path, hosts: list[str], host: str
) -> None:
    certificate, key = self_signed(tmp_path, hosts)

    tls = load_tls(tmp_path / "tls", certificate, key, "127.0.0.1")

    assert tls.host == host
    # It is its own authority, so clients can be told to trust it.
    assert tls.trust is not None
    assert tls.trust.authority.read_bytes() == certificate.read_bytes()
    assert tls.trust.variables() == {
        "SSL_CERT_FILE": str(tls.trust.bundle),
        "REQUESTS_CA_BUNDLE": str(tls.trust.bundle),
        "CURL_CA_BUNDLE": str(tls.trust.bundle),
        "NODE_EXTRA_CA_CERTS": str(tls.trust.authority),
    }


def test_files_that_are_no_certificate_are_named(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, ["localhost"])
    other = tmp_path / "other.key"
    other.write_bytes(encode_key(make_key()))
    secret = tmp_path / "secret.key"
    secret.write_bytes(
        make_key().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
        )
    )

    with pytest.raises(TlsError) as missing:
        load_tls(tmp_path, tmp_path / "none", key, "127.0.0.1")
    wrong = []
    for path in (other, secret, tmp_path / "own.pem"):
        with pytest.raises(TlsError) as refused:
            load_tls(tmp_path, certificate, path, "127.0.0.1")
        wrong.append(str(refused.value))

    assert str(missing.value) == f"{tmp_path / 'none'} cannot be read: No such file or directory"
    assert wrong == [
        f"{certificate} and {path} are not a certificate and its key in PEM, not encrypted"
        for path in (other, secret, tmp_path / "own.pem")
    ]


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")

    with pytest.raises(TlsError) as refused:
        make_tls(path / "tls", "127.0.0.1", NOW)

    assert str(refused.value) == (
        f"{path / 'tls'} cannot be used for certificates: Not a directory"
    )
