"""Connections over TLS against a server of raw bytes: whom they trust, straight and by a proxy."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.rest import HttpRequest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from runner.remote.connections.routes import Routes
from runner.remote.endurance import Patience
from runner.remote.transport import DirectTransport

END = b"\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
HOST = "batch.example"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of `batch.example` and its key, which nobody else has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


class TlsProxy:
    """A proxy that answers for whoever is asked for, by records as they are given."""

    def __init__(self, certificate: Path, records: Sequence[bytes]) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.asked: list[bytes] = []
        self.requests: list[bytes] = []
        self._records = records
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    def close(self) -> None:
        # `close` alone does not wake up who waits in `accept`.
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            try:
                self._answer(connection)
            except OSError:
                """The client has hung up."""
            finally:
                connection.close()

    def _answer(self, connection: socket.socket) -> None:
        self.asked.append(_read_head(connection))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with self._context.wrap_socket(connection, server_side=True) as secure:
            while request := _read_head(secure):
                self.requests.append(request)
                for record in self._records:
                    secure.sendall(record)


def _read_head(connection: socket.socket) -> bytes:
    data = b""
    while not data.endswith(END):
        piece = connection.recv(65_536)
        if not piece:
            return b""
        data += piece
    return data


@pytest.fixture
def proxy(certificate: Path, request: pytest.FixtureRequest) -> Iterator[TlsProxy]:
    proxy = TlsProxy(certificate, getattr(request, "param", (HEAD + b"ok",)))
    yield proxy
    proxy.close()


def open_by(proxy: TlsProxy, **environ: str) -> DirectTransport:
    given = {"HTTPS_PROXY": f"http://me:secret@127.0.0.1:{proxy.port}", **environ}
    return DirectTransport(Routes(given), Patience())


def test_a_server_behind_a_proxy_is_known_by_its_certificate(
    proxy: TlsProxy, certificate: Path
) -> None:
    with open_by(proxy, REQUESTS_CA_BUNDLE=str(certificate)) as transport:
        response = transport.send(HttpRequest("GET", f"https://{HOST}/a"))

    assert response.content == b"ok"
    assert proxy.asked[0].startswith(f"CONNECT {HOST}:443 HTTP/1.".encode())
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" in proxy.asked[0]
    assert b"Proxy-Authorization" not in proxy.requests[0]


@pytest.mark.parametrize(
    ("host", "trusted", "words"),
    [
        (HOST, False, "self-signed certificate"),
        ("other.example", True, "Hostname mismatch"),
    ],
)
def test_who_is_not_who_was_asked_for_is_told_nothing(
    proxy: TlsProxy, certificate: Path, host: str, trusted: bool, words: str
) -> None:
    environ = {"REQUESTS_CA_BUNDLE": str(certificate)} if trusted else {}

    with (
        open_by(proxy, **environ) as transport,
        pytest.raises(ServiceRequestError, match=words) as caught,
    ):
        transport.send(HttpRequest("GET", f"https://{host}/a", headers={"a": "b"}))

    assert "secret" not in caught.value.message
    assert not proxy.requests


@pytest.mark.parametrize("proxy", [(HEAD, b"ok" + HEAD + b"no")], indirect=True)
def test_what_nobody_asked_for_is_no_answer_to_what_is_asked_next(
    proxy: TlsProxy, certificate: Path
) -> None:
    """What came in the same record has left the system's buffers, which know nothing of it."""
    with open_by(proxy, REQUESTS_CA_BUNDLE=str(certificate)) as transport:
        for _ in range(2):
            response = transport.send(HttpRequest("GET", f"https://{HOST}/a"))
            assert response.content == b"ok"

    assert len(proxy.asked) == 2
