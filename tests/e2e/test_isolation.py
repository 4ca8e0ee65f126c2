"""Nodes that are views of this machine: admins install on them, and the machine stays as it is."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from runner.emulator.batch.isolation.choice import Kind, find_kind
from tests.e2e.conftest import User, copy_examples, wait_until

MOUNTINFO = Path("/proc/self/mountinfo")
TOOL = Path("/usr/bin/greet-of-a-node")
SETTING = Path("/etc/greeting-of-a-node")
NOTE = "note: nodes are copy-on-write views of this machine, which stays as it is\n"
SPEC = f"""\
version: 1
name: demo
containers:
  input: {{upload: [{{from: data}}]}}
  output: {{download: true}}
pool:
  image: ubuntu 24.04
  vm_size: Standard_D2s_v5
  nodes: {{spot: 3}}
  start_task:
    command: |
      echo "hello from $AZ_BATCH_NODE_ID" > {SETTING}
      printf '%s\\n' '#!/bin/sh' 'cat {SETTING}' > {TOOL}
      chmod +x {TOOL}
    run_as: admin
    wait_for_success: true
task:
  for_each: input
  command: COMMAND
  outputs: [{{pattern: "{{{{ file.name }}}}.out", to: output}}]
"""
GREET = "greet-of-a-node > {{ file.name }}.out; echo $AZ_BATCH_NODE_ID >> {{ file.name }}.out"

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or find_kind("auto", os.environ).kind is not Kind.COPY_ON_WRITE,
    reason="copy-on-write nodes need Linux and root",
)


def write_spec(user: User, command: str, files: int) -> None:
    user.write("spec.yaml", SPEC.replace("COMMAND", command))
    for index in range(files):
        user.write(f"data/{index}.txt", "x")


def mounts_of_machine(user: User) -> list[str]:
    """What is mounted, but for what other tests mount in their own folders meanwhile."""
    of_tests = user.folder.parents[2]
    lines = MOUNTINFO.read_text().splitlines()
    points = [Path(line.split()[4]) for line in lines]
    return [
        line
        for line, point in zip(lines, points, strict=True)
        if point.is_relative_to(user.folder) or not point.is_relative_to(of_tests)
    ]


def assert_machine_is_as_it_was(user: User, mounts: list[str]) -> None:
    assert not TOOL.exists()
    assert not SETTING.exists()
    assert mounts_of_machine(user) == mounts


def layers(user: User) -> Path:
    return user.last_run() / "emulator" / "layers"


def test_what_a_start_task_installs_is_there_for_tasks_and_gone_afterwards(user: User) -> None:
    mounts = mounts_of_machine(user)
    write_spec(user, GREET, files=9)

    done = user.run("spec.yaml", "--target", "local")

    assert done.returncode == 0, done.stderr
    assert NOTE in done.stderr
    results = sorted((user.folder / "results" / "demo" / "output").iterdir())
    assert len(results) == 9
    for result in results:
        greeting, node = result.read_text().splitlines()
        assert greeting == f"hello from {node}"
    assert_machine_is_as_it_was(user, mounts)
    assert user.processes() == []
    assert not layers(user).exists()


def test_nothing_is_left_of_an_emulator_that_is_killed(user: User) -> None:
    mounts = mounts_of_machine(user)
    write_spec(user, "greet-of-a-node; setsid sleep 1000 & sleep 1000", files=3)

    with user.start("spec.yaml", "--target", "local", "-q") as process:
        wait_until(
            lambda: (
                (user.folder / ".batch-run" / "last").exists()
                and sum("sleep 1000" in line for line in user.processes()) >= 6
            ),
            what="the tasks run",
        )
        (emulator,) = emulators(process.pid)
        os.kill(emulator, signal.SIGKILL)
        process.communicate(timeout=60)

    assert process.returncode == 3
    wait_until(lambda: user.processes() == [], what="the processes of the nodes are gone")
    wait_until(lambda: not layers(user).exists(), what="what the nodes changed is gone")
    assert_machine_is_as_it_was(user, mounts)


USERS = """\
version: 1
name: users
containers:
  input: {upload: [{from: data}]}
  output: {download: true}
