"""Sends and fetches the contents of blobs: Put Blob, Put Block, Put Block List, Get and List Blobs.

It must not know files. These five are what a run does by the thousand: azure-storage-blob spends
ten times as long on each of them as on sending it, so they go through azure-core alone, by a shared
access signature that is made once for a container (as AzCopy does it), or by the token of whoever
is signed in.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.core.pipeline import Pipeline, PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest

from runner import __version__
from runner.remote.connections.responses import Response
from runner.remote.connections.routes import read_origin
from runner.remote.retrying import PatientPolicy

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from runner.remote.transport import DirectTransport

Content = bytes | memoryview
Query = Callable[[str], str]
"""What the URLs of a container's blobs end with: its signature, or nothing."""

_SCOPE = "https://storage.azure.com/.default"
_CHALLENGE = re.compile(
    r'(?=.*\bauthorization_uri="?https?://[^/"\s]+/(?P<tenant>[^/"\s]+))'
    r'(?=.*\bresource_id="?(?P<resource>[^"\s,]+))'
)
_XML_FIELD = re.compile(r"<(Code|Message)>([^<]*)</")


class Contents:
    """Those of one account's blobs; may be used by several threads at once."""

    def __init__(
        self,
        endpoint: str,
        *,
        api_version: str,
        transport: DirectTransport,
        patience: PatientPolicy,
        access: Query | TokenCredential,
    ) -> None:
        """`access` signs for a container, or is who is signed in."""
        self._endpoint = endpoint
        self.is_near = read_origin(endpoint).is_loopback
        """Whether the service is on this machine."""
        self._fields = {"x-ms-version": api_version, "User-Agent": f"batch-run/{__version__}"}
        policies: list[Any] = [patience]
        self._query: Query = _no_query
        if callable(access):
            self._query = access
        else:
            policies.append(_Bearer(access, _SCOPE))
        self._pipeline: Pipeline[HttpRequest, Response] = Pipeline(transport, policies)

    def put(
        self, container: str, blob: str, content: Content, *, kind: str, md5: bytes
    ) -> bytes | None:
        """Makes a blob of its whole content, or replaces it; gives the MD5 that has arrived.

        None where the service does not say it.
        """
        fields = {"x-ms-blob-type": "BlockBlob", **_properties(kind, md5)}
        answer = self._send("PUT", self._url(container, blob), fields, content, 201)
        received = answer.headers.get("Content-MD5")
        return None if received is None else base64.b64decode(received)

    def put_as_read(
        self, container: str, blob: str, content: Iterable[memoryview], size: int, *, kind: str
    ) -> bytes | None:
        """As `put`, of a content that is iterated for each try and whose MD5 is not known before.

        The blob has the MD5 of what has arrived.
        """
        fields = {
            "x-ms-blob-type": "BlockBlob",
            "x-ms-blob-content-type": kind,
            "Content-Length": str(size),
        }
        answer = self._send("PUT", self._url(container, blob), fields, content, 201)
        received = answer.headers.get("Content-MD5")
        return None if received is None else base64.b64decode(received)

    def put_block(
        self, container: str, blob: str, block: str, content: Content, *, md5: bytes
    ) -> None:
        """Brings one block up, which the service compares with its MD5."""
        url = self._url(container, blob, f"comp=block&blockid={quote(block, safe='')}")
        self._send("PUT", url, {"Content-MD5": _base64(md5)}, content, 201)

    def put_block_list(
        self, container: str, blob: str, blocks: Sequence[str], *, kind: str, md5: bytes
    ) -> None:
        """Makes a blob of blocks, or replaces it."""
        listed = "".join(f"<Latest>{block}</Latest>" for block in blocks)
        body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{listed}</BlockList>'.encode()
        fields = {"Content-Type": "application/xml", **_properties(kind, md5)}
        self._send("PUT", self._url(container, blob, "comp=blocklist"), fields, body, 201)

    def get(
        self, container: str, blob: str, start: int, length: int, etag: str | None = None
    ) -> Response:
        """Opens a piece of a blob, of the version `etag` where one is given; close it."""
        fields = {"x-ms-range": f"bytes={start}-{start + length - 1}"}
        if etag is not None:
            fields["If-Match"] = etag
        return self._send("GET", self._url(container, blob), fields, None, 206, stream=True)

    def list(self, container: str, prefix: str, marker: str) -> bytes:
        """A page of the blobs whose names start with `prefix`, as XML; the first has no marker."""
        query = "restype=container&comp=list&include=metadata"
        for name, value in (("prefix", prefix), ("marker", marker)):
            if value:
                query += f"&{name}={quote(value, safe='')}"
        url = f"{self._endpoint}/{container}{self._parameters(container, query)}"
        return self._send("GET", url, {}, None, 200).read()

    def _url(self, container: str, blob: str, query: str = "") -> str:
        parameters = self._parameters(container, query)
        return f"{self._endpoint}/{container}/{quote(blob, safe='/~')}{parameters}"

    def _parameters(self, container: str, query: str) -> str:
        whole = "&".join(filter(None, (query, self._query(container))))
        return f"?{whole}" if whole else ""

    def _send(
        self,
        method: str,
        url: str,
        fields: Mapping[str, str],
        content: Content | Iterable[memoryview] | None,
        expected: int,
        **options: Any,
    ) -> Response:
        headers = {**self._fields, **fields}
        if isinstance(content, (bytes, memoryview)):
            # azure-core takes views for what is sent in pieces, and then has no length for them.
            headers["Content-Length"] = str(len(content))
        request = HttpRequest(method, url, headers=headers, content=content)  # type: ignore[arg-type]
        response = self._pipeline.run(request, **options).http_response
        if response.status_code != expected:
            with response:
                raise _refusal(response)
        return response


class _Bearer(BearerTokenCredentialPolicy[Any, Any]):
    """A token on every request, for the tenant that the account says it is of."""

    def on_challenge(
        self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]
    ) -> bool:
        """Whether a request is worth another try, with a token as the service asks for it."""
        asked = response.http_response.headers.get("WWW-Authenticate") or ""
        challenge = _CHALLENGE.search(asked)
        if challenge is None:
            return False
        self.authorize_request(
            request, f"{challenge['resource'].rstrip('/')}/.default", tenant_id=challenge["tenant"]
        )
        return True


def _refusal(response: Response) -> HttpResponseError:
    """What azure-storage-blob would raise, with the service's code and words."""
    found = dict(_XML_FIELD.findall(response.read().decode("utf-8", "replace")))
    code = response.headers.get("x-ms-error-code") or found.get("Code")
    kinds: dict[int, type[HttpResponseError]] = {
        401: ClientAuthenticationError,
        404: ResourceNotFoundError,
        409: ResourceExistsError,
    }
    kind = kinds.get(response.status_code, HttpResponseError)
    error = kind(message=found.get("Message", ""), response=response)
    error.error_code = code  # type: ignore[attr-defined]
    return error


def _properties(kind: str, md5: bytes) -> dict[str, str]:
    return {"x-ms-blob-content-type": kind, "x-ms-blob-content-md5": _base64(md5)}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _no_query(_container: str) -> str:
    return ""
