"""Gives the tests a service of canned answers, and time that passes at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from runner.remote.batch import RemoteBatch
from tests.unit.remote.clients import open_batch
from tests.unit.remote.stub import Pauses, Stub


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A service of canned answers."""
    running = Stub()
    thread = threading.Thread(target=running.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.server.shutdown()
    thread.join()
    running.server.server_close()


@pytest.fixture
def pauses() -> Pauses:
    """No pause has been asked for yet."""
    return Pauses()


@pytest.fixture
def batch(stub: Stub, pauses: Pauses) -> Iterator[RemoteBatch]:
    """A client of the stub."""
    opened = open_batch(stub.endpoint, pauses)
    yield opened
    opened.close()
