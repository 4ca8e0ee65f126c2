"""What a run imports of the SDKs, and that the rest is there for whoever asks for it."""

from __future__ import annotations

import subprocess
import sys


def run(program: str) -> str:
    """What a new interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def test_clients_are_opened_without_other_http_libraries() -> None:
    program = (
        "import sys\n"
        "import runner.remote.batch, runner.remote.blobs\n"
        "unwanted = ('requests', 'urllib3', 'aiohttp', 'azure.identity', 'urllib.request')\n"
        "print([name for name in unwanted if name in sys.modules])"
    )
    assert run(program) == "[]\n"


def test_the_sdk_finds_what_was_kept_from_it() -> None:
    program = (
        "import sys\n"
        "from runner.remote.storage_sdk import BlobServiceClient\n"
        "from azure.storage.blob._shared import authentication\n"
        "print(isinstance(object(), authentication.AioHttpTransport), 'aiohttp' in sys.modules)\n"
        "BlobServiceClient('https://a.blob.core.windows.net').close()\n"
        "print('requests' in sys.modules)\n"
        "from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport\n"
        "print(AioHttpTransport.__module__, RequestsTransport.__module__)\n"
    )
    assert run(program).splitlines() == [
        "False False",
        "True",
        "azure.core.pipeline.transport._aiohttp azure.core.pipeline.transport._requests_basic",
    ]
