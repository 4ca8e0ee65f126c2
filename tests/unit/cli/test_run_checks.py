"""What the target cannot give is said before anything is asked or made."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from runner.cli.checks import check_runs_here, check_schedule, check_signatures
from runner.spec.messages import render_problem
from runner.spec.problem import SpecError
from tests.fakes.plans import SPEC, make_workload

EXISTING = SPEC.replace("    upload: [{from: data}]", "    existing: media")
POOL = SPEC[SPEC.index("pool:") : SPEC.index("task:")]
SCHEDULED = f"""\
version: 1
name: demo
limits: {{duration: 12h}}
{POOL}job:
  schedule: {{every: 24h, end: 2026-01-31T12:00:00Z}}
task:
  command: date
"""
LIFETIME = timedelta(days=6)


def _unasked() -> bool:
    raise AssertionError("nothing was to be looked for")


@pytest.mark.parametrize("has_engine", [True, False])
def test_containers_run_where_an_engine_does(tmp_path: Path, has_engine: bool) -> None:
    text = SPEC.replace("  for_each", "  container: {image: busybox}\n  for_each")
    text = text.replace(
        "{publisher: canonical, offer: ubuntu-24_04-lts, sku: server}", "ubuntu 22.04 containers"
    )
    workload = make_workload(tmp_path, text)
    if has_engine:
        check_runs_here(workload, find_engine=lambda: True)
        return

    with pytest.raises(SpecError) as caught:
        check_runs_here(workload, find_engine=lambda: False)

    assert [problem.message for problem in caught.value.problems] == [
        "a container image needs Azure"
    ]


def test_what_needs_azure_does_not_run_here(tmp_path: Path) -> None:
    check_runs_here(make_workload(tmp_path, SPEC), find_engine=_unasked)

    with pytest.raises(SpecError) as caught:
        check_runs_here(make_workload(tmp_path, EXISTING), find_engine=_unasked)

    assert [problem.message for problem in caught.value.problems] == [
        "container `media`, which exists already, needs Azure"
    ]


@pytest.mark.parametrize(
    ("text", "now"),
    [
        (SPEC, datetime(2030, 1, 1, tzinfo=timezone.utc)),
        (SCHEDULED, datetime(2026, 1, 31, 11, 59, 59, tzinfo=timezone.utc)),
    ],
)
def test_a_schedule_that_is_to_come(tmp_path: Path, text: str, now: datetime) -> None:
    check_schedule(make_workload(tmp_path, text), now=now)


def test_a_schedule_that_is_over(tmp_path: Path) -> None:
    workload = make_workload(tmp_path, SCHEDULED)

    with pytest.raises(SpecError) as caught:
        check_schedule(workload, now=datetime(2026, 1, 31, 12, tzinfo=timezone.utc))

    (problem,) = caught.value.problems
    assert render_problem(problem) == (
        "spec.yaml:9:31: schedule-over: the schedule has ended already: it is"
        " 2026-01-31T12:00:00Z\n"
        "    schedule: {every: 24h, end: 2026-01-31T12:00:00Z}\n"
        "                                ^^^^^^^^^^^^^^^^^^^^\n"
        "hint: write an `end` that is still to come"
    )


@pytest.mark.parametrize(
    ("text", "now"),
    [
        (SPEC, datetime(2020, 1, 1, tzinfo=timezone.utc)),
        (SCHEDULED, datetime(2026, 1, 26, tzinfo=timezone.utc)),
    ],
)
def test_signatures_that_live_long_enough(tmp_path: Path, text: str, now: datetime) -> None:
    check_signatures(make_workload(tmp_path, text), now=now, lifetime=LIFETIME)


def test_a_schedule_that_outlives_its_signatures(tmp_path: Path) -> None:
    workload = make_workload(tmp_path, SCHEDULED)
    now = datetime(2026, 1, 25, 23, 59, tzinfo=timezone.utc)

    with pytest.raises(SpecError) as caught:
        check_signatures(workload, now=now, lifetime=LIFETIME)

    (problem,) = caught.value.problems
    assert render_problem(problem) == (
        "spec.yaml:9:31: schedule-too-long: without the storage account's key the jobs reach their"
        " containers for 6 days only\n"
        "    schedule: {every: 24h, end: 2026-01-31T12:00:00Z}\n"
        "                                ^^^^^^^^^^^^^^^^^^^^\n"
        "hint: set AZURE_STORAGE_KEY or AZURE_STORAGE_CONNECTION_STRING, or an earlier `end`"
    )
