"""Exchanges that a client in another process wrote down, one line of JSON each.

It must not know which client that was.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conformance.openapi.exchange import Exchange, exchange
from tests.conformance.openapi.judging import Judge
from tests.conformance.openapi.reference import read_reference


def read_exchanges(path: Path, endpoint: str) -> Iterator[Exchange]:
    """The exchanges with the account at `endpoint`; content is in base64, null if not kept."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        content = row.pop("content")
        yield exchange(
            **row,
            endpoint=endpoint,
            content=None if content is None else base64.b64decode(content),
        )


def judge_exchanges(path: Path, endpoint: str, *, version: str, succeeded: int) -> None:
    """Holds what was written against the documents, where these are there.

    All of it must be of one api-version, and so many operations at least have succeeded.
    """
    reference = read_reference()
    if reference is None:
        return
    judge = Judge(reference=reference)
    for seen in read_exchanges(path, endpoint):
        assert seen.version == version
        judge.judge(seen)
    assert not judge.faults, "\n".join(dict.fromkeys(judge.faults))
    assert len(judge.succeeded) >= succeeded, sorted(judge.succeeded)
