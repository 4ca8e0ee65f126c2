"""Turns the words of a rule into the rule, and refuses what does not go together.

It must not know whether they came from an option, a file or a request (`parse`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from fnmatch import filter as names_like

from runner.emulator.faults.rules import (
    Effect,
    ErrorAnswer,
    Latency,
    Loss,
    NodeLoss,
    Occasion,
    Reset,
    ResizeError,
    Rule,
    Scope,
    Silence,
    Skew,
    Stage,
    StartTaskFailure,
    TaskError,
    Transfer,
    TransferFailure,
)
from runner.emulator.phrases import (
    PhraseError,
    find,
    parse_count,
    parse_duration,
    parse_exit_code,
    parse_name,
    parse_offset,
    parse_one_of,
    parse_positive,
    parse_share,
    parse_span,
    read,
)

Values = Mapping[str, str]

TRANSFER_CODES: Mapping[Transfer, tuple[str, ...]] = {
    Transfer.DOWNLOAD: (
        "BlobDownloadMiscError",
        "BlobDownloadTimedOut",
        "BlobNotFound",
        "BlobAccessDenied",
    ),
    Transfer.UPLOAD: (
        "FileUploadMiscError",
        "FileUploadContainerNotFound",
        "FileUploadAccessDenied",
    ),
}
"""What the service says of transfers that fail; the first where a rule does not name one."""

_OCCASION = ("rate", "every", "after", "first")
_REQUEST = ("service", "account", "operation", *_OCCASION)
_TASK = ("account", "job", "task", *_OCCASION)
_LOSS = ("account", "pool", "node", "nodes", "share", "at", "tasks", "each", "first")
_SCOPES = ("service", "account", "operation", "pool", "node", "job", "task")
# Azure answers within a second or so that it is too much, and says how long to wait.
_USUAL_WAIT = timedelta(seconds=1)
_THROTTLING = (429, 503)


def _latency(value: str | None, values: Values) -> Effect:
    if value is None:
        raise PhraseError("latency", "`latency` needs a duration, such as `latency=40ms`")
    del values
    shortest, longest = parse_span(value)
    return Latency(shortest=shortest, longest=longest)


def _reset(value: str | None, values: Values) -> Effect:
    del values
    return Reset(stage=_stage(value, *Stage))


def _timeout(value: str | None, values: Values) -> Effect:
    stage = _stage(value, Stage.BEFORE, Stage.AFTER)
    return Silence(stage=stage, length=find(values, "for", parse_duration))


def _task_error(value: str | None, values: Values) -> Effect:
    blame = parse_one_of("ServerError", "ClientError")("ServerError" if value is None else value)
    return TaskError(blame=blame, code=find(values, "code", parse_name))


def _transfer_failure(transfer: Transfer) -> Callable[[str | None, Values], Effect]:
    def decode(value: str | None, values: Values) -> Effect:
        del values
        codes = TRANSFER_CODES[transfer]
        code = codes[0] if value is None else parse_one_of(*codes)(value)
        return TransferFailure(transfer=transfer, code=code)

    return decode


def _start_task_failure(value: str | None, values: Values) -> Effect:
    _refuse_value(value)
    exit_code = read(values, "exit", parse_exit_code, 1)
    if exit_code == 0:
        raise PhraseError("exit", "`exit`: a start task that ends with 0 has not failed")
    return StartTaskFailure(exit_code=exit_code)


def _resize_error(value: str | None, values: Values) -> Effect:
    del values
    return ResizeError(code="AllocationFailed" if value is None else parse_name(value))


def _node_loss(loss: Loss) -> Callable[[str | None, Values], Effect]:
    def decode(value: str | None, values: Values) -> Effect:
        _refuse_value(value)
        nodes = find(values, "nodes", parse_positive)
        share = find(values, "share", parse_share)
        if nodes is not None and share is not None:
            raise PhraseError("share", "`share` and `nodes` exclude each other")
        interval = find(values, "each", parse_duration)
        if interval is not None and interval < timedelta(milliseconds=1):
            raise PhraseError("each", f"`each`: `{values['each']}` is no time at all")
        return NodeLoss(
            loss=loss,
            nodes=1 if nodes is None and share is None else nodes,
            share=share,
            delay=read(values, "at", parse_duration, timedelta()),
            tasks=read(values, "tasks", parse_count, 0),
            interval=interval,
        )

    return decode


def _skew(value: str | None, values: Values) -> Effect:
    del values
    if value is None:
        raise PhraseError("clock", "`clock` needs an offset, such as `clock=+20m`")
    return Skew(offset=parse_offset(value))


_EFFECTS: Mapping[str, tuple[Callable[[str | None, Values], Effect], tuple[str, ...]]] = {
    "latency": (_latency, _REQUEST),
    "reset": (_reset, _REQUEST),
    "timeout": (_timeout, (*_REQUEST, "for")),
    "task-error": (_task_error, ("account", "job", "task", "code", *_OCCASION)),
    "download-error": (_transfer_failure(Transfer.DOWNLOAD), _TASK),
    "upload-error": (_transfer_failure(Transfer.UPLOAD), _TASK),
    "start-task-failure": (_start_task_failure, ("account", "pool", "node", "exit", *_OCCASION)),
    "resize-error": (_resize_error, ("account", "pool", *_OCCASION)),
    "preempt": (_node_loss(Loss.PREEMPTED), _LOSS),
    "unusable": (_node_loss(Loss.UNUSABLE), _LOSS),
    "clock": (_skew, ()),
}
_ERROR_KEYS = (*_REQUEST, "code", "retry-after")


def decode_rule(fault: tuple[str, str | None], values: Values) -> Rule:
    """The rule of a fault, as a name and what stands behind its `=`, and of the other words.

    Raises `PhraseError`, whose key is the name where the fault itself is meant.
    """
    name, value = fault
    keys: tuple[str, ...]
    if name.isascii() and name.isdigit():
        keys = _ERROR_KEYS
    elif name in _EFFECTS:
        keys = _EFFECTS[name][1]
    else:
        known = ", ".join(f"`{known}`" for known in _EFFECTS)
        raise PhraseError(
            name, f"`{name}` is no fault; there are {known} and statuses such as `503`"
        )
    for key in values:
        if key not in keys:
            known = ", ".join(f"`{known}`" for known in keys) or "none"
            raise PhraseError(key, f"`{key}` is no key of `{name}`; its keys are {known}")
    try:
        effect = (
            _error_answer(name, value, values)
            if name.isdigit()
            else _EFFECTS[name][0](value, values)
        )
    except PhraseError:
        raise
    except ValueError as error:
        raise PhraseError(name, f"`{name}`: {error}") from error
    shown = name if value is None else f"{name}={value}"
    return Rule(
        effect=effect,
        scope=_scope(values),
        occasion=Occasion(
            rate=read(values, "rate", parse_share, 1.0),
            every=read(values, "every", parse_positive, 1),
            after=read(values, "after", parse_count, 0),
            first=find(values, "first", parse_positive),
        ),
        words=(("fault", shown), *values.items()),
    )


def _error_answer(name: str, value: str | None, values: Values) -> Effect:
    status = int(name) if len(name) == 3 else 0
    if not 400 <= status <= 599:
        raise PhraseError(name, f"`{name}` is no status of an error, from 400 to 599")
    return ErrorAnswer(
        status=status,
        code=find(values, "code", parse_name),
        retry_after=_retry_after(status, values),
        stage=_stage(value, Stage.BEFORE, Stage.AFTER),
    )


def _scope(values: Values) -> Scope:
    read(values, "service", parse_one_of("batch", "blob"), "batch")
    patterns = []
    for name in _SCOPES:
        text = read(values, name, parse_name, "")
        if text:
            patterns.append((name, tuple(part for part in text.lower().split(",") if part)))
    scope = Scope(patterns=tuple(patterns))
    _check_operations(scope, values.get("service"))
    return scope


def _check_operations(scope: Scope, service: str | None) -> None:
    """Refuses a name that no operation has: a misspelt rule would never strike."""
    wanted = dict(scope.patterns).get("operation", ())
    if not wanted:
        return
    # Imported here: it knows every operation of the services, which options do not wait for.
    from difflib import get_close_matches

    from runner.emulator.faults.naming import NAMES

    names = [name for kind in NAMES if service in (None, kind.value) for name in NAMES[kind]]
    for pattern in wanted:
        if names_like(names, pattern):
            continue
        near = get_close_matches(pattern, sorted(names), n=1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        whose = "" if service is None else f" of `{service}`"
        raise PhraseError("operation", f"`{pattern}` is no operation{whose}{hint}")


def _stage(value: str | None, *stages: Stage) -> Stage:
    if value is None:
        return Stage.BEFORE
    return Stage(parse_one_of(*(stage.value for stage in stages))(value))


def _retry_after(status: int, values: Values) -> timedelta | None:
    if values.get("retry-after") == "none":
        return None
    given = find(values, "retry-after", parse_duration)
    if given is None and status in _THROTTLING:
        return _USUAL_WAIT
    return given


def _refuse_value(value: str | None) -> None:
    if value is not None:
        raise ValueError(f"it takes no value, and has `{value}`")
