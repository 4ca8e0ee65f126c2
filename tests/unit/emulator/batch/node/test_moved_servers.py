"""Servers that are elsewhere than a URL says."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from runner.emulator.batch.node.connections import Connections, Request, TransferPolicy
from runner.emulator.batch.node.interruption import Interruption


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base names it
        """Says nothing."""


def test_a_server_that_has_moved_is_asked_where_it_is() -> None:
    with HTTPServer(("127.0.0.1", 0), _Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = ("http", "127.0.0.1", server.server_port)
        # Nobody listens on port 1.
        policy = TransferPolicy(retry_delays_seconds=(), moves={("http", "127.0.0.1", 1): here})
        connections = Connections(policy)
        request = Request(method="GET", url="http://127.0.0.1:1/account/blob?sig=x%2F")
        with connections.exchange(request, Interruption()) as reply:
            assert b"".join(reply.pieces()) == b"/account/blob?sig=x%2F"
        connections.close()
        server.shutdown()
