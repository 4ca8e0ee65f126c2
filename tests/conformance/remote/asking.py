"""Requests for the emulator, and waits until it has done what they ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from runner.connect import Services
from runner.plan.model import CommandLine, TaskId
from runner.run.services import (
    AutoPool,
    JobRequest,
    NodeCommandRequest,
    PoolRequest,
    TaskRequest,
    TaskState,
    TaskStatus,
)
from runner.spec.model.pool import FixedNodes
from runner.spec.model.terms import Elevation
from tests.unit.remote.samples import JOB, POOL, POOL_REQUEST, TASK


def bash(script: str, **environment: str) -> CommandLine:
    """A command that a shell runs; the script holds no single quote."""
    return CommandLine(line=f"/bin/bash -c '{script}'", environment=environment, script=script)


def make_command(script: str) -> NodeCommandRequest:
    """A start, preparation or release task that runs a script."""
    return NodeCommandRequest(
        command=bash(script),
        resources=(),
        run_as=Elevation.USER,
        retries=0,
        timeout=None,
        wait_for_success=True,
    )


def make_pool(name: str, start_task: NodeCommandRequest | None = None) -> PoolRequest:
    return replace(
        POOL_REQUEST,
        pool=replace(POOL, size=FixedNodes(dedicated=1, spot=0)),
        start_task=start_task,
        metadata={"run": name},
    )


def make_job(name: str, start_task: NodeCommandRequest | None = None) -> JobRequest:
    pool = AutoPool(id_prefix="test-", request=make_pool(name, start_task), keep=False)
    return replace(JOB, id=name, pool=pool, duration=timedelta(hours=1), metadata={"run": name})


def make_task(number: int, command: CommandLine) -> TaskRequest:
    return replace(TASK, id=TaskId(f"{number:04}"), display_name=f"main/{number}", command=command)


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    pause = threading.Event().wait
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        pause(0.02)


def ended(services: Services, job_id: str) -> dict[str, TaskStatus]:
    """The completed tasks, by id."""
    return {
        task.id: task
        for task in services.batch.task_changes(job_id, None)
        if task.state is TaskState.COMPLETED
    }


def sized(name: str, nodes: int, *, run: str = "r1") -> PoolRequest:
    """A pool that another run may use too."""
    size = FixedNodes(dedicated=nodes, spot=0)
    return replace(
        make_pool(name), pool=replace(POOL, size=size), metadata={"run": run, "pool": name}
    )


def idle_nodes(services: Services, pool_id: str) -> list[str]:
    """The ids of nodes that wait for work, where all do."""
    nodes = services.batch.node_statuses(pool_id)
    return [node.id for node in nodes] if all(node.state == "idle" for node in nodes) else []
