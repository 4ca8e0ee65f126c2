"""Conditional requests: every operation that takes conditions, with conditions of every kind."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.wire.account import REFERENCE, Account, Answer, play

WIRE = REFERENCE / "wire-2025-06-01.json"
POOL_INFO = {"poolInfo": {"poolId": "p"}}
SCHEDULE = {"schedule": {"recurrenceInterval": "PT10M"}, "jobSpecification": POOL_INFO}


async def with_pool(a: Account) -> str:
    await a.node()
    return "/pools/p"


async def with_resizing_pool(a: Account) -> str:
    await a.pool()
    return "/pools/p"


async def with_job(a: Account) -> str:
    await a.job()
    return "/jobs/j"


async def with_disabled_job(a: Account) -> str:
    await a.job()
    await a.make("/jobs/j/disable", {"disableTasks": "wait"}, status=202)
    return "/jobs/j"


async def with_schedule(a: Account) -> str:
    await a.make("/jobschedules", {"id": "s", **SCHEDULE})
    return "/jobschedules/s"


async def with_disabled_schedule(a: Account) -> str:
    path = await with_schedule(a)
    await a.make(f"{path}/disable", None, status=204)
    return path


async def with_task(a: Account) -> str:
    await a.job()
    await a.task()
    return "/jobs/j/tasks/t"


async def with_failed_task(a: Account) -> str:
    await a.node()
    await a.job()
    await a.task(command="1")
    await a.wait()
    return "/jobs/j/tasks/t"


@dataclass(frozen=True, slots=True)
class Case:
    """A request on something that is made first; `{node}` stands for a node."""

    make: Callable[[Account], Awaitable[str]]
    method: str
    operation: str = ""
    body: Any = None

    @property
    def reads(self) -> bool:
        """Whether nothing is changed."""
        return self.method in ("GET", "HEAD")


CASES = {
    "delete_pool": Case(with_pool, "DELETE"),
    "pool_exists": Case(with_pool, "HEAD"),
    "get_pool": Case(with_pool, "GET"),
    "update_pool": Case(with_pool, "PATCH", body={"metadata": []}),
    "enable_pool_auto_scale": Case(
        with_pool, "POST", "/enableautoscale", {"autoScaleFormula": "$TargetDedicatedNodes=1;"}
    ),
    "resize_pool": Case(with_pool, "POST", "/resize", {"targetDedicatedNodes": 1}),
    "stop_pool_resize": Case(with_resizing_pool, "POST", "/stopresize"),
    "remove_nodes": Case(with_pool, "POST", "/removenodes", {"nodeList": ["{node}"]}),
    "delete_job": Case(with_job, "DELETE"),
    "get_job": Case(with_job, "GET"),
    "update_job": Case(with_job, "PATCH", body={"priority": 1}),
    "replace_job": Case(with_job, "PUT", body=POOL_INFO),
    "disable_job": Case(with_job, "POST", "/disable", {"disableTasks": "wait"}),
    "enable_job": Case(with_disabled_job, "POST", "/enable"),
    "terminate_job": Case(with_job, "POST", "/terminate"),
    "job_schedule_exists": Case(with_schedule, "HEAD"),
    "delete_job_schedule": Case(with_schedule, "DELETE"),
    "get_job_schedule": Case(with_schedule, "GET"),
    "update_job_schedule": Case(with_schedule, "PATCH", body={"metadata": []}),
    "replace_job_schedule": Case(with_schedule, "PUT", body=SCHEDULE),
    "disable_job_schedule": Case(with_schedule, "POST", "/disable"),
    "enable_job_schedule": Case(with_disabled_schedule, "POST", "/enable"),
    "terminate_job_schedule": Case(with_schedule, "POST", "/terminate"),
    "delete_task": Case(with_task, "DELETE"),
    "get_task": Case(with_task, "GET"),
    "replace_task": Case(with_task, "PUT", body={"constraints": {"maxTaskRetryCount": 1}}),
    "terminate_task": Case(with_task, "POST", "/terminate"),
    "reactivate_task": Case(with_failed_task, "POST", "/reactivate"),
}


@pytest.mark.skipif(not WIRE.is_file(), reason=f"what the SDK speaks is not described at {WIRE}")
def test_these_are_all_operations_with_etags() -> None:
    operations = json.loads(WIRE.read_text(encoding="utf-8"))["operations"]
    conditional = {
        name.removeprefix("_").removesuffix("_internal")
        for name, operation in operations.items()
        if "If-Match" in operation["headers"]
    }
    assert conditional == CASES.keys()


def unmet(tag: str, modified: str) -> list[dict[str, str]]:
    """Conditions that do not hold."""
    moment = parsedate_to_datetime(modified)
    before, after = (
        format_datetime(moment + timedelta(seconds=seconds), usegmt=True) for seconds in (-1, 1)
    )
    return [
        {"if-match": "0x8D0000000000000"},
        {"if-none-match": tag},
        {"if-none-match": f'"{tag}"'},
        {"if-none-match": "*"},
        {"if-modified-since": modified},
        {"if-modified-since": after},
        {"if-unmodified-since": before},
    ]


def met(tag: str, modified: str) -> list[dict[str, str]]:
    """Conditions that hold."""
    return [
        {"if-match": tag},
        {"if-match": f'"{tag}"'},
        {"if-match": "*"},
        {"if-match": f'"0x8D0000000000000", "{tag}"'},
        {"if-none-match": "0x8D0000000000000"},
        {"if-unmodified-since": modified},
    ]


async def _send(a: Account, case: Case, path: str, headers: dict[str, str]) -> Answer:
    body = case.body
    if isinstance(body, dict) and "nodeList" in body:
        listed = await a.get("/pools/p/nodes")
        body = {"nodeList": [listed.body["value"][0]["id"]]}
    return await a.ask(case.method, f"{path}{case.operation}", body, headers=headers)


@pytest.mark.parametrize("name", CASES)
def test_a_condition_that_is_not_met_changes_nothing(name: str, tmp_path: Path) -> None:
    case = CASES[name]

    async def story(a: Account) -> None:
        path = await case.make(a)
        before = await a.ask("GET", path)
        for headers in unmet(before.headers["etag"], before.headers["last-modified"]):
            answer = await _send(a, case, path, headers)
            assert answer.status == (304 if case.reads else 412), headers
            assert answer.code == (None if case.reads else "ConditionNotMet")
        assert (await a.ask("GET", path)).body == before.body

    play(tmp_path, story)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("number", range(6))
def test_a_condition_that_is_met(name: str, number: int, tmp_path: Path) -> None:
    case = CASES[name]

    async def story(a: Account) -> Answer:
        path = await case.make(a)
        before = await a.ask("GET", path)
        headers = met(before.headers["etag"], before.headers["last-modified"])[number]
        return await _send(a, case, path, headers)

    answer: Answer = play(tmp_path, story)
    assert answer.status in (200, 202, 204), answer.body


def test_two_conditions_at_once_are_refused(tmp_path: Path) -> None:
    async def story(a: Account) -> Answer:
        path = await with_job(a)
        return await a.ask("DELETE", path, headers={"if-match": "*", "if-none-match": "x"})

    answer: Answer = play(tmp_path, story)
    assert (answer.status, answer.code) == (400, "MultipleConditionHeadersNotSupported")
