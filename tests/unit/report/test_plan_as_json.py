"""Plans as data: everything that a run would do, no secret, the same text each time."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from runner.plan.expand import expand
from runner.plan.model import StoredBlob
from runner.plan.run_id import UNKNOWN
from runner.report.plan_as_json import plan_as_json, task_as_json, write_plan
from runner.spec.model.terms import Role
from tests.fakes.plans import make_plan, make_workload, spec_of

SPEC = """\
version: 1
name: whole
parameters: {n: {type: integer, default: 3}}
limits: {duration: 2h}
containers:
  input: {name: mine, upload: [{from: data}], if_not_empty: clear}
  media: {existing: theirs, prefix: x/}
  output: {download: true, delete: never}
pool:
  image: {publisher: microsoft-dsvm, offer: ubuntu-hpc, sku: '2204'}
  vm_size: Standard_D2s_v5
  nodes: {spot: "{{ parameters.n }}"}
  task_slots_per_node: 4
  node_fill: pack
  packages: {apt: [jq]}
  start_task: {command: echo hi, retries: 2}
  container_images: [r.io/tool]
  registries: [{server: r.io, user: me, password_secret: REGISTRY}]
  mounts:
    - path: m
      file_share: {account: a, url: "https://a.file.core.windows.net/s", key_secret: KEY}
  users: [{name: worker, password_secret: WORKER, rights: admin}]
  applications: [{id: tool, version: "1.0"}]
  inter_node_communication: false
job:
  priority: 5
  max_parallel_tasks: 7
  on_failure: stop
  metadata: {team: media}
  environment: {A: "{{ run.id }}"}
  preparation: {command: echo prepare}
  release: {command: echo release}
