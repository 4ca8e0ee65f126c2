"""The operations on the account's applications, and the check of what refers to them.

It must not know how requests reach it (`table`), nor where packages lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.emulator.batch.applications import Application, Applications
from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.job import AutoPool, JobDraft, SchedulingError
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.node.launch import FailureCategory
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.filters.evaluate import Property
from runner.emulator.batch.operations.paging import Listing, list_page, number_in_order
from runner.emulator.batch.operations.replies import Reply, element

_UNFILTERED: Mapping[str, Property[Application]] = {}
_MISSING = "The account has no such application package"


def list_applications(call: Call) -> Reply:
    """`GET /applications`."""
    listing = Listing(
        name="listapplicationsummariesresponses",
        after=number_in_order(call.account.applications.all()),
        show=_show,
        properties=_UNFILTERED,
        selectable=False,
    )
    return list_page(call, listing)


def get_application(call: Call) -> Reply:
    """`GET /applications/{applicationId}`."""
    found = call.account.applications.find(call.path["applicationId"])
    if found is None:
        raise RefusedError(Reason.APPLICATION_NOT_FOUND)
    return element(call.endpoint, "getapplicationsummaryresponse", _show(found), None)


def _show(application: Application) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": application.id}
    if application.display_name is not None:
        shown["displayName"] = application.display_name
    return {**shown, "versions": list(application.versions)}


def check_packages(applications: Applications, document: Document) -> None:
    """Raises `RefusedError` where a pool refers to a package that the account does not have."""
    missing = _missing(applications, document)
    if missing:
        raise RefusedError(Reason.PACKAGES_INVALID, *((name, _MISSING) for name in missing))


def with_checked_packages(applications: Applications, draft: JobDraft) -> JobDraft:
    """The job; its auto-pool is not made where that refers to a missing package."""
    if not isinstance(draft.where, AutoPool):
        return draft
    missing = _missing(applications, draft.where.draft.document)
    if not missing:
        return draft
    error = SchedulingError(
        category=FailureCategory.USER_ERROR,
        code="InvalidApplicationPackageReferencesInAutoPool",
        message="One or more application packages specified for the pool are invalid.",
        details=tuple((name, _MISSING) for name in missing),
    )
    return draft.with_fault(error)


def _missing(applications: Applications, document: Document) -> tuple[str, ...]:
    references = document.get("applicationPackageReferences", ())
    return tuple(
        ":".join(filter(None, (entry["applicationId"], entry.get("version"))))
        for entry in references
        if applications.package(entry["applicationId"], entry.get("version")) is None
    )
