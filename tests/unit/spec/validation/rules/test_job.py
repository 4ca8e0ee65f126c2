"""Times, schedule, metadata and environments."""

from __future__ import annotations

import pytest

from tests.unit.spec.validation.rules.checking import edited, facts_of

SPEC = """\
version: 1
name: topics
limits: {duration: 10h, wait: 1h}
containers:
  tool: {upload: [{from: tool}], delete: never}
  mine: {name: results}
pool:
  image: debian 12
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
  start_task: {command: echo}
job:
  environment: {MODE: fast}
  metadata: {project: films}
  preparation: {command: echo, timeout: 5m}
  release: {command: echo, timeout: 15m}
  schedule: {every: 1m, window: 1m, start: 2026-01-01T00:00:00Z, end: 2026-01-01T00:00:01Z}
task:
  command: echo
  resources: [{from: tool}]
  timeout: 10h
  retention: 7d
"""


def test_a_spec_that_is_right() -> None:
    assert facts_of(SPEC) == []


RIGHT = [
    ("start: 2026-01-01T00:00:00Z, end", "end"),
    ("timeout: 10h", "timeout: 1s"),
    ("timeout: 10h", "print: none\n  exit_rules: []"),
    ("{MODE: fast}", "{BATCH_RUN_TARGET: local, AZ_BATCHES: x, mode: a, MODE: b}"),
]


@pytest.mark.parametrize(("old", "new"), RIGHT)
def test_what_may_be(old: str, new: str) -> None:
    assert facts_of(edited(SPEC, old, new)) == []


