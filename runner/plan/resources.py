"""The files that a command is given besides those of its item: from containers and from URLs.

It knows nothing of tasks or nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runner.plan.faults import faults_at, whole_fault
from runner.plan.model import BlobResource, FolderResource, ResourcePlan, WebResource
from runner.spec.document import Document
from runner.spec.template import Template
from runner.spec.terms import ContainerResource, Resource

Scope = Mapping[str, object]


def plan_resources(
    resources: tuple[Resource, ...], scope: Scope, document: Document, *, item: str | None = None
) -> tuple[ResourcePlan, ...]:
    """The resources of a command, their templates filled in; `SpecError` at the one that fails."""
    return tuple(_resource_plan(each, scope, document, item) for each in resources)


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
    resource: Resource, scope: Scope, document: Document, item: str | None
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
    if resource.file is None:
        prefix = render(resource.prefix, "prefix")
        return FolderResource(role=resource.role, prefix=prefix, path=to, mode=resource.mode)
    blob = render(resource.file, "file")
    return BlobResource(role=resource.role, blob=blob, path=to or blob, mode=resource.mode)


def _check_path(path: str) -> None:
    """Raises `TemplateError` where a path leads out of the working directory."""
    if path.startswith("/") or ".." in path.split("/"):
        raise whole_fault(
            code="resource-path",
            message=f"`{path}` leads out of the working directory",
            hint="`to` is a path below the working directory, without `..`",
        )
