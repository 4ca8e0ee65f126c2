"""What the containers of the user's hold already, as far as a plan needs to know.

It must not know what the plan makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.plan.containers import containers_to_list
from runner.plan.model import StoredBlob
from runner.run.services import Blobs
from runner.spec.document import Pointer
from runner.spec.model.terms import Role
from runner.spec.model.workload import ExistingContainer, Workload
from runner.spec.problem import SpecError


def needs_listing(workload: Workload) -> bool:
    """Whether the services have to be asked before the plan is made."""
    return bool(containers_to_list(workload)) or any(_existing(workload))


def list_stored(workload: Workload, blobs: Blobs) -> Mapping[Role, tuple[StoredBlob, ...]]:
    """The blobs of each container that matters to the plan, where it exists.

    Raises `SpecError` for the user's containers that do not, all of them at once.
    """
    missing = [
        workload.document.problem(
            _place(container),
            code="container-missing",
            message=f"there is no container `{container.name}` for `{container.role}` at"
            f" {blobs.endpoint}",
            hint="`az storage container list --query [].name` shows those that there are",
        )
        for container in _existing(workload)
        if not blobs.has_container(container.name)
    ]
    if missing:
        raise SpecError(missing)
    return {
        role: tuple(blobs.list_blobs(name, prefix))
        for role, name, prefix in containers_to_list(workload)
        if isinstance(workload.container(role), ExistingContainer) or blobs.has_container(name)
    }


def _existing(workload: Workload) -> tuple[ExistingContainer, ...]:
    return tuple(each for each in workload.containers if isinstance(each, ExistingContainer))


def _place(container: ExistingContainer) -> Pointer:
    return (*container.pointer, "existing")
