"""Adds tasks to a job in collections as large as the service takes, and reads every result.

It must not know how a task's body is made. The SDK's own `create_tasks` (azure-batch 15.1) is not
used: it compares result states by case, so that refusals pass for successes, and it tries server
errors again for ever.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from azure.core.exceptions import HttpResponseError

from runner.frozen import dataclass
from runner.remote.faults import (
    Origin,
    Place,
    batch_words,
    refusal,
    service_code,
    translated,
)
from runner.remote.trouble import Failure, Trouble

Body = dict[str, Any]
Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """A task of a collection, as it is sent; it is written as JSON once, though sent again."""

    body: Body
    text: str


Send = Callable[[Sequence[Entry]], Sequence[Result]]
"""Sends one collection; returns the service's results, in any order."""

MOST_TASKS = 100
"""In one collection (REST, add task collection)."""
MOST_BYTES = 900_000
"""A collection must stay below 1 MB; the rest is for the envelope."""

_write = json.JSONEncoder(separators=(",", ":")).encode
"""As ASCII, so that a text has as many bytes as characters."""


def add_in_collections(
    bodies: Iterable[Body],
    send: Send,
    *,
    origin: Origin,
    trouble: Trouble,
    place: Callable[[Body], Place] | None = None,
) -> None:
    """Adds every task or raises: `ServiceRefusedError` names the first task that was refused.

    A task that exists already counts as added. One that the service fails to add is sent again
    for as long as our patience lasts: then it is a `ServiceTroubleError`. `place` gives what
    finds the part of the spec that a body's refusal is about.
    """
    adder = _Adder(send, origin, trouble, place)
    for collection in collections(bodies):
        adder.add(collection)


def collections(bodies: Iterable[Body]) -> Iterator[list[Entry]]:
    """The tasks in groups that the service takes in one request."""
    group: list[Entry] = []
    group_bytes = 0
    for body in bodies:
        text = _write(body)
        size = len(text)
        if group and (len(group) == MOST_TASKS or group_bytes + size > MOST_BYTES):
            yield group
            group, group_bytes = [], 0
        group.append(Entry(body, text))
        group_bytes += size
    if group:
        yield group


class _Adder:
    """What adding one collection needs."""

    def __init__(
        self,
        send: Send,
        origin: Origin,
        trouble: Trouble,
        place: Callable[[Body], Place] | None,
    ) -> None:
        self._send = send
        self._place = place
        self._origin = origin
        self._trouble = trouble

    def add(self, collection: list[Entry]) -> None:
        """Adds one collection, in halves where the service finds it too large."""
        pending, tries = collection, self._trouble.begin()
        while True:
            results = self._send_whole(pending)
            if results is None:
                middle = len(pending) // 2
                self.add(pending[:middle])
                self.add(pending[middle:])
                return
            pending, failure = self._unsettled(pending, results)
            if not pending:
                return
            with translated(self._origin, _describe(pending)):
                tries.fail(failure)

    def _send_whole(self, collection: list[Entry]) -> Sequence[Result] | None:
        """The results, or None where the collection is too large and can be halved."""
        # Which of them it is about is known only where there is one.
        place = self._place(collection[0].body) if self._place and len(collection) == 1 else None
        with translated(self._origin, _describe(collection), place):
            try:
                return self._send(collection)
            except HttpResponseError as error:
                if len(collection) > 1 and service_code(error) == "RequestBodyTooLarge":
                    return None
                raise

    def _unsettled(
        self, collection: list[Entry], results: Sequence[Result]
    ) -> tuple[list[Entry], Failure]:
        """The tasks to send again, with what became of the first; raises for a refused one."""
        by_id = {str(result.get("taskId")): result for result in results}
        again: list[Entry] = []
        failure: Failure | None = None
        refused: list[tuple[Body, str, str, Result]] = []
        for entry in collection:
            body = entry.body
            result = by_id.get(body["id"], {})
            status = _word(result.get("status"))
            error: Result = result.get("error") or {}
            code = str(error.get("code") or "")
            if code == "TaskExists" or (status == "success" and not error):
                continue
            words = batch_words(error, self._origin) if error else ""
            if status == "clienterror" or (error and status != "servererror"):
                refused.append((body, code or "ClientError", words, error))
            else:
                again.append(entry)
                failure = failure or Failure(words=code or "with no result", detail=words)
        if refused:
            body, code, words, error = refused[0]
            doing = f"add task `{body['id']}`{_others(len(refused))}"
            place = None if self._place is None else self._place(body)
            raise refusal(self._origin, doing, code, words, model=error, place=place)
        return again, failure or Failure(words="with no result")


def _describe(collection: Sequence[Entry]) -> str:
    return f"add task `{collection[0].body['id']}`{_others(len(collection))}"


def _others(count: int) -> str:
    return f" and {count - 1} more" if count > 1 else ""


def _word(value: object) -> str:
    return str(getattr(value, "value", value) or "").lower()
