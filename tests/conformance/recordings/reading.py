"""Reads the recorded requests and answers of the real service.

It must not know how they are replayed or compared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PATH = Path(__file__).resolve().parents[4] / "shared" / "azure-batch" / "recordings.jsonl"
"""They are beside the project, and no part of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer; names of headers are in lower case."""

    source: str
    number: int
    method: str
    endpoint: str
    path: str
    query: str
    request_headers: Mapping[str, str]
    request_body: bytes
    status: int
    headers: Mapping[str, str]
    body: Any
    """The JSON of the answer; None where it has none."""

    @property
    def date(self) -> datetime:
        """When the service answered."""
        return parsedate_to_datetime(self.headers["date"])

    @property
    def account(self) -> str:
        """The account that was asked."""
        return urlsplit(self.endpoint).netloc.split(".")[0]


@dataclass(frozen=True, slots=True)
class Recording:
    """What one client asked, in order."""

    source: str
    exchanges: tuple[Exchange, ...]


def read_recordings(path: Path = PATH) -> tuple[Recording, ...]:
    """All recordings; they stand one after the other in the file."""
    with path.open(encoding="utf-8") as lines:
        exchanges = [_read(json.loads(line)) for line in lines]
    return tuple(
        Recording(source, tuple(group))
        for source, group in groupby(exchanges, key=lambda exchange: exchange.source)
    )


def _read(row: Mapping[str, Any]) -> Exchange:
    url = urlsplit(row["uri"])
    body = row["body"]
    return Exchange(
        source=row["src"],
        number=row["i"],
        method=row["method"],
        endpoint=f"{url.scheme}://{url.netloc}",
        path=url.path,
        query=url.query,
        request_headers={name.lower(): value for name, value in row["req_headers"].items()},
        request_body=(row["req_body"] or "").encode("utf-8"),
        status=row["status"],
        headers={name.lower(): value for name, value in row["headers"].items()},
        body=json.loads(body) if body and body.strip().startswith("{") else None,
    )
