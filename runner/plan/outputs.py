"""Where the outputs of a task go.

It knows nothing of other tasks; patterns and paths are rendered from a scope it is given.
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.plan.blob_names import LIMIT_CHARACTERS, is_plain, name_faults, shown
from runner.plan.faults import whole_fault
from runner.plan.model import OutputPlan, TaskId
from runner.spec.step import Output
from runner.spec.template import TemplateError


def plan_output(
    output: Output, scope: Mapping[str, object], *, task_id: TaskId, folder: str
) -> OutputPlan:
    """One output of one task; `folder` is the input file's, which the default path keeps.

    Raises `TemplateError` where values make a pattern or a path that the service cannot take.
    """
    pattern = output.pattern.render(scope)
    path = None if output.path is None else output.path.render_text(scope)
    escaped = False
    if output.pattern.has_wildcard:
        blob = None
        destination = (path or task_id).rstrip("/")
        _check_blob(path or task_id, destination)
    else:
        plain = pattern
        if "[" in pattern:  # the pattern of any other name is the name itself
            plain = output.pattern.render_text(scope)
            escaped = pattern != plain
        blob = _name_blob(plain, path, folder)
        destination = blob
        _check_blob(blob, blob)
    if pattern != destination:
        _check_path(pattern)
    return OutputPlan(
        pattern=pattern,
        role=output.to,
        path=destination,
        when=output.when,
        blob=blob,
        escaped=escaped,
    )


def _name_blob(plain: str, path: str | None, folder: str) -> str:
    """The blob of one file: below the input's folder, once, unless a path says otherwise."""
    if path is not None:
        return path + plain.rpartition("/")[2] if path.endswith("/") else path
    if not folder or plain.startswith(f"{folder}/"):
        return plain
    return f"{folder}/{plain}"


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
