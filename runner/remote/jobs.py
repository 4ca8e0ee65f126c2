"""Jobs and job schedules as they are made: what exists already is ours, or is waited for to go.

It must not know what becomes of them afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar, cast

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from runner.remote import answers, wire
from runner.remote.account import DELETION_LIMIT, BatchAccount, segment
from runner.remote.faults import service_code, translated
from runner.remote.wire_places import finder, job_sections, schedule_sections
from runner.remote.wire_schedule import schedule_body
from runner.run.services import JobRequest, ScheduleRequest

if TYPE_CHECKING:
    from azure.batch import models

T = TypeVar("T")

_MARKS = ["id", "state", "metadata"]

# For so long a job that was just made may not be found yet: the service has many front ends.
_SETTLING_SECONDS = 5.0
_SETTLING_PAUSE_SECONDS = 0.25


class Jobs:
    """Makes jobs of one account, and remembers for a moment which."""

    def __init__(self, account: BatchAccount) -> None:
        self._account = account
        self._made: dict[str, float] = {}

    def create(self, request: JobRequest) -> None:
        """Creates a job; one of this id with the same metadata is ours."""
        body, client = wire.job_body(request), self._account.client
        place = finder(body, job_sections(request))
        with translated(self._account.origin, f"create job `{request.id}`", place):
            self._make(
                lambda: client.create_job(cast("models.BatchJobCreateOptions", body)),
                lambda: self._account.read(f"/jobs/{segment(request.id)}", select=_MARKS),
                kind="Job",
                what=f"job `{request.id}`",
                request=request,
            )
        self._made[request.id] = self._account.trouble.endurance.monotonic()

    def create_schedule(self, request: ScheduleRequest) -> None:
        """Creates a job schedule; one of this id with the same metadata is ours."""
        body, client = schedule_body(request), self._account.client
        place = finder(body, schedule_sections(request))
        with translated(self._account.origin, f"create job schedule `{request.id}`", place):
            self._make(
                lambda: client.create_job_schedule(
                    cast("models.BatchJobScheduleCreateOptions", body)
                ),
                lambda: self._account.read(f"/jobschedules/{segment(request.id)}", select=_MARKS),
                kind="JobSchedule",
                what=f"job schedule `{request.id}`",
                request=request.job,
            )

    def known(self, job_id: str, ask: Callable[[], T]) -> T:
        """What asking gives; asked again while a job that was just made is not found yet."""
        while True:
            try:
                return ask()
            except ResourceNotFoundError as error:
                if service_code(error) != "JobNotFound" or not self._is_settling(job_id):
                    raise
            self._account.pause(_SETTLING_PAUSE_SECONDS)

    def known_list(self, job_id: str, ask: Callable[[], Iterable[T]]) -> Iterator[T]:
        """The same for what comes in pages, of which the first may not be found."""

        def begin() -> Iterator[T]:
            items = iter(ask())
            first = list(_take_one(items))
            return chain(first, items)

        return self.known(job_id, begin)

    def forget(self, job_id: str) -> None:
        """It is to go: where it is not found, it is gone."""
        self._made.pop(job_id, None)

    def _is_settling(self, job_id: str) -> bool:
        made = self._made.get(job_id)
        now = self._account.trouble.endurance.monotonic()
        return made is not None and now - made < _SETTLING_SECONDS

    def _make(
        self,
        make: Callable[[], object],
        find: Callable[[], Mapping[str, Any]],
        *,
        kind: str,
        what: str,
        request: JobRequest,
    ) -> None:
        """Makes what an earlier one of its name may be in the way of, as long as that goes."""

        def is_made() -> bool:
            try:
                make()
            except ResourceExistsError as error:
                code = service_code(error)
                if code == f"{kind}BeingDeleted":
                    return False
                if code != f"{kind}Exists":
                    raise
                try:
                    found = find()
                except ResourceNotFoundError:
                    return False
                if answers.is_going(found):
                    return False
                if not _is_ours(found, request):
                    raise
            return True

        self._account.wait_until(is_made, f"{what} is still being deleted", DELETION_LIMIT)


def _take_one(items: Iterator[T]) -> Iterator[T]:
    for item in items:
        yield item
        return


def _is_ours(found: answers.Answer, request: JobRequest) -> bool:
    """Whether all that marks our job is there; the user's own `extra` may have added to it."""
    return bool(request.metadata) and request.metadata.items() <= answers.read_pairs(found).items()
