"""Plans for people: a summary by step, and one task whole."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from runner.plan.expand import expand
from runner.plan.model import StoredBlob
from runner.plan.run_id import UNKNOWN
from runner.report.plan_as_json import plan_as_json
from runner.report.plan_as_text import plan_summary, task_lines
from runner.spec.model.terms import Role
from tests.fakes.plans import make_plan, make_workload, spec_of

SPEC = """\
version: 1
name: whole
halt: {after: 10%, canary: 2}
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


TASK_IN_CONTAINER = "task: {command: echo, container: {image: evil.example/tool}}\n"


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
        (
            "  the service takes the nodes once no task has been pending for 10 min, 30 min after"
            " it made the pool at the earliest"
        ),
        "  node fill: pack",
        "  user: worker, user",
        "  secret WORKER → user worker of the nodes",
        (
            "job: ends itself after 24 h, priority 5, at most 7 tasks at once, stops when a task"
            " has failed"
        ),
        (
            "  stops early, soon: if one of the first 2 tasks fails, before the others; once 10% of"
            " the tasks have failed"
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


_NETWORKS = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network"
SUBNET = f"{_NETWORKS}/virtualNetworks/v/subnets/n"
ADDRESSES = f"{_NETWORKS}/publicIPAddresses"
REMOTE = """\
  registries: [{server: evil.example, user: me, password_secret: GHCR}]
  mounts:
    - {path: b, blob: {account: acct, container: films, sas_secret: FILMS}, options: -o ro}
    - path: f
      file_share: {account: acct, url: "https://acct.file.core.windows.net/s", key_secret: SHARE}
    - {path: n, nfs: {source: "10.0.0.4:/export"}}
    - {path: c, cifs: {source: //server/share, user: me, password_secret: GHCR}}
  network:
    subnet: SUBNET
    public_addresses: [ADDRESSES/a, ADDRESSES/b]
""".replace("SUBNET", SUBNET).replace("ADDRESSES", ADDRESSES)


def test_what_nodes_reach_and_where_secrets_go(tmp_path: Path) -> None:
    text = spec_of(TASK_IN_CONTAINER, pool=REMOTE).replace(
        "canonical, offer: ubuntu-24_04-lts, sku: server",
        "microsoft-dsvm, offer: ubuntu-hpc, sku: '2204'",
    )
    lines = list(plan_summary(make_plan(tmp_path, text)))
    start = next(index for index, line in enumerate(lines) if line.startswith("  the service")) + 1
    share = "file share https://acct.file.core.windows.net/s of storage account acct"
    assert lines[start : lines.index("job: ends itself after 24 h")] == [
        "  registry: evil.example as user me",
        "  mount: b from container films of storage account acct, options -o ro",
        f"  mount: f from {share}",
        "  mount: n from NFS 10.0.0.4:/export",
        "  mount: c from CIFS //server/share as user me",
        f"  network: subnet {SUBNET}, public addresses {ADDRESSES}/a, {ADDRESSES}/b",
        "  secret GHCR → registry evil.example",
        "  secret FILMS → container films of storage account acct",
        f"  secret SHARE → {share}",
        "  secret GHCR → CIFS //server/share as user me",
    ]
    plan = json.loads("".join(plan_as_json(make_plan(tmp_path, text))))
    assert plan["secrets"] == [
        {"name": "GHCR", "goes_to": "registry evil.example"},
        {"name": "FILMS", "goes_to": "container films of storage account acct"},
        {"name": "SHARE", "goes_to": share},
        {"name": "GHCR", "goes_to": "CIFS //server/share as user me"},
    ]


def test_what_goes_to_the_service_as_it_was_written(tmp_path: Path) -> None:
    text = spec_of(
        "task:\n  command: echo\n  extra: {userIdentity: {autoUser: {scope: pool}}}\n",
        pool='  extra: {displayName: "a\\nb", resizeTimeout: PT20M}\n',
        job="  extra: {displayName: nightly ä}\n",
    )
    plan = make_plan(tmp_path, text)
    of_task = '  extra {"userIdentity": {"autoUser": {"scope": "pool"}}}'
    assert [line for line in plan_summary(plan) if line.startswith("  extra")] == [
        '  extra {"displayName": "a\\nb", "resizeTimeout": "PT20M"}',
        '  extra {"displayName": "nightly ä"}',
        of_task,
    ]
    assert list(task_lines(plan.tasks[0])) == ["task 0001 task", "  $ echo", of_task]


def test_what_is_no_file(tmp_path: Path) -> None:
    make_workload(tmp_path)
    for number in range(6):
        os.mkfifo(tmp_path / "data" / f"{number}\n")
    plan = make_plan(tmp_path)
    assert list(plan_summary(plan))[1:9] == [
        "container demo-20260102t030405z-abcd-input: 2 files (10 B) up, delete: after-success",
        "  passed over, as no files: 6",
        *(f"    data/{number}\\n (named pipe)" for number in range(5)),
        "    ... and 1 more",
    ]
    (container, _) = json.loads("".join(plan_as_json(plan)))["containers"]
    assert container["passed_over"] == {
        "count": 6,
        "first": [{"path": f"data/{number}\n", "what": "named pipe"} for number in range(5)],
    }


def test_links_out_of_the_folder_of_the_spec(tmp_path: Path) -> None:
    here, secret = tmp_path / "here", tmp_path / "key\n"
    secret.write_text("s3cret")
    make_workload(here)
    for number in range(6):
        (here / "data" / f"{number}").symlink_to(secret)
    plan = make_plan(here)
    target = f"{tmp_path.resolve()}/key"
    assert list(plan_summary(plan))[1:9] == [
        "container demo-20260102t030405z-abcd-input: 8 files (46 B) up, delete: after-success",
        "  leading out of the folder of the spec: 6 links",
        *(f"    data/{number} → {target}\\n" for number in range(5)),
        "    ... and 1 more",
    ]
    (container, _) = json.loads("".join(plan_as_json(plan)))["containers"]
    assert container["outside_links"] == {
        "count": 6,
        "first": [{"path": f"data/{number}", "target": f"{target}\n"} for number in range(5)],
    }


@pytest.mark.parametrize(
    ("more", "stored", "line"),
    [
        ("", (), "cleared first (all that is in it is deleted), 2 files (10 B) up, delete: never"),
        (
            "",
            ("a.txt",),
            (
                "cleared first (all that is in it is deleted, but for files that are unchanged),"
                " 2 files (10 B) up, 1 of them unchanged and not sent again, delete: never"
            ),
        ),
        (", delete: after-run", (), None),
    ],
)
def test_a_container_that_is_cleared(
    tmp_path: Path, more: str, stored: tuple[str, ...], line: str | None
) -> None:
    text = spec_of("task: {for_each: input, command: echo}\n").replace(
        "    upload: [{from: data}]",
        f"    {{name: mine, upload: [{{from: data}}], if_not_empty: clear{more}}}",
    )
    listing = [
        StoredBlob(name=name, size_bytes=5, md5=hashlib.md5(name.encode()).digest())
        for name in stored
    ]
    plan = make_plan(tmp_path, text, stored={Role("input"): listing})
    line = line or (
        "cleared first (all that is in it is deleted), 2 files (10 B) up, delete: after-run"
    )
    assert list(plan_summary(plan))[1] == f"container mine: {line}"


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
