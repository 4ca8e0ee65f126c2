"""The main path through the asynchronous SDK."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient

from tests.conformance.endpoints import Emulator


def test_a_blob_lives(emulator: Emulator) -> None:
    async def live() -> None:
        name = f"test-{uuid4().hex}"
        async with BlobServiceClient.from_connection_string(emulator.connection_string) as service:
            container = await service.create_container(name)
            content = bytes(range(256)) * 2_000
            blob = container.get_blob_client("b")
            await blob.upload_blob(content, max_concurrency=4, metadata={"a": "1"})
            lease = await blob.acquire_lease()
            snapshot = await blob.create_snapshot()
            copy = container.get_blob_client("copy")
            await copy.start_copy_from_url(blob.url)
            read = await (await copy.download_blob(max_concurrency=4)).readall()
            names = [item.name async for item in container.list_blobs(include=["snapshots"])]
            await blob.delete_blob(lease=lease, delete_snapshots="include")
            await container.delete_blobs("copy")
            assert snapshot["snapshot"]
            assert read == content
            assert names == ["b", "b", "copy"]
            with pytest.raises(ResourceNotFoundError):
                await blob.get_blob_properties()
            await service.delete_container(name)

    asyncio.run(live())
