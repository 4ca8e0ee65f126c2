"""A run without any key: signed in to Entra ID, over TLS, with signatures by user delegation."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.canaries import Canaries
from tests.e2e.conftest import COMMAND, User
from tests.fakes.tokens import make_token

SPEC = """\
version: 1
name: signed-in
containers:
  input: {upload: [{from: words}]}
  output: {download: true}
pool: {image: {publisher: debian, offer: debian-12, sku: "12"}, vm_size: a, nodes: {dedicated: 1}}
task:
  for_each: input
  command: tr a-z A-Z < {{ file.path }} > {{ file.stem }}.upper
  outputs: [{pattern: "{{ file.stem }}.upper", to: output}]
"""


class ManagedIdentity(BaseHTTPRequestHandler):
    """The endpoint of a managed identity, as App Service gives one to what it runs."""

    def do_GET(self) -> None:
        (resource,) = parse_qs(urlsplit(self.path).query)["resource"]
        if self.headers["X-IDENTITY-HEADER"] != "secret":
            self.send_error(403)
            return
        body = json.dumps(
            {
                "access_token": make_token(resource),
                "expires_on": str(int(time.time()) + 3600),
                "resource": resource,
                "token_type": "Bearer",
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing: the test says what it saw."""


@contextmanager
def identity() -> Iterator[Mapping[str, str]]:
    """A managed identity, and the variables that lead to it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), ManagedIdentity) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield {
                "IDENTITY_ENDPOINT": f"http://127.0.0.1:{server.server_port}/token",
                "IDENTITY_HEADER": "secret",
            }
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def signed_in(user: User) -> Iterator[User]:
    """A user who has no key, and an emulator over TLS."""
    with (
        identity() as who,
        subprocess.Popen(
            [COMMAND, "emulator", "--json", "--tls", "--until-stdin-closes"],
            env=user.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            yield user.with_environ(
                AZURE_BATCH_ENDPOINT=ready["batch"]["endpoint"],
                AZURE_BATCH_ACCOUNT=ready["batch"]["account"],
                AZURE_STORAGE_ACCOUNT=ready["storage"]["account"],
                AZURE_STORAGE_BLOB_ENDPOINT=ready["storage"]["blob_endpoint"],
                REQUESTS_CA_BUNDLE=ready["tls"]["ca_bundle"],
                **who,
            )
        finally:
            process.terminate()
            process.wait(timeout=20)


def test_a_run_without_keys(signed_in: User) -> None:
    signed_in.write("signed-in.yaml", SPEC)
    for name in ("one", "two"):
        signed_in.write(f"words/{name}.txt", name)

    # How each token begins: none is ever printed or written.
    canaries = Canaries({"token": make_token("").partition(".")[0]})
    with canaries.watching_processes():
        done = signed_in.with_environ(AZURE_LOG_LEVEL="DEBUG").run("signed-in.yaml", "--json")

    assert done.returncode == 0, done.stderr
    canaries.say("a run without keys", done.stdout, done.stderr)
    assert canaries.find(signed_in.folder) == []
    assert canaries.find_signatures(signed_in.folder) == []
    results = signed_in.folder / "results" / "signed-in" / "output"
    found = {path.name: path.read_text() for path in results.rglob("*") if path.is_file()}
    assert found == {"one.upper": "ONE", "two.upper": "TWO"}


def test_a_certificate_that_nobody_vouches_for_is_said(signed_in: User) -> None:
    signed_in.write("signed-in.yaml", SPEC)
    signed_in.write("words/one.txt", "one")
    environ = {k: v for k, v in signed_in.environ.items() if k != "REQUESTS_CA_BUNDLE"}

    done = User(signed_in.folder, environ).run("signed-in.yaml")

    assert done.returncode == 3
    assert "certificate" in done.stderr
