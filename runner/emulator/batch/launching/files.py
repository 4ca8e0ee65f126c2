"""Resource and output files of a document, as a node is given them.

It must not know how they are moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.launching.place import Place
from runner.emulator.batch.node.launch import OutputFile, ResourceFile, UploadCondition


def resource_files(
    place: Place, command: Document, name: str = "resourceFiles"
) -> tuple[ResourceFile, ...]:
    """The files to fetch; a container of the auto-storage account by its signed URL."""
    return tuple(_resource_file(place, entry) for entry in command.get(name, ()))


def _resource_file(place: Place, entry: Mapping[str, Any]) -> ResourceFile:
    container_url = _by_identity(place, entry, entry.get("storageContainerUrl"))
    container = entry.get("autoStorageContainerName")
    if container is not None and place.auto_storage is not None:
        container_url = place.auto_storage(container)
    return ResourceFile(
        http_url=_by_identity(place, entry, entry.get("httpUrl")),
        storage_container_url=container_url,
        blob_prefix=entry.get("blobPrefix"),
        file_path=entry.get("filePath"),
        file_mode=entry.get("fileMode"),
    )


def _by_identity(place: Place, entry: Mapping[str, Any], url: str | None) -> str | None:
    """The URL as the managed identity opens it that the entry refers to, if it does."""
    if url is None or "identityReference" not in entry or place.identity is None:
        return url
    return place.identity(url)


def output_files(place: Place, command: Document) -> tuple[OutputFile, ...]:
    """The files to send."""
    return tuple(_output_file(place, entry) for entry in command.get("outputFiles", ()))


def _output_file(place: Place, entry: Mapping[str, Any]) -> OutputFile:
    container = entry["destination"]["container"]
    condition = entry["uploadOptions"]["uploadCondition"]
    return OutputFile(
        file_pattern=entry["filePattern"],
        container_url=_by_identity(place, container, container["containerUrl"])
        or container["containerUrl"],
        path=container.get("path"),
        condition=_CONDITIONS[condition.lower()],
        headers=tuple(
            (header["name"], header.get("value", ""))
            for header in container.get("uploadHeaders", ())
        ),
    )


_CONDITIONS = {condition.value: condition for condition in UploadCondition}
