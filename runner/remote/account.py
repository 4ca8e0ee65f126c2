"""One open Batch account: its client, and how patiently we ask it.

It must not know what is asked of the account.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from azure.batch import BatchClient
from azure.core.exceptions import DecodeError, HttpResponseError, ResourceNotFoundError
from azure.core.rest import HttpRequest

from runner.frozen import dataclass
from runner.json_text import read_json
from runner.remote.endurance import Pause
from runner.remote.faults import Origin, service_code
from runner.remote.retrying import persist
from runner.remote.trouble import Trouble
from runner.remote.waiting import wait_until, wait_until_gone

API_VERSION = "2025-06-01"
DELETION_LIMIT = timedelta(minutes=15)
JOB_OVER = frozenset({"JobNotFound", "JobCompleted", "JobBeingTerminated", "JobBeingDeleted"})
"""Refusals of what only a job takes that goes on."""

_JSON = "application/json; odata=minimalmetadata"
_READS = {"Accept": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAccount:
    """What every request to an account needs; may be used by several threads at once."""

    client: BatchClient
    origin: Origin
    trouble: Trouble

    @property
    def clock(self) -> Callable[[], datetime]:
        """The time now."""
        return self.trouble.endurance.clock

    @property
    def pause(self) -> Pause:
        """Waits; `InterruptedRunError` where somebody asks us to stop."""
        return self.trouble.endurance.wait

    def send(
        self, method: str, path: str, *, forgiven: Collection[str] = (), body: object = None
    ) -> str | None:
        """Starts what the SDK offers only with a poller, whose thread would go on asking for ever.

        Refusals with a code among `forgiven` are no error: the code is given.
        """
        request = HttpRequest(
            method,
            f"{{endpoint}}{path}",
            params={"api-version": API_VERSION},
            headers=_READS,
            json=body,
        )
        if body is not None:
            request.headers["Content-Type"] = _JSON
        try:
            self.client.send_request(request)
        except HttpResponseError as error:
            code = service_code(error)
            if code not in forgiven:
                raise
            return code
        return None

    def ask(self, request: HttpRequest) -> Any:
        """The JSON that the service answers, without the SDK's models.

        They cost ten times what reading the text costs (azure-batch 15.1), and are mappings of the
        same names. What the service refuses is raised as the SDK raises it.
        """

        def read() -> bytes:
            # Of a stream the SDK's policies read nothing: they would read it as JSON twice.
            with self.client.send_request(request, stream=True) as response:
                return response.read()

        content = persist(read, self.trouble)
        try:
            return read_json(content)
        except ValueError as error:
            raise DecodeError("the answer is no JSON", error=error) from error

    def read(self, path: str, *, select: Sequence[str]) -> Mapping[str, Any]:
        """What a path names, with some of its properties."""
        answer: Mapping[str, Any] = self.ask(_reading(path, {"select": ",".join(select)}))
        return answer

    def list_all(
        self, path: str, *, select: Sequence[str] | None = None, **options: str | None
    ) -> Iterator[Mapping[str, Any]]:
        """What a list holds, page by page, of each thing some properties or all; `options` are
        those of OData, without their `$`.
        """
        if select is not None:
            options["select"] = ",".join(select)
        request = _reading(path, options)
        while True:
            page = self.ask(request)
            yield from page.get("value") or ()
            following = page.get("odata.nextLink")
            if not following:
                return
            request = HttpRequest("GET", following, headers=_READS)

    def add_all(self, path: str, entries: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """What becomes of each of several things that are added at once, each written as JSON."""
        request = HttpRequest(
            "POST",
            f"{{endpoint}}{path}",
            params={"api-version": API_VERSION},
            headers={**_READS, "Content-Type": _JSON},
            content=f'{{"value":[{",".join(entries)}]}}'.encode(),
        )
        results: Sequence[Mapping[str, Any]] = self.ask(request).get("value") or ()
        return results

    def wait_until_gone(self, read: Callable[[], object], what: str) -> None:
        """Returns once reading it finds nothing."""

        def is_gone() -> bool:
            try:
                read()
            except ResourceNotFoundError:
                return True
            return False

        wait_until_gone(is_gone, what, clock=self.clock, pause=self.pause, limit=DELETION_LIMIT)

    def wait_until(self, is_so: Callable[[], bool], complaint: str, limit: timedelta) -> None:
        """Returns once it is so; `ServiceError` with the complaint when the limit has passed."""
        wait_until(is_so, complaint, clock=self.clock, pause=self.pause, limit=limit)


def _reading(path: str, options: Mapping[str, str | None]) -> HttpRequest:
    params = {"api-version": API_VERSION}
    params.update(
        {f"%24{name}": segment(value) for name, value in options.items() if value is not None}
    )
    return HttpRequest("GET", f"{{endpoint}}{path}", params=params, headers=_READS)


def segment(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")
