"""Plans for people: a summary by step, and one task whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

from runner.plan.expand import expand
from runner.plan.model import StoredBlob
from runner.plan.run_id import UNKNOWN
from runner.report.plan_as_text import plan_summary, task_lines
from runner.spec.model.terms import Role
from tests.fakes.plans import make_plan, make_workload, spec_of

SPEC = """\
version: 1
name: whole
containers:
  input: {name: mine, upload: [{from: data}]}
  media: {existing: theirs}
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1, spot: 2}
  task_slots_per_node: 4
  node_fill: pack
  users: [{name: worker, password_secret: WORKER}]
job:
  priority: 5
  max_parallel_tasks: 7
  on_failure: stop
  metadata: {team: media}
  environment: {A: "{{ run.id }}"}
  preparation: {command: echo prepare}
tasks:
  cut:
    for_each: input
    command: cut {{ file.path }}
    environment: {B: c}
    slots: 2
    retries: 1
    timeout: 30m
    retention: 1d
    run_as: {name: worker}
    exit_rules: [{codes: [1, 10-20], job: terminate, dependents: run}]
    resources: [{from: media, to: models, mode: "0644"}]
    outputs: [{pattern: "{{ file.stem }}.out", to: output}]
  count: {for_each: {files: input, chunk: 2}, needs: [cut], command: echo}
  merge: {needs: [cut, count], command: cat output/*}
"""


def test_a_summary_by_step(tmp_path: Path) -> None:
    workload = make_workload(tmp_path, SPEC, tuple(f"{letter}.txt" for letter in "abcdef"))
    listing = [StoredBlob(name="b.txt", size_bytes=5, md5=hashlib.md5(b"b.txt").digest())]
    plan = expand(workload, folder=tmp_path, run_id=UNKNOWN, stored={Role("input"): listing})
    cut = [
        "  resource media/all files to models, mode 0644",
        "  run as worker",
        "  retries 1",
        "  timeout 30 min",
        "  retention 24 h",
        "  slots 2",
        "  exit 1, 10-20: job: terminate, dependents: run",
    ]
    assert list(plan_summary(plan)) == [
        "workload whole: 10 tasks in 3 steps",
        "container mine: 6 files (30 B) up, 1 of them unchanged and not sent again, delete: never",
        "  a.txt (5 B)",
        "  b.txt (5 B, unchanged)",
        "  c.txt (5 B)",
        "  d.txt (5 B)",
        "  e.txt (5 B)",
        "  ... and 1 more",
        "container theirs: exists, read and never deleted",
        "container <run>-output: downloaded, delete: after-success",
        (
            "pool: 1 dedicated and 2 spot nodes of Standard_D2s_v5, 4 task slots each; image"
            " canonical ubuntu-24_04-lts server latest"
        ),
        "  node fill: pack",
        "  user: worker, user",
        (
            "job: ends itself after 24 h, priority 5, at most 7 tasks at once, stops when a task"
            " has failed"
        ),
        "  environment A=<run>",
        "  metadata team=media",
        "job preparation, as user:",
        "  $ echo prepare",
        "step cut: 6 tasks for each file of input",
        *(
            line
            for number, letter in enumerate("abc", start=1)
            for line in (
                f"task 000{number} cut/{letter}.txt",
                f"  $ cut {letter}.txt",
                "  environment B=c",
                f"  resource input/{letter}.txt",
                cut[0],
                f"  output {letter}.out to output/{letter}.out on success",
                *cut[1:],
            )
        ),
        "... and 3 more (--task ID shows one)",
        "step count: 3 tasks for every 2 files of input, after cut",
        *(
            line
            for number, pair in enumerate(("ab", "cd", "ef"), start=7)
            for line in (
                f"task {number:04} count/{pair[0]}.txt … (2 files)",
                "  $ echo",
                f"  resource input/{pair[0]}.txt",
                f"  resource input/{pair[1]}.txt",
                "  needs tasks 0001 to 0006",
            )
        ),
        "step merge: 1 task, after cut and count",
        "task 0010 merge",
        "  $ cat output/*",
        "  resource output/all files to output",
        "  needs tasks 0001 to 0006",
        "  needs tasks 0007 to 0009",
    ]


def test_a_workload_of_one_step_has_no_line_for_it(tmp_path: Path) -> None:
    lines = list(plan_summary(make_plan(tmp_path)))
    assert lines[0] == "workload demo: 2 tasks"
    assert not any(line.startswith("step ") for line in lines)


def test_a_task_on_several_nodes(tmp_path: Path) -> None:
    text = spec_of(
        "task:\n"
        "  command: run 'x'\n"
        "  instances: {count: 1, coordination: start 'y', resources: [{from: input}]}\n",
        pool="  inter_node_communication: true\n",
    )
    (task,) = make_plan(tmp_path, text).tasks
    assert list(task_lines(task)) == [
        "task 0001 task",
        "  $ run 'x'",
        "  on 1 node at once, each after",
        "  $ start 'y'",
        "  resource of every node input/all files",
    ]


def test_names_that_could_steer_a_terminal(tmp_path: Path) -> None:
    (task,) = make_plan(
        tmp_path, spec_of('task: {for_each: {list: ["a\\u001b[2Jb"]}, command: echo}\n')
    ).tasks
    assert next(task_lines(task)) == "task 0001 task/a [2Jb"
