"""The files that a command is given besides those of its item: from containers and from URLs.

It knows nothing of tasks or nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runner.plan.faults import faults_at, whole_fault
from runner.plan.model import BlobResource, FolderResource, ResourcePlan, WebResource
from runner.spec.document import Document
from runner.spec.model.terms import ContainerResource, Resource, Role
from runner.spec.model.workload import ExistingContainer, Workload
from runner.spec.templates.template import Template

Scope = Mapping[str, object]


def container_prefixes(workload: Workload) -> Mapping[Role, str]:
    """What blobs' names start with in the user's containers that are read below a prefix."""
    return {
        each.role: each.prefix
        for each in workload.containers
        if isinstance(each, ExistingContainer) and each.prefix
    }


def plan_resources(
    resources: tuple[Resource, ...],
    scope: Scope,
    document: Document,
    *,
    prefixes: Mapping[Role, str],
    item: str | None = None,
) -> tuple[ResourcePlan, ...]:
    """The resources of a command, their templates filled in; `SpecError` at the one that fails.

    Of a container with a prefix `file` and `prefix` are below it. Where several blobs are meant,
    the service keeps their whole names, that prefix too.
    """
    return tuple(_resource_plan(each, scope, document, prefixes, item) for each in resources)


def templates_of(resources: Iterable[Resource]) -> tuple[Template, ...]:
    """All templates of some resources."""
    found: list[Template | None] = []
    for each in resources:
        match each:
            case ContainerResource():
                found += [each.file, each.prefix, each.to]
            case _:
                found += [each.url, each.to]
    return tuple(each for each in found if each is not None)


def _resource_plan(
    resource: Resource,
    scope: Scope,
    document: Document,
    prefixes: Mapping[Role, str],
    item: str | None,
) -> ResourcePlan:
    def render(template: Template | None, key: str) -> str:
        if template is None:
            return ""
        with faults_at(document, (*resource.pointer, key), item=item):
            text = template.render_text(scope)
            if key == "to":
                _check_path(text)
            return text

    to = render(resource.to, "to")
    if not isinstance(resource, ContainerResource):
        return WebResource(url=render(resource.url, "url"), path=to, mode=resource.mode)
    below = prefixes.get(resource.role, "")
    if resource.file is None:
        prefix = _join(below, render(resource.prefix, "prefix"))
        return FolderResource(role=resource.role, prefix=prefix, path=to, mode=resource.mode)
    file = render(resource.file, "file")
    return BlobResource(
        role=resource.role, blob=_join(below, file), path=to or file, mode=resource.mode
    )


def _join(prefix: str, name: str) -> str:
    """A name below a prefix; one that is a folder may be written without its `/`."""
    return f"{prefix.rstrip('/')}/{name}" if prefix and name else prefix or name


def _check_path(path: str) -> None:
    """Raises `TemplateError` where a path leads out of the working directory."""
    if path.startswith("/") or ".." in path.split("/"):
        raise whole_fault(
            code="resource-path",
            message=f"`{path}` leads out of the working directory",
            hint="`to` is a path below the working directory, without `..`",
        )
