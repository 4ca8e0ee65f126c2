"""Lists the blobs of a container, past the SDK but through azure-core.

It must not know what is listed for. azure-storage-blob (12.31) makes a model of all that the
service says of a blob, which takes five times as long as to read what is wanted of it, and has the
threads that transfer blobs meanwhile wait for the interpreter.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from azure.core.exceptions import DecodeError

from runner.plan.model import StoredBlob

if TYPE_CHECKING:
    from runner.remote.contents import Contents

# What Data Lake Storage, and those who imitate it, put on a blob that stands for a folder.
_FOLDER_MARK = "Metadata/hdi_isfolder"


def list_blobs(contents: Contents, container: str, prefix: str) -> Iterator[StoredBlob]:
    """All blobs whose names start with `prefix`, in order; those that are folders left out.

    Raises `DecodeError` where the answer is no list of blobs, and what `contents` raise.
    """
    marker = ""
    while True:
        page = contents.list(container, prefix, marker)
        try:
            blobs, marker = _read_page(page)
        except (ET.ParseError, ValueError) as error:
            raise DecodeError(f"the answer is no list of blobs: {error}", error=error) from error
        yield from blobs
        if not marker:
            return


def _read_page(page: bytes) -> tuple[list[StoredBlob], str]:
    """The blobs of an answer, and the marker of the next; `ValueError` where it is another."""
    root = ET.fromstring(page)  # noqa: S314 - of the service that we are signed in to
    if root.tag != "EnumerationResults":
        raise ValueError(f"it is `{root.tag}`")
    # Those of the list itself: metadata may have the same names.
    found = map(_read_blob, root.iterfind("Blobs/Blob"))
    return [blob for blob in found if blob is not None], root.findtext("NextMarker") or ""


def _read_blob(blob: ET.Element) -> StoredBlob | None:
    """What is said of a blob (REST, List Blobs); None where it stands for a folder."""
    name, properties = blob.find("Name"), blob.find("Properties")
    if name is None or properties is None:
        raise ValueError("a blob without name or properties")
    if blob.findtext(_FOLDER_MARK) == "true":
        return None
    text = name.text or ""
    md5, modified = properties.findtext("Content-MD5"), properties.findtext("Last-Modified")
    return StoredBlob(
        # Encoded is what XML cannot hold.
        name=unquote(text) if name.get("Encoded") == "true" else text,
        size_bytes=int(properties.findtext("Content-Length") or ""),
        md5=base64.b64decode(md5) if md5 else None,
        modified=_read_time(modified) if modified else None,
    )


# Many blobs are of the same second.
@lru_cache(256)
def _read_time(text: str) -> datetime:
    return parsedate_to_datetime(text)