pool:
  image: ubuntu 24.04
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
  users: [{name: ann, password_secret: ANN_PASSWORD}]
  start_task:
    command: |
      echo 'echo prepared by "$0"' > "$AZ_BATCH_NODE_SHARED_DIR/prepare.sh"
      echo mine > own
      chmod 640 own
    run_as: admin
    wait_for_success: true
tasks:
  user:
    for_each: input
    command: |
      sh ./script.sh
      sh "$AZ_BATCH_NODE_SHARED_DIR/prepare.sh"
      touch "$AZ_BATCH_NODE_SHARED_DIR/written"
      ls "$AZ_BATCH_NODE_STARTUP_DIR/wd"
      ! touch TOOL 2> denied
      test "$HOME" = "$PWD"
      git init -q repository
    outputs: [{pattern: out, to: output, path: user}]
  admin:
    for_each: input
    run_as: admin
    command: sh ./script.sh; touch TOOL
    outputs: [{pattern: out, to: output, path: admin}]
  ann:
    for_each: input
    run_as: {name: ann}
    command: sh ./script.sh
    outputs: [{pattern: out, to: output, path: ann}]
"""


def test_tasks_are_run_by_the_users_that_the_spec_says(user: User) -> None:
    """Without admin nothing is installed, as on Azure; files come in and go out all the same."""
    user.write("spec.yaml", USERS.replace("TOOL", str(TOOL)))
    user.write("data/script.sh", "whoami > out; id -u >> out; ls -l script.sh | cut -b -10 >> out")

    done = user.with_environ(BATCH_RUN_SECRET_ANN_PASSWORD="Aa1!aaaaaaaa").run(
        "spec.yaml", "--target", "local"
    )

    assert done.returncode == 0, done.stderr
    folder = user.folder / "results" / "users" / "output"
    assert {path.name: path.read_text().split() for path in folder.iterdir()} == {
        "user": ["_azbatch", "60600", "-rwxrwx---"],
        "admin": ["root", "0", "-rwxrwx---"],
        "ann": ["ann", "60601", "-rwxrwx---"],
    }
    assert not TOOL.exists()


def test_what_needs_more_memory_than_its_node_has_fails_here_too(user: User) -> None:
    greedy = """python3 -c 'b"x" * (1200 << 20)' && touch {{ file.name }}.out"""
    write_spec(user, greedy, files=1)
    spec = (user.folder / "spec.yaml").read_text()
    user.write("spec.yaml", spec.replace("Standard_D2s_v5", "Standard_B1s"))

    held = user.run("spec.yaml", "--target", "local", "--limits", "memory")
    if "nodes cannot have limits here" in held.stderr:
        pytest.skip(held.stderr)
    free = user.run("spec.yaml", "--target", "local", "--limits", "none")
    odd = user.run("spec.yaml", "--target", "local", "--limits", "memory", "--isolation", "none")

    assert held.returncode == 1, held.stderr
    assert free.returncode == 0, free.stderr
    assert odd.returncode == 2
    assert "batch-run: `--limits memory`: only copy-on-write nodes have limits\n" in odd.stderr


def test_a_run_that_forgot_to_ask_for_admin_fails_here_too(user: User) -> None:
    write_spec(user, GREET, files=1)
    spec = (user.folder / "spec.yaml").read_text()
    user.write("spec.yaml", spec.replace("    run_as: admin\n", ""))

    done = user.run("spec.yaml", "--target", "local")

    assert done.returncode == 1
    assert "Permission denied" in done.stderr


ATTEMPTS = """\
version: 1
name: attempts
containers:
  input: {upload: [{from: data}]}
  output: {download: true}
