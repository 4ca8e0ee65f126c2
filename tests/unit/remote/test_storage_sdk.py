"""What a run imports of the SDKs, and that the rest is there for whoever asks for it."""

from __future__ import annotations

import subprocess
import sys

import pytest


def run(program: str, *arguments: str) -> str:
    """What a new interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def test_clients_are_opened_without_other_http_libraries() -> None:
    program = (
        "import sys\n"
        "import runner.remote.batch, runner.remote.blobs\n"
        "unwanted = ('requests', 'urllib3', 'aiohttp', 'yarl', 'msal', 'urllib.request',"
        " 'cryptography', 'asyncio')\n"
        "print([name for name in unwanted if name in sys.modules])"
    )
    assert run(program) == "[]\n"


def test_whoever_wants_the_others_gets_them() -> None:
    program = (
        "import sys\n"
        "from runner.remote.storage_sdk import BlobServiceClient\n"
        "from azure.storage.blob._shared import authentication as seen\n"
        "print(isinstance(object(), seen.AioHttpTransport), 'aiohttp' in sys.modules)\n"
        "BlobServiceClient('https://a.blob.core.windows.net').close()\n"
        "print('requests' in sys.modules)\n"
        "from azure.core.pipeline import transport\n"
        "print(transport.AioHttpTransport.__module__, transport.RequestsTransport.__module__)\n"
        "opened = transport.AioHttpTransport()\n"
        "print(isinstance(opened, seen.AioHttpTransport), isinstance(1, seen.AioHttpTransport))\n"
        "print(seen.URL('/a b'), seen.URL('/a b').__class__.__module__)\n"
        "import asyncio\n"
        "from azure.storage.blob._shared import uploads_async\n"
        "print(asyncio is not uploads_async.asyncio, uploads_async.asyncio.wait is asyncio.wait)\n"
        "from azure.storage.blob.aio import BlobServiceClient\n"
        "print(BlobServiceClient.__module__)\n"
    )
    pytest.importorskip("aiohttp")
    assert run(program).splitlines() == [
        "False False",
        "True",
        "azure.core.pipeline.transport._aiohttp azure.core.pipeline.transport._requests_basic",
        "True False",
        "/a%20b yarl",
        "True True",
        "azure.storage.blob.aio._blob_service_client_async",
    ]


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_whoever_encrypts_blobs_here_does_so(version: str) -> None:
    program = (
        "import sys\n"
        "from io import BytesIO\n"
        "from runner.remote.storage_sdk import BlobServiceClient\n"
        "print('cryptography' in sys.modules)\n"
        "from azure.storage.blob import _encryption as seen\n"
        "if sys.argv[1] == '1.0':\n"
        "    cipher = seen._generate_AES_CBC_cipher(bytes(32), bytes(16))\n"
        "    padder = seen.PKCS7(128).padder()\n"
        "    text = padder.update(b'hello') + padder.finalize()\n"
        "    sealed = cipher.encryptor().update(text)\n"
        "    print(len(sealed), cipher.decryptor().update(sealed)[:5])\n"
        "else:\n"
        "    sealed = seen.AESGCM(bytes(32)).encrypt(bytes(12), b'hello', None)\n"
        "    print(len(sealed), seen.AESGCM(bytes(32)).decrypt(bytes(12), sealed, None))\n"
        "from cryptography.hazmat.primitives.ciphers import Cipher\n"
        "print(isinstance(Cipher, type))\n"
    )
    expected = {"1.0": "16 b'hello'", "2.0": "21 b'hello'"}
    assert run(program, version).splitlines() == ["False", expected[version], "True"]
