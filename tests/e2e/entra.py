"""Somebody who is signed in to Entra ID and has no keys, with an emulator that takes tokens."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.e2e.conftest import COMMAND, User
from tests.fakes.tokens import make_token


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


@contextmanager
def sign_in(user: User) -> Iterator[User]:
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
            process.wait(timeout=60)
