"""Blobs for those parts of the emulator that share its disk: read and written without HTTP.

What a URL and headers may do is decided as for a request of the same; only the content goes another
way. It must not know who asks, nor of what passes by on HTTP: faults and records of requests.
"""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit

from runner.emulator.blob.admitted import Admitted
from runner.emulator.blob.core.containers import find_container
from runner.emulator.blob.core.listing import end_of_prefix
from runner.emulator.blob.core.records import ContentId, Segment
from runner.emulator.blob.operations.blobs import (
    Putting,
    begin_like,
    begin_put,
    complete_put,
    find_readable,
)
from runner.emulator.blob.operations.blocks import Staging, begin_block, finish_block
from runner.emulator.blob.operations.call import Call
from runner.emulator.blob.service import BlobService
from runner.emulator.server.accounts import Kind
from runner.emulator.server.addresses import HostError, find_address
from runner.emulator.server.http import Request
from runner.emulator.storage.record import record

VERSION = "2021-08-06"
"""The version of the API that is asked, where the headers name none."""

_URL = re.compile(r"(https?)://([^/?#]*)([^?#]*)(?:\?([^#]*))?", re.IGNORECASE)
_METADATA = "x-ms-meta-"
# What no request line holds, and how clients encode it.
_NOT_ON_WIRE = re.compile(r"[^\x21-\x7e]")
_SAFE = "%/:?@!$&'()*+,;=~[]|^`{}\"<>\\"
_NO_HEADERS: Mapping[str, str] = {}


class Stretch(NamedTuple):
    """So many bytes of a file from an offset on; the rest of it is of others, and never written."""

    path: str
    offset: int
    size_bytes: int


class Held(NamedTuple):
    """A content that stays as it is, whatever becomes of its blob, until `release` is called."""

    stretches: tuple[Stretch, ...]
    """Where it lies, in its order."""
    size_bytes: int
    md5: bytes | None
    """The digest that is stored with the blob, which "Get Blob" gives as `Content-MD5`."""
    is_on_disk: bool
    """Whether the blob was there before the last few changes, so that it stays there."""
    release: Callable[[], None]
    """To be called once, on the loop."""