BROKEN: list[tuple[str, str, list[tuple[str, str, str | None]]]] = [
    (
        "duration: 10h",
        "duration: 0h",
        [
            ("3:20 out-of-range", "`limits.duration` must be longer than nothing", None),
        ],
    ),
    (
        "wait: 1h",
        "wait: 181d",
        [
            (
                "3:31 out-of-range",
                "`limits.wait` must be at most 180d",
                "the service ends a task 180 days after it was added",
            ),
        ],
    ),
    (
        "timeout: 10h",
        "timeout: 11h",
        [
            (
                "21:12 out-of-range",
                "`task.timeout` is longer than the whole job may take",
                "lower it, or raise `limits: {duration: ...}`, which is 24h if not given",
            ),
        ],
    ),
    (
        "timeout: 10h",
        "timeout: 200d",
        [
            (
                "21:12 out-of-range",
                "`task.timeout` must be at most 180d",
                "the service ends a task 180 days after it was added",
            ),
        ],
    ),
    (
        "retention: 7d",
        "retention: 0s",
        [
            ("22:14 out-of-range", "`task.retention` must be longer than nothing", None),
        ],
    ),
    (
        "echo, timeout: 5m",
        "echo, timeout: 1d",
        [
            (
                "15:41 out-of-range",
                "`job.preparation.timeout` is longer than the whole job may take",
                "lower it, or raise `limits: {duration: ...}`, which is 24h if not given",
            ),
        ],
    ),
    (
        "timeout: 15m",
        "timeout: 15m1s",
        [
            (
                "16:37 out-of-range",
                "`job.release.timeout` must be at most 15m",
                "the service gives a release no longer",
            ),
        ],
    ),
    (
        "every: 1m",
        "every: 59s",
        [
            (
                "17:21 out-of-range",
                "`job.schedule.every` must be at least 1m",
                "the service takes nothing shorter",
            ),
        ],
    ),
    (
        "window: 1m",
        "window: 0s",
        [
            (
                "17:33 out-of-range",
                "`job.schedule.window` must be at least 1m",
                "the service takes nothing shorter",
            ),
        ],
    ),
    (
        "wait: 1h",
        "cost: 5",
        [
            (
                "3:25 schedule",
                "`limits.cost` does not hold for the jobs of a schedule",
                "bound each of them with `limits: {duration: ...}`, and their number with `end`",
            ),
        ],
    ),
    (
        "00:00:01Z",
        "00:00:00Z",
        [
            (
                "17:71 out-of-range",
                "the schedule ends before it starts",
                "`end` is a moment behind `start`",
            ),
        ],
    ),
    (
        "start: 2026-01-01",
        "start: 2026-02-30",
        [
            (
                "17:44 no-date",
                "`2026-02-30T00:00:00Z` is no moment of the calendar",
                "write it in UTC, such as `2026-03-31T06:00:00Z`",
            ),
        ],
    ),
    (
        "00:00:01Z",
        "24:00:00Z",
        [
            (
                "17:71 no-date",
                "`2026-01-01T24:00:00Z` is no moment of the calendar",
                "write it in UTC, such as `2026-03-31T06:00:00Z`",
            ),
        ],
    ),
    (
        "command: echo\n",
        "command: echo\n  for_each: {list: [a]}\n",
        [
            (
                "20:3 schedule",
                "a schedule repeats one task: no one is there to make one for each item",
                "take `for_each` away, and let the command find its work itself",
            ),
        ],
    ),
    (
        "retention: 7d\n",
        (
            "retention: 7d\n"
            "  print: stdout\n"
            "  exit_rules: [{codes: [1], job: terminate}]\n"
            "  instances: {count: 1, coordination: echo}\n"
        ),
        [
            (
                "23:3 schedule",
                "`print` has no use with `job.schedule`: no one is there to be shown anything",
                "take one of the two away",
            ),
            (
                "24:3 schedule",
                (
                    "`exit_rules` has no use with `job.schedule`: the job ends with its one task, "
                    "however that ends"
                ),
                "take one of the two away",
            ),
            (
                "25:3 instances",
                "a task of several nodes needs nodes that can reach each other",
                "add `inter_node_communication: true` to `pool`",
            ),
            (
                "25:3 schedule",
                "`instances` has no use with `job.schedule`: a scheduled task runs on one node",
                "take one of the two away",
            ),
        ],
    ),
    (
        "job:\n",
        "halt: {canary: 1}\njob:\n",
        [
            (
                "12:1 schedule",
                "`halt` has no use with `job.schedule`: no one is there to watch its jobs",
                "take one of the two away",
            ),
        ],
    ),
    (
        ", delete: never",
        "",
        [
            (
                "5:3 schedule",
                "`tool` would be deleted while the schedule still needs it",
                "add `delete: never`",
            ),
        ],
    ),
    (
        "{name: results}",
        "{name: results, delete: after-run}",
        [
            (
                "6:3 schedule",
                "`mine` would be deleted while the schedule still needs it",
                "add `delete: never`",
            ),
        ],
    ),
    (
        ("task:\n  command: echo\n  resources: [{from: tool}]\n  timeout: 10h\n  retention: 7d\n"),
        "tasks:\n  a: {command: echo}\n  b: {command: echo}\n",
        [
            (
                "17:3 schedule",
                "a schedule repeats one task, and this workload has 2 steps",
                "do it all in one step, or start the workload yourself each time",
            ),
        ],
    ),
    (
        "project: films",
        "batchrun: y, batch-run: x",
        [
            (
                "14:27 metadata",
                "the metadata `batch-run` is set by the run itself",
                "give it another name",
            ),
        ],
    ),
    (
        "project: films",
        "pool: y, workload: x",
        [
            (
                "14:23 metadata",
                "the metadata `workload` is set by the run itself",
                "give it another name",
            ),
        ],
    ),
    (
        "project: films",
        '" ": x',
        [
            (
                "14:14 metadata",
                "the name of metadata must be printable and not empty",
                "for example `metadata: {project: films}`",
            ),
        ],
    ),
    (
        "project: films",
        'a: "x\\ny"',
        [
            (
                "14:14 metadata",
                "the metadata `a` has a character that cannot be printed",
                "write it in one line",
            ),
        ],
    ),
    (
        "{MODE: fast}",
        "{AZ_BATCH_TASK_ID: x}",
        [
            (
                "13:17 reserved-variable",
                "`AZ_BATCH_TASK_ID` cannot be set: the service sets `AZ_BATCH_...` itself",
                "give the variable another name",
            ),
        ],
    ),
    (
        "start_task: {command: echo}",
        'start_task: {command: echo, environment: {az_batch_x: "1"}}',
        [
            (
                "11:45 reserved-variable",
                "`az_batch_x` cannot be set: the service sets `AZ_BATCH_...` itself",
                "give the variable another name",
            ),
        ],
    ),
    (
        "preparation: {command: echo",
        'preparation: {command: echo, environment: {BATCH_RUN_SCRIPT: "1"}',
        [
            (
                "15:46 reserved-variable",
                "`BATCH_RUN_SCRIPT` cannot be set: a run hands scripts to the nodes in it",
                "give the variable another name",
            ),
        ],
    ),
]


@pytest.mark.parametrize(("old", "new", "facts"), BROKEN)
def test_each_rule(old: str, new: str, facts: list[tuple[str, str, str | None]]) -> None:
    assert facts_of(edited(SPEC, old, new)) == facts
