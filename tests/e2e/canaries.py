"""Unique secrets, and a search for them over everything that was written, printed or run."""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

_SIGNATURE = re.compile(rb"(?i)\bsig(?:=|%3d)(?!REDACTED)[A-Za-z0-9%+/=_-]{16,}")
_HEADER = re.compile(rb"(?:SharedKey(?:Lite)? [\w-]+:|Bearer )(?!REDACTED)[A-Za-z0-9+/=._-]{16,}")
_SAMPLING_SECONDS = 0.05


def make_key() -> str:
    """The key of an account: 64 bytes in base64."""
    return base64.b64encode(secrets.token_bytes(64)).decode()


def make_secret() -> str:
    """A value with characters that JSON, URLs and shells write in other ways."""
    return f"canary/{secrets.token_hex(12)}+\"é'$x"


@dataclass
class Canaries:
    """Secrets by the channel that each goes through, and what was said and run meanwhile."""

    values: Mapping[str, str]
    said: list[tuple[str, bytes]] = field(default_factory=list)
    lines: set[bytes] = field(default_factory=set)
    """Command lines of all processes of this machine."""

    def say(self, what: str, *texts: str) -> None:
        """Keeps what was printed."""
        self.said += [(what, text.encode("utf-8", "surrogateescape")) for text in texts]

    @contextmanager
    def watching_processes(self) -> Iterator[None]:
        """Within it, command lines are looked at all the time (Linux only)."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(_SAMPLING_SECONDS):
                for entry in Path("/proc").glob("[0-9]*/cmdline"):
                    try:
                        self.lines.add(entry.read_bytes())
                    except OSError:
                        continue

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def find(self, *folders: Path) -> list[str]:
        """Where any secret is found, in any form: `channel in place`."""
        found = []
        for place, content in self._everything(folders, lambda path: True):
            found += [
                f"{channel} in {place}"
                for channel, value in self.values.items()
                if any(form in content for form in forms(value))
            ]
        return found

    def find_signatures(
        self, *folders: Path, may_read: Callable[[Path], bool] = lambda path: True
    ) -> list[str]:
        """Where any signature or token is found that is not said to be left out."""
        return [
            f"{match[0]!r} in {place}"
            for place, content in self._everything(folders, may_read)
            for pattern in (_SIGNATURE, _HEADER)
            for match in pattern.finditer(content)
        ]

    def _everything(
        self, folders: tuple[Path, ...], may_read: Callable[[Path], bool]
    ) -> Iterator[tuple[str, bytes]]:
        yield from self.said
        yield from (("a command line", line) for line in tuple(self.lines))
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                yield f"the name of {path}", str(path).encode("utf-8", "surrogateescape")
                if path.is_file() and not path.is_symlink() and may_read(path):
                    yield str(path), path.read_bytes()


def forms(value: str) -> set[bytes]:
    """A value as it is, and as it may be written in JSON, URLs, base64 and by `repr`."""
    plain = value.encode()
    quoted = {quote(value, safe=""), quote(value), quote_plus(value)}
    texts = {
        value,
        repr(value)[1:-1],
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        *quoted,
        *(re.sub("%..", lambda match: match[0].lower(), each) for each in quoted),
        base64.b64encode(plain).decode().rstrip("="),
        base64.urlsafe_b64encode(plain).decode().rstrip("="),
    }
    return {text.encode() for text in texts}
