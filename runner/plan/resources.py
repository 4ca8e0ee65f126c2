"""The files that a command is given besides those of its item: from containers and from URLs.

It knows nothing of tasks or nodes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from runner.plan.faults import faults_at, whole_fault
from runner.plan.file_table import FileTable
from runner.plan.known_files import check_file, check_prefix
from runner.plan.model import BlobResource, FolderResource, ResourcePlan, WebResource
from runner.spec.document import Document
from runner.spec.model.terms import ContainerResource, Resource, Role
from runner.spec.model.workload import ExistingContainer, Workload
from runner.spec.templates.template import Template

# What may be a user with a password is not shown.
_AUTHORITY = re.compile(r"^([^/@]*//)[^/]*@")

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
    known: Mapping[Role, FileTable],
    item: str | None = None,
) -> tuple[ResourcePlan, ...]:
    """The resources of a command, their templates filled in; `SpecError` at the one that fails.

    Of a container with a prefix `file` and `prefix` are below it. Where several blobs are meant,
    the service keeps their whole names, that prefix too. Of the containers of `known` all files
    are known (`known_files`): what is none of them is refused.
    """
    planned: list[ResourcePlan] = []
    for each in resources:
        plan = _resource_plan(each, scope, document, prefixes, item)
        planned.append(plan)
        if isinstance(plan, WebResource) or plan.role not in known:
            continue
        key = "file" if isinstance(plan, BlobResource) else "prefix"
        with faults_at(document, (*each.pointer, key), item=item):
            if isinstance(plan, BlobResource):
                check_file(known[plan.role], plan.role, plan.blob)
            else:
                check_prefix(known[plan.role], plan.role, plan.prefix)
    return tuple(planned)


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
        url = render(resource.url, "url")
        with faults_at(document, (*resource.pointer, "url"), item=item):
            _check_url(url)
        return WebResource(url=url, path=to, mode=resource.mode)
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


def _check_url(url: str) -> None:
    """Raises `TemplateError` where a node could not fetch it, and where it shows a password."""
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, an address in brackets that is none
        is_whole = False
    shown = _AUTHORITY.sub(r"\1", url.partition("?")[0])  # nor is a signature
    if not is_whole:
        raise whole_fault(
            code="bad-url",
            message=f"`{shown}` is no URL that a node can fetch",
            hint="it begins with `https://` or `http://` and the name of a host",
        )
    if "@" in parts.netloc:
        raise whole_fault(
            code="bad-url",
            message=f"the URL `{shown}` has a user or a password in it, which all who may look at"
            " the job could read",
            hint="bring the file up into a container, or use a URL that is signed for a short time",
        )


def _check_path(path: str) -> None:
    """Raises `TemplateError` where a path leads out of the working directory."""
    if path.startswith("/") or ".." in path.split("/"):
        raise whole_fault(
            code="resource-path",
            message=f"`{path}` leads out of the working directory",
            hint="`to` is a path below the working directory, without `..`",
        )
