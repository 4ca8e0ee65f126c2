"""What needs Azure is said for each place of the spec, before anything is done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runner.plan.expand import expand
from runner.plan.local import asks_for_images, local_obstacles, without_packages
from runner.spec.model.pool import NewPool
from runner.spec.model.terms import Elevation
from tests.fakes.plans import RUN, lines, make_workload, spec_of

TASK = "task: {for_each: input, command: echo}\n"
IMAGE = "{publisher: canonical, offer: ubuntu-24_04-lts, sku: server}"
SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/x"
CUSTOM = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/i"


def obstacles(folder: Path, text: str) -> list[str]:
    """`line:column: message` of each."""
    found = local_obstacles(make_workload(folder, text))
    assert {each.code for each in found} <= {"needs-azure"}
    assert {each.hint for each in found} <= {"`--target azure` runs it"}
    return [line.removeprefix("spec.yaml:") for line in lines(found)]


def test_nothing(tmp_path: Path) -> None:
    pool = "  packages: {apt: [jq]}\n  start_task: {command: echo, run_as: admin}\n"
    assert obstacles(tmp_path, spec_of(TASK, pool=pool)) == []


def test_autoscale_is_evaluated_here_too(tmp_path: Path) -> None:
    text = spec_of(TASK).replace(
        "nodes: {dedicated: 1}", "autoscale: {formula: '$TargetDedicatedNodes = 1;'}"
    )
    assert obstacles(tmp_path, text) == []


def test_pools(tmp_path: Path) -> None:
    pool = (
        "  mounts: [{path: m, nfs: {source: 'server:/export'}}]\n"
        "  registries: [{server: r.io, user: me, password_secret: MINE}]\n"
        f"  network: {{subnet: {SUBNET}}}\n"
        "  applications: [{id: tool}]\n"
        "  container_images: [r.io/tool]\n"
    )
    task = "task: {for_each: input, command: echo, container: {image: r.io/tool}}\n"
    text = spec_of(task, pool=pool).replace(
        IMAGE, f"{{id: {CUSTOM}, node_agent: batch.node.ubuntu 24.04}}"
    )
    assert obstacles(tmp_path, text) == [
        "8:3: needs-azure: an image of one's own needs Azure",
        "11:3: needs-azure: a mounted file system needs Azure",
        "12:3: needs-azure: a registry of container images needs Azure",
        "13:13: needs-azure: a subnet needs Azure",
        "14:3: needs-azure: an application package needs Azure",
        "15:3: needs-azure: a container image needs Azure",
        "16:40: needs-azure: a container image needs Azure",
    ]


def test_an_engine_runs_containers_here_and_logs_in_to_registries(tmp_path: Path) -> None:
    pool = (
        "  registries: [{server: r.io, user: me, password_secret: MINE}]\n"
        "  container_images: [r.io/tool]\n"
    )
    task = "task: {for_each: input, command: echo, container: {image: r.io/tool}}\n"
    text = spec_of(task, pool=pool).replace(IMAGE, "ubuntu 22.04 containers")
    workload = make_workload(tmp_path, text)

    assert asks_for_images(workload)
    assert not asks_for_images(make_workload(tmp_path, spec_of(TASK)))
    assert local_obstacles(workload, has_engine=True) == ()
    assert lines(local_obstacles(workload)) == [
        "spec.yaml:11:3: needs-azure: a registry of container images needs Azure",
        "spec.yaml:12:3: needs-azure: a container image needs Azure",
        "spec.yaml:13:40: needs-azure: a container image needs Azure",
    ]


def test_windows(tmp_path: Path) -> None:
    text = spec_of(
        "task: {for_each: input, shell: cmd, command: echo}\n",
        pool="  start_task: {command: echo, shell: powershell}\n",
    ).replace(IMAGE, "{publisher: microsoftwindowsserver, offer: windowsserver, sku: s}")
    assert obstacles(tmp_path, text) == [
        "8:3: needs-azure: a pool of Windows nodes needs Azure",
        "11:16: needs-azure: a command for `powershell` needs Azure",
        "12:37: needs-azure: a command for `cmd` needs Azure",
    ]


def test_what_exists(tmp_path: Path) -> None:
    text = spec_of(TASK).replace("upload: [{from: data}]", "existing: media")
    start = text.index("pool:")
    text = f"{text[:start]}pool: {{existing: mine}}\n{TASK}"
    assert obstacles(tmp_path, text) == [
        "5:5: needs-azure: container `media`, which exists already, needs Azure",
        "7:8: needs-azure: pool `mine`, which exists already, needs Azure",
    ]


def test_tasks_and_jobs(tmp_path: Path) -> None:
    text = spec_of(
        "task:\n"
        "  command: echo\n"
        "  container: {image: r.io/tool}\n"
        "  instances: {count: 2, coordination: echo}\n"
        "  applications: [{id: tool}]\n",
        pool="  inter_node_communication: true\n",
    ).replace(IMAGE, "{publisher: microsoft-dsvm, offer: ubuntu-hpc, sku: '2204'}")
    text = text.replace("dedicated: 1", "dedicated: 2")
    assert obstacles(tmp_path, text) == [
        "14:3: needs-azure: a container image needs Azure",
        "15:3: needs-azure: a task on several nodes needs Azure",
        "16:3: needs-azure: an application package needs Azure",
    ]
    alone = text.replace("count: 2", "count: 1")
    assert "15:3: needs-azure: a task on several nodes needs Azure" not in obstacles(
        tmp_path, alone
    )


def test_schedules(tmp_path: Path) -> None:
    text = spec_of(
        "task: {command: echo}\n", job="  schedule: {every: 1d, end: 2099-01-01T00:00:00Z}\n"
    )
    text = text.replace("{from: data}]", "{from: data}]\n    delete: never")
    text = text.replace("{download: true}", "{delete: never}")
    assert obstacles(tmp_path, text) == ["13:3: needs-azure: a schedule needs Azure"]


def test_packages_are_left_out_and_the_rest_stays(tmp_path: Path) -> None:
    pool = "  packages: {apt: [jq]}\n  start_task: {command: echo}\n"
    workload = make_workload(tmp_path, spec_of(TASK, pool=pool))
    without = without_packages(workload)
    assert isinstance(workload.pool, NewPool)
    assert without == replace(workload, pool=replace(workload.pool, packages=()))
    assert without_packages(without) is without
    start_task = expand(without, folder=tmp_path, run_id=RUN).start_task
    assert start_task is not None
    assert (start_task.command.script, start_task.run_as) == ("echo", Elevation.USER)
