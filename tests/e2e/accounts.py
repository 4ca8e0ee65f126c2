"""The two accounts of an emulator, looked at through the Azure SDKs: what is really there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import BlobServiceClient

from tests.e2e.conftest import Emulator


@dataclass(frozen=True)
class Accounts:
    """Both services, by the clients that anybody would use."""

    batch: BatchClient
    storage: BlobServiceClient

    def containers(self) -> list[str]:
        """The names of all containers."""
        return [container.name for container in self.storage.list_containers()]

    def make_container(self, name: str, blobs: dict[str, bytes]) -> None:
        """A container that was there before any run."""
        container = self.storage.create_container(name)
        for blob, content in blobs.items():
            container.upload_blob(blob, content)

    def blobs(self, container: str) -> dict[str, bytes]:
        """The content of a container."""
        client = self.storage.get_container_client(container)
        return {
            blob.name: client.download_blob(blob.name).readall() for blob in client.list_blobs()
        }

    def etags(self, container: str) -> dict[str, str]:
        """What changes with each writing of a blob."""
        client = self.storage.get_container_client(container)
        return {blob.name: blob.etag for blob in client.list_blobs()}

    def pools(self) -> list[str]:
        """The ids of all pools."""
        return [pool.id for pool in self.batch.list_pools()]

    def jobs(self) -> list[str]:
        """The ids of all jobs."""
        return [job.id for job in self.batch.list_jobs()]

    def nodes(self, pool: str) -> dict[str, datetime | None]:
        """The nodes of a pool by id, and when the start task of each last began."""
        return {
            node.id: node.start_task_info.start_time if node.start_task_info else None
            for node in self.batch.list_nodes(pool)
        }


@contextmanager
def open_accounts(emulator: Emulator) -> Iterator[Accounts]:
    """The accounts of an emulator that runs."""
    credential = AzureNamedKeyCredential(emulator.batch["account"], emulator.batch["key"])
    with (
        BatchClient(emulator.batch["endpoint"], credential) as batch,
        BlobServiceClient.from_connection_string(emulator.storage["connection_string"]) as storage,
    ):
        yield Accounts(batch=batch, storage=storage)