pool:
  image: ubuntu 24.04
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
task:
  for_each: input
  run_as: admin
  command: |
    try() { "$@" > /dev/null 2>&1 && echo "$@" >> out; true; }
    id -u > out
    try mknod null c 1 3
    try mknod "$AZ_BATCH_NODE_SHARED_DIR/null" c 1 3
    try mknod /dev/made c 1 3
    try mount -t tmpfs none /mnt
    try unshare --user --map-root-user --mount mount -t tmpfs none /mnt
    try sh -c 'echo 0 > /proc/sys/kernel/panic'
    try chmod 600 /dev/null
    data=$(cd "$AZ_BATCH_NODE_ROOT_DIR/../../.." && pwd)
    for name in accounts.json batch/state.db blob/contents lock; do try ls "$data/$name"; done
    try ls /proc/1/root/
    cp /usr/bin/id "$AZ_BATCH_NODE_SHARED_DIR"
    chmod 4755 "$AZ_BATCH_NODE_SHARED_DIR/id"
    setpriv --reuid 60600 --clear-groups "$AZ_BATCH_NODE_SHARED_DIR/id" -u >> out
  outputs: [{pattern: out, to: output}]
"""


def test_admins_of_a_node_get_at_nothing_of_the_machine(user: User) -> None:
    mounts = mounts_of_machine(user)
    user.write("spec.yaml", ATTEMPTS)
    user.write("data/one.txt", "x")

    done = user.run("spec.yaml", "--target", "local")

    assert done.returncode == 0, done.stderr
    assert (user.last_run() / "emulator" / "batch").stat().st_mode & 0o777 == 0o700
    (result,) = (user.folder / "results" / "attempts" / "output").iterdir()
    assert result.read_text().split() == ["0", "60600"]
    assert mounts_of_machine(user) == mounts


def emulators(parent: int) -> list[int]:
    """The children of a process."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(child) for child in children.split()]


def test_nodes_may_be_plain_processes_all_the_same(user: User, tmp_path: Path) -> None:
    write_spec(user, f"pwd > {tmp_path}/seen; touch {{{{ file.name }}}}.out", files=1)

    done = user.run("spec.yaml", "--target", "local", "--isolation", "none")

    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[1:3] == [
        "note: nodes are folders, and tasks are processes of this machine",
        (
            "note: the start task asks for admin and is not run on this machine; what it installs"
            " must be here already (--allow-admin runs it)"
        ),
    ]
    assert (tmp_path / "seen").exists()


def test_the_emulator_says_what_its_nodes_are(user: User) -> None:
    with user.start("emulator", "--json", "--isolation", "copy-on-write") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "batch" in json.loads(process.stdout.readline())
        process.terminate()
        assert process.stderr.read() == (
            "emulator: nodes are copy-on-write views of this machine, which stays as it is\n"
        )
    assert process.returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt-get, and its archives")
@pytest.mark.skipif(shutil.which("ffmpeg") is not None, reason="ffmpeg is installed here")
@pytest.mark.timeout(900)
def test_ffmpeg_is_installed_on_the_nodes_alone(user: User) -> None:
    mounts = mounts_of_machine(user)
    copy_examples(user.folder)
    path = os.pathsep.join(
        each
        for each in user.environ["PATH"].split(os.pathsep)
        if not (Path(each) / "ffmpeg").exists()
    )

    with User(user.folder, {**user.environ, "PATH": path}).start(
        "workloads/ffmpeg.yaml", "--target", "local"
    ) as process:
        _, said = process.communicate(timeout=800)

    assert process.returncode == 0, said
    results = sorted(path.name for path in (user.folder / "results/ffmpeg/output").iterdir())
    assert results == ["alarm.mp3", "dial-tone.mp3", "hum.mp3", "test tone.mp3", "whistle.mp3"]
    assert shutil.which("ffmpeg", path=path) is None
    assert not Path("/var/lib/dpkg/info/ffmpeg.list").exists()
    assert mounts_of_machine(user) == mounts
