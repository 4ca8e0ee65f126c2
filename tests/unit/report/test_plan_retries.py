"""What a plan says of further tries, and of nodes in the place of others."""

from __future__ import annotations

import json
from pathlib import Path

from runner.report.plan_as_json import plan_as_json
from runner.report.plan_as_text import plan_summary, task_lines
from tests.fakes.plans import make_plan, spec_of

STEP = """\
task:
  command: echo
  timeout: 5m
  retries:
    exit_code: 2
    timeout: {times: 1, backoff: 0s}
    preemption: 9
    backoff: 30s
"""
NODES = "{spot: 3, fallback: {after_preemptions: 1, wait: 15m}}"


def test_the_text(tmp_path: Path) -> None:
    spec = spec_of(STEP).replace("{dedicated: 1}", NODES)
    plan = make_plan(tmp_path, spec, ("a.txt",))
    settings = [line for line in task_lines(plan.tasks[0]) if "retries" in line or "preem" in line]
    assert settings == [
        "  retries after exit_code 2, the first 30 s later",
        "  retries after timeout 1, at once",
        "  preemptions at most 9",
    ]
    assert (
        "  3 dedicated nodes in the place of the spot nodes: where these are refused, after"
        " 1 preemption, after 15 min without any"
    ) in "\n".join(plan_summary(plan)).splitlines()


def test_the_data(tmp_path: Path) -> None:
    spec = spec_of(STEP).replace("{dedicated: 1}", NODES)
    plan = make_plan(tmp_path, spec, ("a.txt",))
    value = json.loads("".join(plan_as_json(plan)))
    assert value["pool"]["fallback"] == {
        "dedicated_nodes": 3,
        "after_preemptions": 1,
        "wait_seconds": 900,
    }
    step = json.dumps(value)
    assert (
        '"retries": 0, "retries_by_cause": {"exit_code": {"times": 2, "backoff_seconds": 30.0},'
        ' "timeout": {"times": 1, "backoff_seconds": 0.0}}, "most_preemptions": 9'
    ) in step
