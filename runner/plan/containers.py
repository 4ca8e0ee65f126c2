"""The containers of a run and the files of each: to be brought up, brought up before, or there.

It asks no service: what existing containers hold is given as a listing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from typing_extensions import assert_never

from runner.errors import UsageError
from runner.plan.blob_names import name_problems
from runner.plan.file_table import EMPTY, FileTable, FileTableBuilder, Origin
from runner.plan.inputs import MOST_PROBLEMS, find_files
from runner.plan.model import ContainerPlan, RunId, StoredBlob, container_name
from runner.plan.patterns import file_matcher
from runner.plan.unchanged import find_unchanged
from runner.spec.document import Document
from runner.spec.model.terms import Role
from runner.spec.model.workload import Container, ExistingContainer, OwnContainer, Workload
from runner.spec.problem import Problem
from runner.spec.validation.rules.uses import files_of

Stored = Mapping[Role, Sequence[StoredBlob]]
"""What containers hold already, from listings of the service; of an existing one below `prefix`."""


def containers_to_list(workload: Workload) -> tuple[tuple[Role, str, str], ...]:
    """Role, name and prefix of each container whose listing changes the plan.

    Those that a plan cannot be made without, and those of the user's naming that files are brought
    up to: what has not changed need not go up again. The latter need not exist.
    """
    listed: list[tuple[Role, str, str]] = []
    for each in workload.containers:
        if isinstance(each, ExistingContainer):
            if _is_needed(each, workload):
                listed.append((each.role, each.name, each.prefix))
        elif each.name is not None and each.uploads:
            listed.append((each.role, each.name, ""))
    return tuple(listed)


def _is_needed(container: Container, workload: Workload) -> bool:
    return isinstance(container, ExistingContainer) and any(
        files.role == container.role for step in workload.steps for files in files_of(step)
    )


def plan_containers(
    workload: Workload, *, folder: Path, run_id: RunId, stored: Stored | None
) -> tuple[tuple[ContainerPlan, ...], tuple[Problem, ...]]:
    """Every container, and what is wrong with their files.

    Raises `UsageError` where a listing is missing that the plan needs.
    """
    plans: list[ContainerPlan] = []
    problems: list[Problem] = []
    for container in workload.containers:
        listing = None if stored is None else stored.get(container.role)
        match container:
            case OwnContainer():
                plan, found = _own(container, workload.document, folder, run_id, listing)
            case ExistingContainer():
                needed = _is_needed(container, workload)
                if needed and listing is None:
                    raise _not_listed(container)
                plan, found = _existing(container, workload.document, listing if needed else None)
            case _:
                assert_never(container)
        plans.append(plan)
        problems.extend(found)
    return tuple(plans), tuple(problems)


def _own(
    container: OwnContainer,
    document: Document,
    folder: Path,
    run_id: RunId,
    listing: Sequence[StoredBlob] | None,
) -> tuple[ContainerPlan, tuple[Problem, ...]]:
    found = find_files(container.uploads, folder, document)
    unchanged = frozenset[str]()
    if listing and container.name is not None and not found.problems:
        unchanged = find_unchanged(found.files, listing)
    plan = ContainerPlan(
        role=container.role,
        name=container.name or container_name(run_id, container.role),
        files=found.files,
        is_made=container.name is None,
        unchanged=unchanged,
        outside_links=found.outside_links,
        passed_over=found.passed_over,
    )
    return plan, found.problems


def _existing(
    container: ExistingContainer, document: Document, listing: Sequence[StoredBlob] | None
) -> tuple[ContainerPlan, tuple[Problem, ...]]:
    files, problems = EMPTY, tuple[Problem, ...]()
    if listing is not None:
        files, problems = _stored_files(container, document, listing)
    plan = ContainerPlan(role=container.role, name=container.name, files=files, is_made=False)
    return plan, problems


def _stored_files(
    container: ExistingContainer, document: Document, listing: Sequence[StoredBlob]
) -> tuple[FileTable, tuple[Problem, ...]]:
    """The blobs that the patterns take, below the prefix."""
    prefix = len(container.prefix)
    # A prefix that is a folder may be written without its `/`.
    origins = (Origin(source=None, cut=prefix), Origin(source=None, cut=prefix + 1))
    builder = FileTableBuilder(origins)
    matches = None if container.patterns.takes_all else file_matcher(container.patterns)
    problems: list[Problem] = []
    for blob in sorted(listing, key=lambda each: each.name):
        if not blob.name.startswith(container.prefix):
            continue
        is_cut = prefix > 0 and blob.name[prefix : prefix + 1] == "/"
        path = blob.name[prefix + is_cut :]
        if matches is not None and not matches(path):
            continue
        faults = list(name_problems(path, document, container.pointer, is_local=False))
        problems.extend(faults)
        if not faults:
            builder.add(blob.name, blob.size_bytes, origin=int(is_cut))
        if len(problems) >= MOST_PROBLEMS:
            break
    files = builder.build()
    if not files and not problems:
        below = f" below `{container.prefix}`" if container.prefix else ""
        message = f"container `{container.name}` has no file{below} that `include` matches"
        hint = "`az storage blob list` shows what is there"
        problems.append(
            document.problem(container.pointer, code="no-input", message=message, hint=hint)
        )
    return files, tuple(problems)


def _not_listed(container: ExistingContainer) -> UsageError:
    return UsageError(
        f"the files of container `{container.name}` are known to the service alone:"
        " `--target azure` is needed",
        hint=f"`containers.{container.role}` names a container that exists already",
    )