tasks:
  cut:
    for_each: input
    command: cut {{ file.path }}
    slots: 2
    retries: 1
    timeout: 30m
    retention: 1d
    run_as: {name: worker}
    print: stdout
    exit_rules:
      - {codes: [1, 10-20], job: terminate}
      - {causes: [upload-error], dependents: run}
    container: {image: "r.io/tool:{{ parameters.n }}", options: --rm, working_directory: image}
    resources:
      - {from: media, prefix: models/, to: models, mode: "0644"}
      - {url: "https://example.org/{{ file.name }}", to: extra.bin}
    outputs:
      - {pattern: "{{ file.stem }}.out", to: output}
      - {pattern: "*.log", to: output, when: completion}
  merge:
    needs: cut
    command: cat output/*
    applications: [{id: tool}]
    container: {image: r.io/tool}
"""
NODE_COMMAND: dict[str, Any] = {
    "environment": {},
    "script_file": None,
    "script_name": None,
    "secrets": {},
    "resources": [],
    "run_as": "user",
    "wait_for_success": True,
    "retries": 0,
    "timeout_seconds": None,
}


def whole(folder: Path) -> tuple[str, dict[str, Any]]:
    """The text of that plan, and what is in it."""
    workload = make_workload(folder, SPEC, ("a.txt", "b.txt"))
    listing = [StoredBlob(name="a.txt", size_bytes=5, md5=hashlib.md5(b"a.txt").digest())]
    plan = expand(workload, folder=folder, run_id=UNKNOWN, stored={Role("input"): listing})
    text = "".join(plan_as_json(plan))
    return text, json.loads(text)


def test_the_same_plan_is_the_same_text(tmp_path: Path) -> None:
    assert whole(tmp_path)[0] == whole(tmp_path)[0]


def test_containers(tmp_path: Path) -> None:
    _, plan = whole(tmp_path)
    data = tmp_path / "data"
    assert plan["containers"] == [
        {
            "role": "input",
            "name": "mine",
            "prefix": None,
            "made": False,
            "existing": False,
            "if_not_empty": "clear",
            "download": False,
            "delete": "never",
            "files": [
                {"source": f"{data}/a.txt", "blob": "a.txt", "bytes": 5, "skipped": "unchanged"},
                {"source": f"{data}/b.txt", "blob": "b.txt", "bytes": 5, "skipped": None},
            ],
        },
        {
            "role": "media",
            "name": "theirs",
            "prefix": "x/",
            "made": False,
            "existing": True,
            "if_not_empty": None,
            "download": False,
            "delete": "never",
            "files": [],
        },
        {
            "role": "output",
            "name": "<run>-output",
            "prefix": None,
            "made": True,
            "existing": False,
            "if_not_empty": "keep",
            "download": True,
            "delete": "never",
            "files": [],
        },
    ]


def test_files_that_are_there_already(tmp_path: Path) -> None:
    text = spec_of("task: {for_each: input, command: echo}\n").replace(
        "upload: [{from: data}]", "existing: media"
    )
    stored = {Role("input"): [StoredBlob(name="a.txt", size_bytes=7, md5=None)]}
    plan = json.loads("".join(plan_as_json(make_plan(tmp_path, text, stored=stored))))
    assert plan["containers"][0]["files"] == [
        {"source": None, "blob": "a.txt", "bytes": 7, "skipped": "stored"}
    ]


def test_the_pool(tmp_path: Path) -> None:
    text, plan = whole(tmp_path)
    pool = plan["pool"]
    start_task = pool.pop("start_task")
    assert start_task["command"].endswith("fi\nset --\necho hi")
    assert (start_task["run_as"], start_task["retries"]) == ("admin", 2)
    assert start_task["timeout_seconds"] is None
    assert pool == {
        "image": {
            "publisher": "microsoft-dsvm",
            "offer": "ubuntu-hpc",
            "sku": "2204",
            "version": "latest",
            "alias": None,
        },
        "os": "linux",
        "vm_size": "Standard_D2s_v5",
        "dedicated_nodes": 0,
        "spot_nodes": 3,
        "fallback": None,
        "gives_back": {"idle_seconds": 600, "earliest_seconds": 1800},
        "task_slots_per_node": 4,
        "node_fill": "pack",
        "node_retries": 0,
        "packages": ["jq"],
        "container_images": ["r.io/tool"],
        "registries": [{"server": "r.io", "user": "me", "password_secret": "REGISTRY"}],
        "mounts": [
            {
                "path": "m",
                "file_share": {
                    "account": "a",
                    "url": "https://a.file.core.windows.net/s",
                    "key_secret": "KEY",
                },
                "options": "",
            }
        ],
        "network": None,
        "users": [{"name": "worker", "rights": "admin", "password_secret": "WORKER"}],
        "inter_node_communication": False,
        "applications": [{"id": "tool", "version": "1.0"}],
        "keep_seconds": None,
        "extra": {},
    }
    assert "sig=" not in text
    assert plan["secrets"] == [
        {"name": "REGISTRY", "goes_to": "registry r.io"},
        {
            "name": "KEY",
            "goes_to": "file share https://a.file.core.windows.net/s of storage account a",
        },
        {"name": "WORKER", "goes_to": "user worker of the nodes"},
    ]


def test_the_job(tmp_path: Path) -> None:
    _, plan = whole(tmp_path)
    assert (plan["v"], plan["run"], plan["workload"]) == (1, "<run>", "whole")
    assert plan["parameters"] == {"n": 3}
    release = {
        **NODE_COMMAND,
        "command": "echo release",
        "command_line": "/bin/bash -c 'set -e -o pipefail; echo release'",
    }
    assert plan["halt"] == {"after": None, "when": "soon", "same_failure": None, "canary": 0}
    assert plan["job"] == {
        "duration_seconds": 7200,
        "wait_seconds": 7200,
        "priority": 5,
        "max_parallel_tasks": 7,
        "on_failure": "stop",
        "environment": {"A": "<run>"},
        "metadata": {"team": "media"},
        "preparation": {
            **NODE_COMMAND,
            "command": "echo prepare",
            "command_line": "/bin/bash -c 'set -e -o pipefail; echo prepare'",
            "rerun_on_reboot": True,
        },
        "release": release,
        "schedule": None,
        "extra": {},
    }


def test_the_tasks(tmp_path: Path) -> None:
    _, plan = whole(tmp_path)
    assert plan["steps"] == [
        {"name": "cut", "needs": [], "first": 1, "last": 2},
        {"name": "merge", "needs": ["cut"], "first": 3, "last": 3},
    ]
    assert plan["tasks"][0] == {
        "id": "0001",
        "name": "cut/a.txt",
        "item": "a.txt",
        "command": "cut a.txt",
        "command_line": "/bin/bash -c 'set -e -o pipefail; cut a.txt'",
        "environment": {},
        "script_file": None,
        "script_name": None,
        "secrets": {},
        "coordination": None,
        "resources": [
            {"role": "input", "blob": "a.txt", "path": "a.txt", "mode": None},
            {"role": "media", "prefix": "x/models/", "path": "models", "mode": "0644"},
            {"url": "https://example.org/a.txt", "path": "extra.bin", "mode": None},
        ],
        "shared_resources": [],
        "outputs": [
            {
                "pattern": "a.out",
                "role": "output",
                "path": "a.out",
                "blob": "a.out",
                "when": "success",
            },
            {
                "pattern": "*.log",
                "role": "output",
                "path": "0001",
                "blob": None,
                "when": "completion",
            },
        ],
        "needs": [],
        "container_image": "r.io/tool:3",
        "step": "cut",
        "shell": "bash",
        "run_as": {"name": "worker"},
        "retries": 1,
        "retries_by_cause": {},
        "most_preemptions": None,
        "timeout_seconds": 1800,
        "retention_seconds": 86400,
        "slots": 2,
        "exit_rules": [
            {"codes": [[1, 1], [10, 20]], "causes": [], "job": "terminate", "dependents": None},
            {"codes": [], "causes": ["upload-error"], "job": None, "dependents": "run"},
        ],
        "container": {"options": "--rm", "working_directory": "image"},
        "instances": None,
        "applications": [],
        "print": "stdout",
        "extra": {},
    }
    assert plan["tasks"][2]["needs"] == [{"first": 1, "last": 2}]
    assert plan["tasks"][2]["applications"] == [{"id": "tool", "version": None}]


def test_one_task_is_as_in_the_whole(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    whole_plan = json.loads("".join(plan_as_json(plan)))
    assert json.loads(json.dumps(task_as_json(plan.tasks[1]))) == whole_plan["tasks"][1]


def test_a_schedule_and_an_existing_pool(tmp_path: Path) -> None:
    text = spec_of(
        "task: {command: echo}\n",
        job="  schedule: {every: 1d, window: 1h, end: 2099-01-01T00:00:00Z}\n",
    )
    text = text.replace("{from: data}]", "{from: data}]\n    delete: never")
    text = text.replace("{download: true}", "{delete: never}")
    start, end = text.index("pool:"), text.index("job:")
    text = f"{text[:start]}pool: {{existing: theirs}}\n{text[end:]}"
    plan = json.loads("".join(plan_as_json(make_plan(tmp_path, text))))
    assert plan["job"]["schedule"] == {
        "every_seconds": 86400,
        "window_seconds": 3600,
        "start": None,
        "end": "2099-01-01T00:00:00+00:00",
    }
    assert plan["pool"] == {"existing": "theirs", "os": "linux"}


def test_a_file_of_it(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    write_plan(tmp_path / "plan.json", plan)
    assert (tmp_path / "plan.json").read_text() == "".join(plan_as_json(plan))
