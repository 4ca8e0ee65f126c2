"""The small blob service, as storage that lies on the node's own machine."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from runner.emulator.batch.node.near import Incoming
from tests.unit.emulator.batch.node.blob_service import SIGNATURE, BlobService

T = TypeVar("T")


@dataclass(frozen=True)
class Stretch:
    path: str
    offset: int
    size_bytes: int


@dataclass(frozen=True)
class Held:
    stretches: tuple[Stretch, ...]
    size_bytes: int
    md5: bytes | None
    is_on_disk: bool
    release: Callable[[], None]


@dataclass
class NearBox:
    """Has the containers of the service, and leaves to HTTP all that goes wrong there.

    `log` is what was asked for and done; contents lie in files of `folder`, among other bytes.
    `refuses` are names of blobs that are not taken.
    """

    service: BlobService
    folder: Path
    log: list[str] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    held: int = 0
    begun: set[str] = field(default_factory=set)
    is_on_disk: bool = True
    """Whether contents need not be written out before they are given to a task."""
    can_write: bool = True
    spoils: bool = False
    """The contents that are held are other than they should be."""
    loses: bool = False
    """They are not there any more."""
    changes: Callable[[], object] = lambda: None
    """Called before contents are put at the end."""
    calls: int = 0
    """How often a thread has asked for something."""
    _names: count[int] = field(default_factory=count)

    def on_loop(self, work: Callable[[], T], /) -> T:
        self.calls += 1
        return work()

    def serves(self, url: str) -> bool:
        return url.startswith(f"{self.service.endpoint}/") and not self.service.faults

    def hold(self, url: str) -> Held | None:
        container, name = self._find(url) if self.serves(url) else (None, "")
        content = None if container is None else container.get(name)
        if content is None:
            return None
        self.log.append(f"hold {name}")
        middle = len(content) // 2
        parts = (content[:middle], content[middle:]) if middle % 2 else (content,)
        stretches = []
        for part in parts:
            path = self._path()
            if not self.loses:
                stored = bytes(255 - byte for byte in part) if self.spoils else part
                path.write_bytes(b"before" + stored + b"behind")
            stretches.append(Stretch(str(path), len(b"before"), len(part)))
        self.held += 1
        md5 = hashlib.md5(content).digest()
        return Held(tuple(stretches), len(content), md5, self.is_on_disk, self._release)

    def list_names(self, container_url: str, prefix: str) -> Sequence[str] | None:
        container, _ = self._find(container_url)
        if container is None:
            return None
        self.log.append(f"list {prefix}")
        return sorted(name for name in container if name.startswith(prefix))

    def begin(self, url: str, headers: Mapping[str, str], size_bytes: int) -> Incoming | None:
        container, name = self._find(url)
        if container is None or name in self.refuses:
            return None
        self.log.append(f"begin {name}")
        path = self._path()
        path.write_bytes(b"before")
        self.begun.add(str(path))
        return Incoming(
            path=str(path),
            offset=len(b"before"),
            commit=partial(self._commit, url, path),
            drop=partial(self.begun.remove, str(path)),
        )

    def put(self, url: str, headers: Mapping[str, str], content: bytes, md5: bytes) -> bool:
        container, name = self._find(url)
        if container is None or name in self.refuses:
            return False
        assert hashlib.md5(content).digest() == md5
        self.log.append(f"put {name}")
        digest = base64.b64encode(md5).decode()
        sent = {key.lower(): value for key, value in headers.items()}
        self.service.headers.append({**sent, "content-md5": digest})
        container[name] = content
        return True

    def write_out(self) -> bool:
        self.log.append("write out")
        return self.can_write

    def _commit(self, url: str, path: Path, md5: bytes) -> bool:
        self.begun.remove(str(path))
        return self.put(url, {}, path.read_bytes()[len(b"before") :], md5)

    def _find(self, url: str) -> tuple[dict[str, bytes] | None, str]:
        parts = urlsplit(url)
        signature = parse_qs(parts.query).get("sig", [""])[0]
        if not signature.startswith(SIGNATURE):
            return None, ""
        container, _, name = parts.path.removeprefix("/account/").partition("/")
        return self.service.containers.get(container), unquote(name)

    def _release(self) -> None:
        self.held -= 1

    def _path(self) -> Path:
        self.folder.mkdir(exist_ok=True)
        return self.folder / str(next(self._names))
