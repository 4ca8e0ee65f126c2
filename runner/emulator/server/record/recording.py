"""Writes one line of JSON for every request to an account, whatever became of it.

It must not know any operation: bodies are taken as they pass, answers by their status.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TextIO

from runner.emulator.privacy import open_private_file
from runner.emulator.server.accounts import Account, Kind
from runner.emulator.server.breaking import NoAnswerError
from runner.emulator.server.http import Request, Response, Service
from runner.emulator.server.record.redaction import (
    hide_in_json,
    hide_in_query,
    select_headers,
)

LARGEST_BODY_BYTES = 4 * 1024 * 1024
"""What is kept of the content of a Batch request: more than the service takes."""

logger = logging.getLogger(__name__)


class RecordError(Exception):
    """The record cannot be opened; the message is one line for people."""


class Recording:
    """An open record; lines are flushed one by one, so that a killed emulator loses none."""

    def __init__(
        self, path: Path, *, accounts: Iterable[Account], clock: Callable[[], datetime]
    ) -> None:
        """Opens the file for appending; raises `RecordError`."""
        self._kinds = {account.name: account.kind for account in accounts}
        self._clock = clock
        self._path = path
        try:
            self._file: TextIO = os.fdopen(
                open_private_file(path, append=True), "a", encoding="ascii", buffering=1
            )
        except OSError as error:
            message = f"record {path} cannot be written: {error.strerror}"
            raise RecordError(message) from error

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    async def handle(self, service: Service, account: str, request: Request) -> Response:
        """The service's answer, written down with the request before it is given back."""
        kind = self._kinds[account]
        time = self._clock()
        content = _Content(request.body, keeps=kind is Kind.BATCH)
        status: int | None = None
        code: str | None = None
        faults: tuple[str, ...] = ()
        try:
            response = await service.handle(replace(request, body=content.pieces(), content=None))
            status, code, faults = response.status, _error_code(response), response.faults
            if kind is Kind.BATCH:
                # What is refused early is not read by the service, and is asked for here all the
                # more: a record is read to see what was wrong.
                await content.drain()
        except NoAnswerError as error:
            faults = error.faults
            raise
        finally:
            line = {
                "time": _format_time(time),
                "service": kind.value,
                "account": account,
                "method": request.method,
                "path": request.raw_path,
                "query": hide_in_query(request.query),
                "headers": select_headers(request.headers),
                **(_show_content(content) if kind is Kind.BATCH else {}),
                "body_bytes": content.size_bytes,
                "status": status,
                "error": code,
                **({"faults": faults} if faults else {}),
            }
            self._write(line)
        return response

    def _write(self, line: dict[str, object]) -> None:
        try:
            self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        except OSError as error:
            # The service goes on: whoever asks it for something has no part in the record.
            logger.warning("a request is missing in %s: %s", self._path, error.strerror)


class _Content:
    """A request's content as it passes; kept only where asked for, and only up to the limit."""

    def __init__(self, body: AsyncIterator[bytes], *, keeps: bool) -> None:
        self._body = body
        self._keeps = keeps
        self._kept: list[bytes] = []
        self.size_bytes = 0

    async def pieces(self) -> AsyncIterator[bytes]:
        """The pieces as they come."""
        async for piece in self._body:
            self.size_bytes += len(piece)
            if self._keeps and self.size_bytes <= LARGEST_BODY_BYTES:
                self._kept.append(piece)
            yield piece

    async def drain(self) -> None:
        """Reads what the service left, unless that is more than would be kept."""
        async for _ in self.pieces():
            if self.size_bytes > LARGEST_BODY_BYTES:
                return

    def whole(self) -> bytes | None:
        """All of it, or None where it was too large."""
        return b"".join(self._kept) if self.size_bytes <= LARGEST_BODY_BYTES else None


def _show_content(content: _Content) -> dict[str, object]:
    """`body`: the JSON without secrets; None where there is none or it cannot be read."""
    whole = content.whole()
    if not whole:
        return {"body": None}
    try:
        return {"body": hide_in_json(json.loads(whole))}
    except (ValueError, RecursionError):
        # What is not JSON may hold a secret anywhere; its length and the error code must do.
        return {"body": None}


def _error_code(response: Response) -> str | None:
    """The service's own code of a refusal: in a header of Blob, in the body of Batch."""
    if response.status < 400:
        return None
    for name, value in response.headers:
        if name.lower() == "x-ms-error-code":
            return value
    if not isinstance(response.body, bytes):
        return None
    try:
        document = json.loads(response.body)
    except ValueError:
        return None
    code = document.get("code") if isinstance(document, dict) else None
    return code if isinstance(code, str) else None


def _format_time(moment: datetime) -> str:
    text = moment.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
