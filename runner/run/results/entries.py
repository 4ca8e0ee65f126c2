"""Results: what a task was made of and what came of it, one line of JSON each.

It must not know where the lines are kept, nor who asks for them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from runner.frozen import dataclass
from runner.json_text import read_json
from runner.plan.identity import DIGEST_BYTES, Files
from runner.run.events import format_time
from runner.run.records.reading import read_time

# One encoder for all: `dumps` makes another for each line.
_encode = json.JSONEncoder(separators=(",", ":")).encode
NAME_BYTES = 8
UNKNOWN_IDENTITY = bytes(DIGEST_BYTES)
_IDENTITY_START = len('{"identity":"')
_IDENTITY_END = _IDENTITY_START + 2 * DIGEST_BYTES
_NAME_START = _IDENTITY_END + len('","name":"')
_NAME_END = _NAME_START + 2 * NAME_BYTES
_SUCCEEDED = b'","succeeded":true,'
_FAILED = b'","succeeded":false,'


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptOutput:
    """A file that a task left; `path` is relative to the output directory, where it is below it.

    `md5` is in hexadecimal digits.
    """

    role: str
    blob: str
    path: str
    bytes: int
    md5: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOutput:
    """A blob that a task left in a container of the user's naming, as a listing showed it.

    `md5` is in hexadecimal digits, None where the service has none.
    """

    role: str
    blob: str
    bytes: int
    md5: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The end of one task. `identity` is all zeros where nobody could tell what it was made of.

    `step` and `item` name it for people, and for runs whose tasks have other ids. `skipped` says
    that the task did not run in `run`: what it would have done was there. `stored` is what the
    service alone keeps of outputs whose names nobody knew before; None where it was not listed.
    """

    identity: bytes
    succeeded: bool
    run: str
    task: str
    step: str
    item: str
    parts: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Files] = field(default_factory=dict)
    outputs: tuple[KeptOutput, ...] = ()
    stored: tuple[StoredOutput, ...] | None = None
    started: datetime | None = None
    ended: datetime | None = None
    skipped: bool = False

    @property
    def product(self) -> bytes:
        """A digest of what the task left, for those that need it."""
        listed = [[each.role, each.blob, each.bytes, each.md5] for each in self.outputs]
        text = _encode(sorted(listed))
        return hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).digest()


@dataclass(frozen=True, slots=True)
class Mark:
    """What a line begins with, which is enough to find it by."""

    identity: bytes
    name: bytes
    succeeded: bool


def name_digest(step: str, item: str) -> bytes:
    """A digest of what a task is called, the same whatever its id is."""
    text = f"{step}/{item}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=NAME_BYTES).digest()


def result_as_line(result: Result) -> bytes:
    """One line, with its end; pure ASCII."""
    value = {
        "identity": result.identity.hex(),
        "name": name_digest(result.step, result.item).hex(),
        "succeeded": result.succeeded,
        "run": result.run,
        "task": result.task,
        "step": result.step,
        "item": result.item,
        "parts": dict(result.parts),
        "files": {name: [list(each) for each in files] for name, files in result.files.items()},
        "outputs": [
            [each.role, each.blob, each.path, each.bytes, each.md5] for each in result.outputs
        ],
        "started": None if result.started is None else format_time(result.started),
        "ended": None if result.ended is None else format_time(result.ended),
    }
    if result.stored is not None:
        value["stored"] = [[each.role, each.blob, each.bytes, each.md5] for each in result.stored]
    if result.skipped:
        value["skipped"] = True
    return _encode(value).encode() + b"\n"


def head_line(kept: int) -> bytes:
    """The first line of a file from which lines were dropped that said nothing any more."""
    return json.dumps({"kept": kept}).encode() + b"\n"


def read_head(line: bytes) -> int:
    """How many lines were kept; 0 where a line says nothing of it."""
    try:
        return int(read_json(line)["kept"])
    except (ValueError, TypeError, KeyError):
        return 0


def read_mark(line: bytes) -> Mark | None:
    """The beginning of a result's line; None for any other line, and for one that is torn."""
    if not line.startswith(b'{"identity":"') or not line.endswith(b"}\n"):
        return None
    rest = line[_NAME_END : _NAME_END + len(_FAILED)]
    succeeded = rest.startswith(_SUCCEEDED)
    if not succeeded and rest != _FAILED:
        return None
    try:
        identity = bytes.fromhex(line[_IDENTITY_START:_IDENTITY_END].decode("ascii"))
        name = bytes.fromhex(line[_NAME_START:_NAME_END].decode("ascii"))
    except ValueError:
        return None
    return Mark(identity=identity, name=name, succeeded=succeeded)


def result_from_line(line: bytes) -> Result | None:
    """The result of a line; None where it is none, or is damaged."""
    try:
        value: dict[str, Any] = read_json(line)
        return Result(
            identity=bytes.fromhex(value["identity"]),
            succeeded=bool(value["succeeded"]),
            run=str(value["run"]),
            task=str(value["task"]),
            step=str(value["step"]),
            item=str(value["item"]),
            parts=dict(value["parts"]),
            files={
                name: tuple((path, digest) for path, digest in files)
                for name, files in value["files"].items()
            },
            outputs=tuple(
                KeptOutput(role=role, blob=blob, path=path, bytes=int(size), md5=md5)
                for role, blob, path, size, md5 in value["outputs"]
            ),
            stored=_stored(value.get("stored")),
            started=None if value["started"] is None else read_time(value["started"]),
            ended=None if value["ended"] is None else read_time(value["ended"]),
            skipped=bool(value.get("skipped")),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _stored(value: list[list[Any]] | None) -> tuple[StoredOutput, ...] | None:
    if value is None:
        return None
    return tuple(
        StoredOutput(role=role, blob=blob, bytes=int(size), md5=md5)
        for role, blob, size, md5 in value
    )
