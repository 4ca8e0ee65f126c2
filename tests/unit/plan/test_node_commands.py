"""What nodes run beside the tasks: packages, start task, preparation, release, coordination."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from runner.plan.model import FolderResource
from runner.plan.packages import with_packages
from runner.spec.model.terms import Elevation, Role
from tests.fakes.plans import lines, make_plan, make_workload, refused, spec_of

TASK = "task: {for_each: input, command: echo}\n"
FAKE_QUERY = """\
#!/bin/sh
case " $INSTALLED " in *" $3 "*) printf installed ;; *) exit 1 ;; esac
"""
FAKE_GET = """\
#!/bin/sh
echo "$DEBIAN_FRONTEND apt-get $*" >> "$LOG"
for last; do :; done
if [ "$last" = update ] && [ "$FAILS" -gt "$(grep -c update "$LOG")" ]; then exit 100; fi
case "$*" in *nowhere*) exit 100 ;; esac
"""
UPDATE = (
    "noninteractive apt-get --quiet -o Acquire::Retries=3 -o APT::Update::Error-Mode=any update"
)
INSTALL = (
    "noninteractive apt-get --quiet --yes -o Acquire::Retries=3 -o DPkg::Lock::Timeout=600 install"
)


def install(
    folder: Path, packages: tuple[str, ...], shell: str, *, installed: str = "", fails: int = 0
) -> tuple[int, str, str, list[str]]:
    """Runs the script with programs of our own for apt's: exit code, output, calls of apt-get."""
    programs = folder / "bin"
    programs.mkdir()
    for name, text in (
        ("dpkg-query", FAKE_QUERY),
        ("apt-get", FAKE_GET),
        ("sleep", "#!/bin/sh\n"),
    ):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    log = folder / "log"
    log.touch()
    options = ["-e", "-o", "pipefail"] if shell == "bash" else ["-e"]
    done = subprocess.run(
        [shell, *options, "-c", with_packages(packages, "echo done")],
        env={
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "LOG": str(log),
            "INSTALLED": installed,
            "FAILS": str(fails),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr, log.read_text().splitlines()


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_only_what_is_missing_is_installed(tmp_path: Path, shell: str) -> None:
    found = install(tmp_path, ("jq", "g++", "ffmpeg=7:6.1"), shell, installed="jq")
    assert found == (0, "done\n", "", [UPDATE, f"{INSTALL} g++ ffmpeg=7:6.1"])


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_nothing_is_done_where_all_is_there(tmp_path: Path, shell: str) -> None:
    assert install(tmp_path, ("jq",), shell, installed="jq") == (0, "done\n", "", [])


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_lists_that_are_locked_are_waited_for_in_bounds(tmp_path: Path, shell: str) -> None:
    code, stdout, stderr, calls = install(tmp_path, ("jq",), shell, fails=3)
    assert (code, stdout, stderr) == (0, "done\n", "")
    assert calls == [UPDATE, UPDATE, UPDATE, f"{INSTALL} jq"]
    (tmp_path / "again").mkdir()
    code, stdout, stderr, calls = install(tmp_path / "again", ("jq",), shell, fails=1_000)
    assert (code, stdout) == (1, "")
    assert stderr == "cannot install jq: the lists of packages cannot be updated\n"
    assert len(calls) == 20


def test_a_package_that_there_is_not_ends_the_start_task(tmp_path: Path) -> None:
    code, stdout, stderr, calls = install(tmp_path, ("nowhere",), "bash")
    assert (code, stdout, stderr) == (1, "", "cannot install nowhere\n")
    assert calls == [UPDATE, *[f"{INSTALL} nowhere"] * 3]


def test_packages_without_a_start_task(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, spec_of(TASK, pool="  packages: {apt: [jq]}\n"))
    assert plan.start_task is not None
    assert plan.start_task.run_as is Elevation.ADMIN
    assert plan.start_task.wait_for_success
    assert plan.start_task.command.script == with_packages(("jq",), "")


def test_packages_come_before_the_users_command(tmp_path: Path) -> None:
    pool = (
        "  packages: {apt: [jq]}\n"
        "  start_task:\n"
        "    command: echo {{ run.id }}\n"
        "    shell: sh\n"
        "    retries: 1\n"
        "    environment: {A: b}\n"
        "    resources: [{from: input}]\n"
    )
    start_task = make_plan(tmp_path, spec_of(TASK, pool=pool)).start_task
    assert start_task is not None
    assert start_task.run_as is Elevation.ADMIN
    assert start_task.command.script == with_packages(("jq",), "echo demo-20260102t030405z-abcd")
    assert start_task.command.line.startswith("/bin/sh -c 'set -e;")
    assert start_task.command.environment["A"] == "b"
    assert start_task.resources == (FolderResource(role=Role("input")),)
    assert start_task.retries == 1


JOB = """\
  environment: {RUN: "{{ run.id }}", B: "{{ parameters.b }}"}
  preparation: {command: "echo {{ parameters.b }}", run_as: admin, timeout: 5m}
  release: {command: "rm -rf x", timeout: 1m}
"""


def test_the_job(tmp_path: Path) -> None:
    text = spec_of(TASK, job=JOB).replace(
        "containers:\n", "parameters:\n  b: {type: string, default: c d}\ncontainers:\n", 1
    )
    plan = make_plan(tmp_path, text)
    assert plan.job_environment == {"RUN": "demo-20260102t030405z-abcd", "B": "c d"}
    assert plan.preparation is not None
    assert plan.preparation.command.script == "v1='c d'; echo \"${v1}\""
    assert plan.preparation.run_as is Elevation.ADMIN
    assert plan.release is not None
    assert plan.release.command.script == "rm -rf x"


COORDINATED = """\
task:
  command: mpirun 'x'
  environment: {A: b}
  instances:
    count: 3
    coordination: |
      start 'x'
    resources: [{from: input, to: shared}]
"""


def test_a_coordination_command(tmp_path: Path) -> None:
    pool = "  inter_node_communication: true\n"
    text = spec_of(COORDINATED, pool=pool).replace("dedicated: 1", "dedicated: 3")
    (task,) = make_plan(tmp_path, text).tasks
    assert task.coordination is not None
    assert task.coordination.line == (
        "/bin/bash -c 'set -e -o pipefail; eval \"$BATCH_RUN_COORDINATION\"'"
    )
    # The coordination command has no environment but its task's.
    assert task.command.environment == {
        "A": "b",
        "BATCH_RUN_COORDINATION": "start 'x'\n",
        "BATCH_RUN_SCRIPT": "mpirun 'x'",
    }
    assert task.shared_resources == (FolderResource(role=Role("input"), path="shared"),)


CONTAINER = """\
task:
  for_each: {list: [LIST]}
  command: echo
  container: {image: "r.io/tool:{{ item }}"}
"""
CONTAINER_IMAGE = "image: {publisher: microsoft-dsvm, offer: ubuntu-hpc, sku: '2204'}"


def test_the_image_of_a_task(tmp_path: Path) -> None:
    text = spec_of(CONTAINER).replace(
        "image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}", CONTAINER_IMAGE
    )
    plan = make_plan(tmp_path, text.replace("LIST", "v1, v2"))
    assert [each.container_image for each in plan.tasks] == ["r.io/tool:v1", "r.io/tool:v2"]
    assert lines(refused(tmp_path, text.replace("LIST", '"v1 --privileged"'))) == [
        (
            "spec.yaml:14:23: bad-value: `r.io/tool:v1 --privileged` is no name of a container"
            " image (for `v1 --privileged`)"
        )
    ]


@pytest.mark.parametrize("shell", ["cmd", "powershell"])
def test_a_pool_of_windows_nodes_plans_in_full(tmp_path: Path, shell: str) -> None:
    text = spec_of(
        f"task: {{for_each: input, shell: {shell}, command: 'type {{{{ file.path }}}}'}}\n",
        pool=f"  start_task: {{command: echo hi, shell: {shell}}}\n",
    ).replace(
        "{publisher: canonical, offer: ubuntu-24_04-lts, sku: server}",
        "{publisher: microsoftwindowsserver, offer: windowsserver, sku: 2022-datacenter}",
    )
    plan = make_plan(tmp_path, text)
    assert len(plan.tasks) == 2
    assert "a.txt" in plan.tasks[0].command.script
    assert plan.start_task is not None
    assert "echo hi" in plan.start_task.command.script
    make_workload(tmp_path, text)
