"""Rules on resource and output files that a shape cannot say.

It must not know how files are moved.
"""

from __future__ import annotations

import re
from typing import Any

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.refusal import Reason, RefusedError, invalid_property

_MODE = re.compile(r"(0o)?[0-7]{1,5}")
_SOURCES = ("httpUrl", "storageContainerUrl", "autoStorageContainerName")


def check_files(command: Document) -> None:
    """Checks the files of a task or start task; raises `RefusedError`."""
    common = command.get("multiInstanceSettings", {}).get("commonResourceFiles", ())
    for resource in (*command.get("resourceFiles", ()), *common):
        _check_resource(resource)


def _check_resource(resource: dict[str, Any]) -> None:
    given = [name for name in _SOURCES if name in resource]
    if len(given) != 1:
        raise invalid_property(
            "resourceFiles",
            ", ".join(given),
            "Exactly one of httpUrl, storageContainerUrl and autoStorageContainerName is required",
        )
    mode = resource.get("fileMode")
    if mode is not None and _MODE.fullmatch(mode) is None:
        raise invalid_property("fileMode", mode, "The value is not an octal number")
    if given == ["httpUrl"] and not resource.get("filePath"):
        raise RefusedError(Reason.PROPERTY_MISSING, ("PropertyName", "filePath"))
    if given == ["httpUrl"] and "blobPrefix" in resource:
        raise invalid_property(
            "blobPrefix", resource["blobPrefix"], "blobPrefix needs a container as the source"
        )
