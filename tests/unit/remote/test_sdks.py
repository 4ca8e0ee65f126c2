"""The SDKs come without the libraries that they do not use for us."""

from __future__ import annotations

import subprocess
import sys

import pytest


def output_of(program: str) -> str:
    """What a Python of its own prints."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout


def test_no_asynchronous_transport_is_loaded() -> None:
    program = (
        "import sys\n"
        "from runner.remote.sdks import import_sdks\n"
        "import_sdks()\n"
        "print([name for name in ('aiohttp', 'yarl', 'azure.identity') if name in sys.modules])\n"
        "print('azure.batch' in sys.modules, 'azure.storage.blob' in sys.modules)\n"
    )
    assert output_of(program) == "[]\nTrue True\n"


def test_whoever_wants_it_afterwards_gets_it() -> None:
    pytest.importorskip("aiohttp")
    program = (
        "from runner.remote.sdks import import_sdks\n"
        "import_sdks()\n"
        "import aiohttp\n"
        "from azure.core.pipeline.transport import AioHttpTransport\n"
        "from azure.storage.blob.aio import BlobServiceClient\n"
        "print(aiohttp.__name__, AioHttpTransport.__name__, BlobServiceClient.__name__)\n"
        "import_sdks()\n"
        "print(aiohttp.ClientSession.__name__)\n"
    )
    assert output_of(program) == "aiohttp AioHttpTransport BlobServiceClient\nClientSession\n"
