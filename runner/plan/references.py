"""What the templates of a step speak of, checked once against what all of its items have.

It knows nothing of where the items come from; what only one item lacks shows when it is rendered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Optional

from runner.spec.document import Document, Pointer
from runner.spec.model.step import Step
from runner.spec.model.terms import ContainerResource, Resource
from runner.spec.parsing.leaves import fault_problem
from runner.spec.problem import Problem
from runner.spec.templates.fault import Reference, TemplateFault, undefined_fault
from runner.spec.templates.template import HasReferences

Fields = Mapping[str, Optional["Fields"]]
"""Names with what is in each of them; None where that is not known, or nothing."""


def check_references(step: Step, names: Fields, document: Document) -> Iterator[Problem]:
    """A problem for each reference to what no item has, at its place in the spec.

    What templates speak of beside the items, such as `parameters`, is not judged.
    """
    for pointer, template in _templates(step):
        for reference in template.references:
            fault = _fault(reference, names)
            if fault is not None:
                yield fault_problem(document, pointer, fault)


def asks_for_urls(step: Step) -> bool:
    """Whether any template of a step may ask for the URL of a file."""
    paths = (each.path for _, template in _templates(step) for each in template.references)
    return any(
        "url" in path or path[0] in {"files", "row", "item"} or path == ("file",) for path in paths
    )


def speaks_of_run(step: Step) -> bool:
    """Whether any template of a step asks for what is another thing in each run."""
    return any(
        reference.path[0] == "run"
        for _, template in _templates(step)
        for reference in template.references
    )


def _fault(reference: Reference, names: Fields) -> TemplateFault | None:
    known: Fields | None = names
    if reference.path[0] not in names:
        return None
    for depth, name in enumerate(reference.path):
        if known is None:
            return None
        if name not in known:
            if reference.optional:
                return None
            return undefined_fault(
                reference.path[: depth + 1],
                offset=reference.offset,
                length=reference.length,
                known=known,
                item=reference.item,
            )
        known = known[name]
    return None


def _templates(step: Step) -> Iterator[tuple[Pointer, HasReferences]]:
    """Every template of a step, with its place."""
    yield (*step.pointer, "command"), step.command
    for name, template in step.environment.items():
        yield (*step.pointer, "environment", name), template
    yield from _of_resources(step.resources)
    for output in step.outputs:
        yield (*output.pointer, "pattern"), output.pattern
        if output.path is not None:
            yield (*output.pointer, "path"), output.path
    if step.container is not None:
        yield (*step.container.pointer, "image"), step.container.image
    if step.instances is not None:
        yield (*step.instances.pointer, "coordination"), step.instances.coordination
        yield from _of_resources(step.instances.resources)


def _of_resources(resources: tuple[Resource, ...]) -> Iterator[tuple[Pointer, HasReferences]]:
    for resource in resources:
        if isinstance(resource, ContainerResource):
            keys = {"file": resource.file, "prefix": resource.prefix, "to": resource.to}
        else:
            keys = {"url": resource.url, "to": resource.to}
        for key, template in keys.items():
            if template is not None:
                yield (*resource.pointer, key), template
