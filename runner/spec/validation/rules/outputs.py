"""Rules on outputs: they stay inside, and no two of one task land on each other.

Whether those of two tasks do is for `plan` to find out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from runner.spec.document import Document, Pointer
from runner.spec.model.step import Output, UploadCondition
from runner.spec.model.terms import Resource
from runner.spec.model.workload import Workload
from runner.spec.problem import Position, Problem, Span
from runner.spec.validation.rules.limits import LONGEST_BLOB_NAME_CHARACTERS
from runner.spec.validation.rules.uses import Rule, node_commands

_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_LEADS_OUT = re.compile(r"\A/|(?:(?<=/)|\A)\.\.(?=/|\Z)")
_BEHIND_WHAT_VARIES = re.compile(r"[^*?\]}]*\Z")
_MOST_OUTPUTS = 100
_BELOW = {
    "pattern": "write it relative to the task's working directory",
    "path": "write it relative to the container",
    "to": "write it relative to the task's working directory",
}


def _outputs_stay_inside(workload: Workload, document: Document) -> Iterator[Problem]:
    for step in workload.steps:
        for output in step.outputs:
            yield from _stays_inside(document, (*output.pointer, "pattern"), output.pattern.text)
            if output.path is not None:
                yield from _stays_inside(document, (*output.pointer, "path"), output.path.text)


def _resources_stay_inside(workload: Workload, document: Document) -> Iterator[Problem]:
    commands = node_commands(workload)
    resources: list[Resource] = [each for command in commands for each in command.resources]
    for step in workload.steps:
        resources += step.resources
        resources += step.instances.resources if step.instances else ()
    for resource in resources:
        if resource.to is not None:
            yield from _stays_inside(document, (*resource.pointer, "to"), resource.to.text)


def _stays_inside(document: Document, pointer: Pointer, text: str) -> Iterator[Problem]:
    literal = _EXPRESSION.sub(lambda match: "x" * len(match.group()), text)
    found = _LEADS_OUT.search(literal)
    if found is None:
        return
    start = document.position_in(pointer, found.start())
    end = Position(line=start.line, column=start.column + len(found.group()))
    what = "starts with `/`" if found.group() == "/" else "leads out of its folder by `..`"
    yield document.problem_at(
        Span(start=start, end=end),
        code="output-path" if pointer[-1] in {"pattern", "path"} else "resource-path",
        message=f"`{pointer[-1]}` {what}",
        hint=_BELOW[str(pointer[-1])],
    )


def _names_are_short(workload: Workload, document: Document) -> Iterator[Problem]:
    for step in workload.steps:
        for output in step.outputs:
            for key, template in (("pattern", output.pattern), ("path", output.path)):
                # What expressions give is known, and checked, once there are tasks.
                if template and len(_EXPRESSION.sub("", template.text)) > (
                    LONGEST_BLOB_NAME_CHARACTERS
                ):
                    yield document.problem(
                        (*output.pointer, key),
                        code="too-long",
                        message=f"`{key}` is longer than the {LONGEST_BLOB_NAME_CHARACTERS:,}"
                        " characters that the name of a blob may have",
                        hint="shorten it",
                    )


def _outputs_stay_apart(workload: Workload, document: Document) -> Iterator[Problem]:
    for step in workload.steps:
        if len(step.outputs) > _MOST_OUTPUTS:
            yield document.problem(
                (*step.outputs[_MOST_OUTPUTS].pointer,),
                code="too-many",
                message=f"a task can have {_MOST_OUTPUTS} outputs",
                hint="find several files by one pattern, such as `pattern: results/**/*`",
            )
            continue
        for one, other in combinations(step.outputs, 2):
            if one.to == other.to and _may_both_be_kept(one, other):
                yield from _problem_of_pair(document, one, other)


def _may_both_be_kept(one: Output, other: Output) -> bool:
    return {one.when, other.when} != {UploadCondition.SUCCESS, UploadCondition.FAILURE}


def _problem_of_pair(document: Document, one: Output, other: Output) -> Iterator[Problem]:
    position = f"outputs[{one.pointer[-1]}]"
    if _target(one) == _target(other):
        yield document.problem(
            other.pointer,
            code="same-output",
            message=f"this writes the same blobs as `{position}`",
            hint="keep one of the two, or give them different paths",
        )
    elif _may_hit(one, other) or _may_hit(other, one):
        yield document.problem(
            (*other.pointer, "path"),
            code="outputs-overlap",
            message=f"this and `{position}` may write the same blob: one goes into a folder of"
            " the other",
            hint="give each a folder of its own, such as `path: logs` and `path: pages`",
        )


def _target(output: Output) -> tuple[str, str | None]:
    """What decides where an output goes: of a single file its name alone, where that is given."""
    path = None if output.path is None else output.path.text
    if not output.pattern.has_wildcard and path is not None and not path.endswith("/"):
        return "", path
    return output.pattern.text, path


def _may_hit(wide: Output, other: Output) -> bool:
    """Whether what the wildcard of `wide` finds may get the name of a blob of `other`.

    Two wildcards with one `path` bring the same file to the same blob: that harms nothing.
    """
    if not wide.pattern.has_wildcard or wide.path is None or other.path is None:
        return False
    folder, name = f"{wide.path.text.rstrip('/')}/", other.path.text
    if other.pattern.has_wildcard:
        name = f"{name.rstrip('/')}/{other.pattern.text}"
        if other.path.text.rstrip("/") == folder.rstrip("/"):
            return False
    elif name.endswith("/"):
        name += other.pattern.text.rpartition("/")[2]
    if not name.startswith(folder):
        return False
    return _may_find(wide.pattern.text, name.removeprefix(folder))


def _may_find(pattern: str, name: str) -> bool:
    """Whether a pattern may find a file of this name; yes where expressions or wildcards hide it.

    Told by the depth of folders, and by what stands behind all that varies.
    """
    if "/" in name and "/" not in pattern and "**" not in pattern:
        return False
    tails = [_tail(pattern), _tail(name)]
    return tails[0].endswith(tails[1]) or tails[1].endswith(tails[0])


def _tail(text: str) -> str:
    found = _BEHIND_WHAT_VARIES.search(text)
    return found.group() if found else ""


OUTPUTS: tuple[Rule, ...] = (
    _outputs_stay_inside,
    _resources_stay_inside,
    _names_are_short,
    _outputs_stay_apart,
)