@record(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A content that may be put; it is to be written to `path` from `offset` on.

    What else is in that file is of others; it is made with mode 600 if it is not there yet. The
    content is written whole before `commit`; of one that does not come `drop` is told. For no bytes
    nothing is to be written.
    """

    path: str
    offset: int
    size_bytes: int
    content: ContentId
    call: Call
    work: Putting | Staging


class _Located(NamedTuple):
    """What a URL is of, and from which address one would come who follows it."""

    service: BlobService
    authority: str
    path: str
    query: str
    resource: str
    client: str


class Direct:
    """The storage accounts of this emulator; nothing waits.

    All but `serves` is to be called on the loop. What begins something gives None where only HTTP
    will do: the URL is of another server, or what it and the headers ask for is another operation.
    Otherwise it raises `RefusedError`, whose `refusal` has the status and the code that HTTP would
    have answered. What was changed, or is read and not `is_on_disk`, will be after `write_out`:
    nobody is to be told of it before.
    """

    def __init__(
        self,
        services: Mapping[str, BlobService],
        *,
        origin: str,
        former_ports: Iterable[int] = (),
    ) -> None:
        """`services` by their accounts' names; `origin` is the scheme, host and port served at.

        URLs that name one of the `former_ports` are good too.
        """
        own = urlsplit(origin)
        self._services = services
        self._scheme = own.scheme
        self._host = own.hostname
        self._ports = frozenset((own.port, *former_ports))
        # Of each there are few, however many blobs there are.
        self._find_client = lru_cache(64)(self._look_for_client)
        self._parse_query = lru_cache(256)(_parse_query)
        self._serves = lru_cache(256)(self._is_own)
        self._admitted = Admitted()

    def serves(self, url: str) -> bool:
        """Whether the URL is of one of the accounts; from any thread."""
        return self._serves(url)

    def _is_own(self, url: str) -> bool:
        return self._locate(url) is not None

    def hold(self, url: str) -> Held | None:
        """The content of the blob at `url`, as "Get Blob" without headers would give it."""
        again = self._admitted.again("GET", url, _NO_HEADERS)
        call = self._admit("GET", url, _NO_HEADERS, ("Get Blob",)) if again is None else again.call
        if call is None:
            return None
        blob = find_readable(call)
        if again is None:
            self._note("GET", url, _NO_HEADERS, call)
        contents = call.state.contents
        contents.hold(blob.segments)

        def release() -> None:
            contents.release(segment.content for segment in blob.segments)

        return Held(
            stretches=tuple(
                Stretch(*contents.place_of(s.content), s.size_bytes) for s in blob.segments
            ),
            size_bytes=blob.size_bytes,
            md5=blob.headers.content_md5,
            is_on_disk=call.state.catalogue.is_on_disk(blob),
            release=release,
        )

    def list_names(self, container_url: str, prefix: str) -> tuple[str, ...] | None:
        """The names of all blobs that begin with `prefix`, in order, as "List Blobs" gives them."""
        joint = "&" if "?" in container_url else "?"
        url = f"{container_url}{joint}restype=container&comp=list"
        call = self._admit("GET", url, {}, ("List Blobs",))
        if call is None:
            return None
        find_container(call.state, call.target.container)
        names = call.state.catalogue.blob_names(call.target.container)
        first = bisect_left(names, prefix)
        return tuple(names[first : end_of_prefix(names, prefix, first)])

    def begin(self, url: str, headers: Mapping[str, str], size_bytes: int) -> Incoming | None:
        """Whether a content may be put as a block blob, or as a block where the query says so.

        `headers` are those of a request that sends it; the size, the type of the blob and the
        version are added where they are missing.
        """
        begun = self._begin(url, headers, size_bytes)
        if begun is None:
            return None
        call, work = begun
        contents = call.state.contents
        content = contents.reserve(size_bytes)
        path, offset = contents.place_of(content)
        return Incoming(
            path=path,
            offset=offset,
            size_bytes=size_bytes,
            content=content,
            call=call,
            work=work,
        )

    def commit(self, incoming: Incoming, md5: bytes) -> None:
        """The content is written, and has that MD5: makes it the blob's, or the block's.

        Where that is refused, the content is gone.
        """
        call, size_bytes = incoming.call, incoming.size_bytes
        segments: tuple[Segment, ...] = ()
        if not size_bytes:
            call.state.contents.discard(incoming.content)
        else:
            call.state.contents.take(incoming.content)
            segments = (Segment(content=incoming.content, size_bytes=size_bytes),)
        _finish(call, incoming.work, segments, md5, waited=True)

    def put(self, url: str, headers: Mapping[str, str], content: bytes, md5: bytes) -> bool:
        """`begin` and `commit` of a content of at most `SMALL_BYTES`, and its MD5; False for None.

        Raises `OSError` where it cannot be written.
        """
        again = self._admitted.again("PUT", url, headers)
        work: Putting | Staging
        if again is not None and again.putting is not None:
            call, work = again.call, begin_like(again.call, again.putting, len(content))
        else:
            begun = self._begin(url, headers, len(content))
            if begun is None:
                return False
            call, work = begun
            if isinstance(work, Putting):
                self._note("PUT", url, headers, call, work)
        segments: tuple[Segment, ...] = ()
        if content:
            received = call.state.contents.write(content, md5)
            segments = (Segment(content=received.content, size_bytes=received.size_bytes),)
        _finish(call, work, segments, md5, waited=False)
        return True

    def drop(self, incoming: Incoming) -> None:
        """The content will not come; removes what there is of it."""
        incoming.call.state.contents.discard(incoming.content)

    def write_out(self) -> bool:
        """Writes all that was read or changed; whether it is on disk. It is tried again if not."""
        written = [service.commit() for service in self._services.values()]
        return all(written)

    def _begin(
        self, url: str, headers: Mapping[str, str], size_bytes: int
    ) -> tuple[Call, Putting | Staging] | None:
        given = {"content-length": str(size_bytes), "x-ms-blob-type": "BlockBlob", **headers}
        call = self._admit("PUT", url, given, ("Put Blob", "Put Block"))
        if call is None:
            return None
        return call, begin_block(call) if call.query.get("comp") else begin_put(call)

    def _note(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        call: Call,
        putting: Putting | None = None,
    ) -> None:
        located = self._locate(url)
        if located is not None:
            service = located.service
            self._admitted.note(method, url, headers, service=service, call=call, putting=putting)

    def _admit(
        self, method: str, url: str, headers: Mapping[str, str], operations: tuple[str, ...]
    ) -> Call | None:
        located = self._locate(url)
        if located is None:
            return None
        request = Request(
            method=method,
            raw_path=located.path,
            raw_query=located.query,
            query=self._parse_query(located.query),
            headers={
                "host": located.authority,
                "x-ms-version": VERSION,
                **{name.lower(): value for name, value in headers.items()},
            },
            scheme=self._scheme,
            client_address=located.client,
            body=_no_content(),
            spelling={n.lower(): n for n in headers if n.lower().startswith(_METADATA)},
        )
        name, call = located.service.admit(request, located.resource)
        return call if name in operations else None

    def _locate(self, url: str) -> _Located | None:
        if _NOT_ON_WIRE.search(url):
            url = quote(url, safe=_SAFE)
        match = _URL.fullmatch(url.partition("#")[0])
        if match is None:
            return None
        scheme, authority, path, query = match.groups("")
        client = self._find_client(scheme.lower(), authority)
        if client is None:
            return None
        address = find_address(self._scheme, authority, path)
        service = self._services.get(address.account)
        if service is None:
            return None
        return _Located(service, authority, path, query, address.resource, client)

    def _look_for_client(self, scheme: str, authority: str) -> str | None:
        """From which address one would come who follows such a URL; None: not to this emulator."""
        try:
            parts = urlsplit(f"//{authority}")
            address = find_address(scheme, authority, "/")
            is_own_port = parts.port in self._ports
        except (HostError, ValueError):
            return None
        host = parts.hostname
        own = address.kind is Kind.BLOB or host in (self._host, "localhost")
        if scheme != self._scheme or not is_own_port or not own:
            return None
        # A machine that talks to itself does so from the address that it talks to.
        return host if host is not None and _is_address(host) else "127.0.0.1"


def _finish(
    call: Call,
    work: Putting | Staging,
    segments: tuple[Segment, ...],
    md5: bytes,
    *,
    waited: bool,
) -> None:
    if isinstance(work, Putting):
        complete_put(call, work, segments, md5, waited=waited)
    else:
        finish_block(call, work, segments, md5)


def _parse_query(query: str) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(query, keep_blank_values=True))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _no_content() -> AsyncIterator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for piece in nothing:
        yield piece
