"""Services in trouble: ridden over, given up in time and taken up again, or told at a line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import LIMIT_SECONDS, Emulator, User, wait_until

SPEC = """\
version: 1
name: demo
limits: {patience: PATIENCE}
containers:
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
task:
  for_each: {range: {from: 1, to: 8}}
  command: echo {{ item }} > n-{{ item }}
  outputs: [{pattern: "n-{{ item }}", to: output}]
"""
WHOLE = {f"n-{n}": f"{n}\n" for n in range(1, 9)}


@pytest.fixture
def emulator(shared_emulator: Emulator) -> Iterator[Emulator]:
    """One that has no rules before a test, nor after it."""
    tell(shared_emulator, "PUT", [])
    yield shared_emulator
    tell(shared_emulator, "PUT", [])


@pytest.fixture
def azure(user: User, emulator: Emulator) -> User:
    """A user whose environment names two accounts, which the emulator has."""
    return user.with_environ(**emulator.environ)


def tell(emulator: Emulator, method: str, body: object = None) -> Any:
    """Asks `/.emulator/faults`."""
    origin = emulator.batch["endpoint"].rpartition("/")[0]
    request = urllib.request.Request(
        f"{origin}/.emulator/faults",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def idle(emulator: Emulator) -> list[dict[str, Any]]:
    """The rules that have not struck."""
    return [rule for rule in tell(emulator, "GET")["rules"] if not rule["strikes"]]


def outputs(user: User) -> dict[str, str]:
    """What the tasks made, by name."""
    found = user.folder / "out" / "output"
    return {path.name: path.read_text() for path in sorted(found.iterdir())}


def run(user: User, spec: str) -> subprocess.CompletedProcess[str]:
    """A run of a spec that is written first."""
    user.write("spec.yaml", spec)
    return user.run("spec.yaml", "--target", "azure", "--output", "out")


def test_every_kind_of_trouble_is_ridden_over(azure: User, emulator: Emulator) -> None:
    faults = (
        {"fault": "429", "retry-after": "1s"},
        {"fault": "500"},
        {"fault": "503", "retry-after": "none"},
        {"fault": "500=after"},
        {"fault": "reset"},
        {"fault": "reset=after"},
        {"fault": "reset=body"},
        {"fault": "timeout", "for": "500ms"},
    )
    # The first call, which asks whether there is a service at all, has no patience with silence.
    rules = [
        {"service": service, **fault, "first": 1, "after": 2 + 2 * number}
        for service in ("batch", "blob")
        for number, fault in enumerate(faults)
    ]
    tell(emulator, "PUT", rules)
    result = run(azure, SPEC.replace("PATIENCE", "15m"))
    assert result.returncode == os.EX_OK, result.stderr
    assert outputs(azure) == WHOLE
    assert idle(emulator) == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            {"fault": "503", "service": "batch", "operation": "list_tasks", "retry-after": "none"},
            (
                r"batch-run: Azure Batch could not list the tasks of job `demo-\S+`: it has"
                r" answered 503 ServerBusy for 1s, since \S+: The server is currently unable to"
                r" receive requests\. Please retry your request"
            ),
        ),
        (
            {"fault": "reset", "service": "batch", "operation": "list_tasks"},
            (
                r"batch-run: Azure Batch at \S+ is out of reach for 1s, since \S+: Connection reset"
                r" by peer"
            ),
        ),
        (
            {"fault": "429", "service": "blob", "operation": "get_blob", "retry-after": "9s"},
            (
                r"batch-run: Blob Storage could not give blob `demo-\S+`: it has answered 429"
                r" TooManyRequests for 1s, since \S+: .*"
            ),
        ),
        (
            {"fault": "task-error=ServerError"},
            (
                r"batch-run: Azure Batch could not add task `0001` and 7 more: it has answered"
                r" \w+ for 1s, since \S+: .*"
            ),
        ),
    ],
    ids=["503", "reset", "429", "task-error"],
)
def test_trouble_beyond_our_patience_ends_a_run_that_can_be_taken_up(
    azure: User, emulator: Emulator, fault: dict[str, object], words: str
) -> None:
    tell(emulator, "PUT", [fault])
    result = run(azure, SPEC.replace("PATIENCE", "1s"))
    assert result.returncode == 3, result.stderr
    lines = result.stderr.splitlines()
    assert [line for line in lines if re.fullmatch(words, line)], result.stderr
    run_id = azure.last_run().name
    assert f"batch-run resume {run_id}" in lines[-1]

    tell(emulator, "PUT", [])
    again = azure.run("resume")
    assert again.returncode == os.EX_OK, again.stderr
    assert outputs(azure) == WHOLE


def test_a_run_goes_on_by_itself_when_the_network_is_back(azure: User, emulator: Emulator) -> None:
    spec = SPEC.replace("PATIENCE", "15m").replace("command: echo", "command: sleep 0.5; echo")
    azure.write("spec.yaml", spec)
    process = azure.start("spec.yaml", "--target", "azure", "--output", "out")
    events = azure.folder / ".batch-run" / "runs"
    wait_until(
        lambda: any("task.started" in each.read_text() for each in events.glob("*/events.jsonl")),
        what="a task runs",
    )
    tell(emulator, "PUT", [{"fault": "reset"}])
    wait_until(
        lambda: tell(emulator, "GET")["rules"][0]["strikes"] >= 3, what="some tries have failed"
    )
    tell(emulator, "PUT", [])
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == os.EX_OK, stderr
    assert outputs(azure) == WHOLE


def test_ctrl_c_ends_the_waiting_for_a_service_at_once(azure: User, emulator: Emulator) -> None:
    tell(emulator, "PUT", [{"fault": "503", "operation": "list_tasks", "retry-after": "10m"}])
    azure.write("spec.yaml", SPEC.replace("PATIENCE", "15m"))
    process = azure.start("spec.yaml", "--target", "azure", "--output", "out")
    told = r"Azure Batch has answered 503 ServerBusy; trying until \d\d:\d\d:\d\d UTC"
    limit = threading.Timer(LIMIT_SECONDS, process.kill)
    limit.start()
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if re.search(told, line):
            break
    limit.cancel()
    assert process.poll() is None, said
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "nothing left in the services" in stderr


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (
            "  nodes: {dedicated: 2}",
            "  nodes: {dedicated: 2}\n  task_slots_per_node: 200",
            (
                "spec.yaml:10:24: refused: Azure Batch refused `taskSlotsPerNode: 200`: The value"
                " is more than 8, which is four times the cores of the vmSize"
                " (InvalidPropertyValue)\n"
                "    task_slots_per_node: 200\n"
                "                         ^^^\n"
            ),
        ),
        (
            "  nodes: {dedicated: 2}",
            '  autoscale: {formula: "$TargetDedicatedNodes = = 3;"}',
            (
                "spec.yaml:9:24: refused: Azure Batch refused `autoScaleFormula:"
                " $TargetDedicatedNodes = = 3;`: Line 1, Col 25: Unexpected '=', an expression is"
                " expected (AutoScalingFormulaSyntaxError)\n"
                '    autoscale: {formula: "$TargetDedicatedNodes = = 3;"}\n'
                "                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
            ),
        ),
        (
            "  nodes: {dedicated: 2}",
            "  nodes: {dedicated: 2}\n  extra: {resizeTimeout: PT1M}",
            (
                "spec.yaml:10:26: refused: Azure Batch refused `resizeTimeout: PT1M`: The value is"
                " less than PT5M (InvalidPropertyValue)\n"
                "    extra: {resizeTimeout: PT1M}\n"
                "                           ^^^^\n"
            ),
        ),
        (
            "  command: echo",
            '  extra: {affinityInfo: {affinityId: ""}}\n  command: echo',
            (
                "spec.yaml:12:38: refused: Azure Batch refused `affinityId`: The value is empty"
                " (InvalidPropertyValue)\n"
                '    extra: {affinityInfo: {affinityId: ""}}\n'
                "                                       ^^\n"
            ),
        ),
        (
            "task:",
            "job: {extra: {allowTaskPreemption: 7}}\ntask:",
            (
                "spec.yaml:10:36: refused: Azure Batch refused to create job `RUN`:"
                " InvalidRequestBody: The specified Request Body is not syntactically valid"
                " (Reason: allowTaskPreemption is not a boolean)\n"
                "  job: {extra: {allowTaskPreemption: 7}}\n"
                "                                     ^\n"
            ),
        ),
    ],
    ids=["slots", "formula", "extra", "task", "job"],
)
def test_a_refusal_is_shown_at_its_line(azure: User, before: str, after: str, shown: str) -> None:
    spec = SPEC.replace("PATIENCE", "15m").replace(before, after)
    result = run(azure, spec)
    assert result.returncode == 3, result.stderr
    assert shown.replace("RUN", azure.last_run().name) in result.stderr
    # What a property is refused for stays refused: the run keeps the spec that it began with.
    assert ("batch-run resume" in result.stderr) == ("InvalidRequestBody" in shown)
    assert "nothing left in the services" in result.stderr


@pytest.mark.parametrize(
    ("code", "column", "hint"),
    [
        (
            "AccountCoreQuotaReached",
            "9:10",
            (
                "hint: ask for fewer nodes or a smaller VM size, or ask for more under Quotas of"
                " the Batch account in the Azure portal (dedicated cores)"
            ),
        ),
        (
            "VMSizeNotSupported",
            "8:12",
            (
                "hint: `az batch location list-skus --location <region>` shows the VM sizes of a"
                " region"
            ),
        ),
    ],
)
def test_a_pool_that_gets_no_node_ends_the_run(
    azure: User, emulator: Emulator, code: str, column: str, hint: str
) -> None:
    tell(emulator, "PUT", [{"fault": f"resize-error={code}"}])
    result = run(azure, SPEC.replace("PATIENCE", "15m"))
    assert result.returncode == 3, result.stderr
    assert f"spec.yaml:{column}: refused: the pool has no nodes: {code}: " in result.stderr
    assert hint in result.stderr.splitlines()
    assert "nothing left in the services" in result.stderr


def test_a_run_goes_on_with_the_nodes_that_are_left(azure: User, emulator: Emulator) -> None:
    tell(
        emulator,
        "PUT",
        [{"fault": "start-task-failure", "exit": 3, "first": 1}],
    )
    spec = SPEC.replace("PATIENCE", "15m").replace("command: echo", "command: sleep 0.2; echo")
    spec = spec.replace("task:\n", "  start_task: {command: 'true'}\ntask:\n")
    result = run(azure, spec)
    assert result.returncode == os.EX_OK, result.stderr
    assert outputs(azure) == WHOLE
    assert (
        "note: the start task failed on 1 of 2 nodes (exit code 3): one node is left"
        in result.stderr.splitlines()
    )


def test_a_node_that_breaks_is_told_and_the_others_do_its_work(
    azure: User, emulator: Emulator
) -> None:
    tell(emulator, "PUT", [{"fault": "unusable", "nodes": 1, "tasks": 1}])
    spec = SPEC.replace("PATIENCE", "15m").replace("command: echo", "command: sleep 0.4; echo")
    result = run(azure, spec)
    assert result.returncode == os.EX_OK, result.stderr
    assert outputs(azure) == WHOLE
    assert re.search(r"note: 1 of 2 nodes is unusable \(.*\): one node is left", result.stderr)


def test_a_start_task_that_fails_everywhere_ends_the_run(azure: User, emulator: Emulator) -> None:
    tell(emulator, "PUT", [{"fault": "start-task-failure", "exit": 3}])
    spec = SPEC.replace("PATIENCE", "15m")
    spec = spec.replace("task:\n", "  start_task: {command: 'true'}\ntask:\n")
    result = run(azure, spec)
    assert result.returncode == 1, result.stderr
    assert (
        "batch-run: the start task failed on every node (exit code 3)" in result.stderr.splitlines()
    )


def test_a_task_that_is_refused_among_others_is_named(azure: User, emulator: Emulator) -> None:
    rule = {"fault": "task-error=ClientError", "code": "InvalidPropertyValue", "task": "0003"}
    tell(emulator, "PUT", [rule])
    result = run(azure, SPEC.replace("PATIENCE", "15m"))
    assert result.returncode == 3, result.stderr
    assert re.search(
        r"(?m)^batch-run: Azure Batch refused to add task `0003`: InvalidPropertyValue: ",
        result.stderr,
    )
    # Of the tasks that were added some may have ended: what they left is kept.
    assert not re.search(r"(?m)^left: (job|pool)", result.stderr)
