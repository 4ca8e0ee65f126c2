"""One open Batch account: its client, and how patiently we ask it.

It must not know what is asked of the account.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from urllib.parse import quote

from azure.batch import BatchClient
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.rest import HttpRequest

from runner.frozen import dataclass
from runner.remote.endurance import Pause
from runner.remote.faults import Origin, service_code
from runner.remote.trouble import Trouble
from runner.remote.waiting import wait_until, wait_until_gone

API_VERSION = "2025-06-01"
DELETION_LIMIT = timedelta(minutes=15)
JOB_OVER = frozenset({"JobNotFound", "JobCompleted", "JobBeingTerminated", "JobBeingDeleted"})
"""Refusals of what only a job takes that goes on."""


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
    ) -> None:
        """Starts what the SDK offers only with a poller, whose thread would go on asking for ever.

        Refusals with a code among `forgiven` are no error.
        """
        request = HttpRequest(
            method,
            f"{{endpoint}}{path}",
            params={"api-version": API_VERSION},
            headers={"Accept": "application/json"},
            json=body,
        )
        if body is not None:
            request.headers["Content-Type"] = "application/json; odata=minimalmetadata"
        try:
            self.client.send_request(request)
        except HttpResponseError as error:
            if service_code(error) not in forgiven:
                raise

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


def segment(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")
