"""Whose a thing in a service is: its name and its metadata say so together, or it is not ours."""

from __future__ import annotations

import pytest

from runner.plan.model import RunId
from runner.run.removal.traces import (
    Kind,
    Trace,
    by_run,
    is_run_id,
    run_of_container,
    run_of_job,
    run_of_pool,
    run_of_schedule,
)

RUN = "demo-20260131t120000z-ab2c"
GUID = "0F3A1B2C-0000-4444-8888-0123456789AB"
OURS = {"batch-run": RUN, "workload": "demo"}


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (RUN, True),
        ("a-b-2-20260131t120000z-zzzz", True),
        ("20260131t120000z-ab2c", False),
        ("demo-20260131t120000z-ab2", False),
        ("demo-20260131t120000z-ab2c5", False),
        ("demo-20260131T120000Z-ab2c", False),
        (f"{RUN}-logs", False),
        (f"{RUN}\n", False),
    ],
)
def test_ids_of_runs(text: str, is_one: bool) -> None:
    assert is_run_id(text) is is_one


@pytest.mark.parametrize(
    ("name", "metadata", "is_ours"),
    [
        (RUN, OURS, True),
        (f"{RUN}:job-3", OURS, True),
        (RUN, {}, False),
        (RUN, {"batch-run": "demo-20260131t120000z-zzzz"}, False),
        ("their-job", OURS, False),
        (f"{RUN}-copy", OURS, False),
        ("x", {"batch-run": "x"}, False),
    ],
)
def test_jobs(name: str, metadata: dict[str, str], is_ours: bool) -> None:
    assert run_of_job(name, metadata) == (RUN if is_ours else None)


def test_schedules() -> None:
    assert run_of_schedule(RUN, OURS) == RUN
    assert run_of_schedule(RUN, {}) is None
    assert run_of_schedule("nightly", OURS) is None


@pytest.mark.parametrize(
    ("name", "metadata", "is_ours"),
    [
        (f"demo-{GUID}", OURS, True),
        (f"demo-{GUID}", {"batch-run": RUN}, False),
        (f"demo-{GUID}", {**OURS, "workload": "other"}, False),
        ("demo-pool", OURS, False),
        (GUID, OURS, False),
        ("demo-abcd", {**OURS, "pool": "abcd"}, True),
        ("demo-abcd", {**OURS, "pool": "efgh"}, False),
        ("theirs", {**OURS, "pool": "abcd"}, False),
    ],
)
def test_pools(name: str, metadata: dict[str, str], is_ours: bool) -> None:
    assert run_of_pool(name, metadata) == (RUN if is_ours else None)


def test_a_long_name_is_cut_in_the_ids_of_pools() -> None:
    workload = "abcdefghijklmnopqrstuvw"
    run = f"{workload}-20260131t120000z-ab2c"
    metadata = {"batch-run": run, "workload": workload}
    assert run_of_pool(f"abcdefghijklmnopqrs-{GUID}", metadata) == run


@pytest.mark.parametrize(
    ("name", "metadata", "is_ours"),
    [
        (f"{RUN}-input", {"batchrun": RUN}, True),
        (f"{RUN}-input", {}, False),
        (f"{RUN}-input", {"batchrun": "demo-20260131t120000z-zzzz"}, False),
        ("media", {"batchrun": RUN}, False),
        (RUN, {"batchrun": RUN}, False),
    ],
)
def test_containers(name: str, metadata: dict[str, str], is_ours: bool) -> None:
    assert run_of_container(name, metadata) == (RUN if is_ours else None)


def test_runs_are_told_by_age_and_their_things_in_the_order_in_which_they_go() -> None:
    older = RunId("zoo-20260130t120000z-aaaa")
    newer = RunId("ant-20260131t120000z-aaaa")
    traces = [
        Trace(kind=kind, name=kind.value, run=run)
        for run in (newer, older)
        for kind in (Kind.CONTAINER, Kind.POOL, Kind.JOB, Kind.SCHEDULE)
    ]
    found = by_run(traces)
    assert list(found) == [older, newer]
    assert [trace.kind for trace in found[older]] == list(Kind)
