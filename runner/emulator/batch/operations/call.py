"""One request, decoded as far as every operation needs it, and what operations work with.

It must not know what any operation does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from runner.emulator.batch.applications import Applications
from runner.emulator.batch.core.ids import JobId, NodeId, PoolId, ScheduleId, TaskId
from runner.emulator.batch.core.refusal import Reason, RefusedError, invalid_query
from runner.emulator.batch.core.state import State
from runner.emulator.batch.disturbance import Disturbance
from runner.emulator.batch.operations.shapes import Shape
from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class Account:
    """What the operations of an account share.

    `task_shape` is built once, since it reads every task; `nodes` is where the folders of nodes
    are, each under its node's id; `disturbance` has faults that are asked for happen.
    """

    state: State
    task_shape: Shape
    nodes: Path
    disturbance: Disturbance
    applications: Applications


def _as_it_is(body: object) -> object:
    return body


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request: `path` and `query` are decoded, names of query parameters in lower case."""

    account: Account
    endpoint: str
    """The account's URL by which the request came, without a slash at its end."""
    now: datetime
    request_id: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    raw_query: str
    resource: str
    """The path as sent, below the account."""
    headers: Mapping[str, str]
    content: bytes
    adapt: Callable[[object], object] = _as_it_is
    """Changes a body of an older api-version into the emulator's own form."""

    @property
    def state(self) -> State:
        """What the core knows."""
        return self.account.state

    @property
    def url(self) -> str:
        """What was asked for, without the query."""
        return f"{self.endpoint}{self.resource}"

    @cached_property
    def body(self) -> object:
        """The JSON sent, None where nothing was; raises `RefusedError`."""
        if not self.content:
            return None
        try:
            body: object = json.loads(self.content, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise RefusedError(
                Reason.BODY_INVALID, ("Reason", "The content is not valid JSON")
            ) from error
        return self.adapt(body)

    @property
    def pool(self) -> PoolId:
        """The pool that the path names."""
        return PoolId(self.path["poolId"])

    @property
    def node(self) -> NodeId:
        """The node that the path names."""
        return NodeId(self.path["nodeId"])

    @property
    def job(self) -> JobId:
        """The job that the path names."""
        return JobId(self.path["jobId"])

    @property
    def schedule(self) -> ScheduleId:
        """The job schedule that the path names."""
        return ScheduleId(self.path["jobScheduleId"])

    @property
    def task(self) -> TaskId:
        """The task that the path names."""
        return TaskId(self.path["taskId"])

    def flag(self, name: str) -> bool:
        """A query parameter that is true or false, false where it is absent."""
        text = self.query.get(name, "false")
        if text.lower() not in ("true", "false"):
            raise invalid_query(name, text, "The value is neither true nor false")
        return text.lower() == "true"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
