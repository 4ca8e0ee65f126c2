"""Finds the operation for a method and a path as it was sent, and decodes the path's variables.

It must not know the operations themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.operations.table import Operation
from runner.emulator.storage.record import record

_REST = "{filePath}"


@record(frozen=True, slots=True, kw_only=True)
class Match:
    """An operation and the decoded variables of its path."""

    operation: Operation
    variables: Mapping[str, str]


class Routes:
    """Paths are matched before they are decoded: a file's path is one segment, `wd%2Fout.txt`."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        # By how many segments they have, and by the first, which is of the path itself mostly.
        self._known: defaultdict[tuple[int, str], list[tuple[int, tuple[str, ...], Operation]]]
        self._known = defaultdict(list)
        for number, operation in enumerate(operations):
            parts = _split(operation.path)
            first = "" if "{" in parts[0] else parts[0]
            self._known[len(parts), first].append((number, parts, operation))
        self._longest = max(length for length, _ in self._known)

    def find(self, method: str, raw_path: str) -> Match:
        """Raises `RefusedError` where no operation has the path, or none with the method."""
        segments = _split(raw_path.rstrip("/"))
        matched = False
        for length in range(min(len(segments), self._longest), 0, -1):
            named = self._known.get((length, segments[0]), [])
            others = self._known.get((length, ""), [])
            # In the order of the table, whichever they are of.
            for _, parts, operation in sorted(named + others, key=_number) if others else named:
                variables = _match(parts, segments)
                if variables is None:
                    continue
                matched = True
                if operation.method == method:
                    return Match(operation=operation, variables=variables)
        raise RefusedError(Reason.VERB_UNSUPPORTED if matched else Reason.URI_INVALID)


def _number(known: tuple[int, tuple[str, ...], Operation]) -> int:
    return known[0]


def _split(path: str) -> tuple[str, ...]:
    return tuple(path.removeprefix("/").split("/"))


def _match(parts: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    # A client that leaves the slashes of a file's path as they are means the same.
    if parts[-1] == _REST and len(segments) > len(parts):
        last = len(parts) - 1
        segments = (*segments[:last], "/".join(segments[last:]))
    if len(parts) != len(segments):
        return None
    variables: dict[str, str] = {}
    for part, segment in zip(parts, segments, strict=True):
        before, opening, rest = part.partition("{")
        name, _, after = rest.partition("}")
        if not opening and part != segment:
            return None
        if opening:
            if not (segment.startswith(before) and segment.endswith(after)):
                return None
            inner = segment[len(before) : len(segment) - len(after)]
            variables[name] = unquote(inner, errors="surrogateescape")
    return variables
