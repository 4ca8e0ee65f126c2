"""Where the outputs of a task go.

It knows nothing of other tasks; patterns and paths are rendered from a scope it is given.
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.plan.blob_names import LIMIT_CHARACTERS, is_plain, name_faults, shown
from runner.plan.faults import placed, whole_fault
from runner.plan.model import OutputPlan, TaskId
from runner.spec.document import Document
from runner.spec.model.step import Output
from runner.spec.templates.template import TemplateError


def plan_output(
    output: Output,
    scope: Mapping[str, object],
    document: Document,
    *,
    task_id: TaskId,
    folder: str,
    item: str,
) -> OutputPlan:
    """One output of one task; `folder` is the input file's, which the default path keeps.

    Raises `SpecError` where values make a pattern or a path that the service cannot take; `item`
    is what they are of.
    """
    key = "pattern"
    try:
        pattern = output.pattern.render(scope)
        plain = pattern
        if "[" in pattern:  # the pattern of any other name is the name itself
            plain = output.pattern.render_text(scope)
        if output.path is None:
            path = None
            destination = task_id if output.pattern.has_wildcard else _default(plain, folder)
        else:
            key = "path"
            path = output.path.render_text(scope)
            destination = _destination(path, plain, has_wildcard=output.pattern.has_wildcard)
        if destination or not output.pattern.has_wildcard:  # several files may go to the root
            _check_blob(path or destination, destination)
        if pattern != destination:
            key = "pattern"
            _check_path(pattern)
    except TemplateError as error:
        raise placed(error, document, (*output.pointer, key), item=item) from error
    return OutputPlan(
        pattern=pattern,
        role=output.to,
        path=destination,
        when=output.when,
        blob=None if output.pattern.has_wildcard else destination,
        escaped=not output.pattern.has_wildcard and pattern != plain,
    )


def _default(plain: str, folder: str) -> str:
    """The blob of one file without a path: below the input's folder, once."""
    if not folder or plain.startswith(f"{folder}/"):
        return plain
    return f"{folder}/{plain}"


def _destination(path: str, plain: str, *, has_wildcard: bool) -> str:
    """What a path comes to: a folder for what a wildcard finds, else a name or a file's folder."""
    if has_wildcard:
        return path.rstrip("/")
    return path + plain.rpartition("/")[2] if path.endswith("/") else path


def _check_blob(name: str, tidy: str) -> None:
    """Raises `TemplateError` where a blob or folder cannot have the name; `tidy` is the same
    without the `/` that a folder's may end with."""
    if is_plain(tidy) and name[0] != "/":
        return
    _check_path(name)
    reason = "it is empty" if not tidy else next(name_faults(tidy), None)
    if reason is not None:
        cut = name if len(name) <= LIMIT_CHARACTERS else f"{name[:40]}..."
        raise _fault(f"`{shown(cut)}` cannot be the name of an output: {reason}")


def _check_path(path: str) -> None:
    """Raises `TemplateError` where a path or pattern leads out of the working directory."""
    if path.startswith("/"):
        raise _fault(f"`{shown(path)}` is an absolute path")
    if ".." in path and ".." in path.split("/"):
        raise _fault(f"`{shown(path)}` leads out of its folder by `..`")


def _fault(message: str) -> TemplateError:
    hint = "an output is named relative to the task's working directory"
    return whole_fault(code="output-path", message=message, hint=hint)
