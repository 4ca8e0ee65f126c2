"""Copy-on-write nodes: what stays on them, what ends with them, and what the machine keeps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runner.emulator.batch.isolation.mounts import read_mounts
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.isolation import Size
from runner.emulator.batch.node.users import POOL_USER, named_user
from tests.unit.emulator.batch.isolation.conftest import ENVIRONMENT, Nodes

LIMIT_SECONDS = 60.0
PROGRAM = Path("/usr/bin/made-by-a-node")
DAEMON = "setsid sh -c 'echo > up; exec sleep 1000' & until test -e up; do sleep 0.01; done"


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.005)


def processes_with(variable: str) -> list[int]:
    """Processes of the whole machine with something in their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        if variable.encode() in environment.split(b"\0"):
            found.append(int(entry.name))
    return found


def test_what_is_installed_stays_on_its_node(nodes: Nodes) -> None:
    nodes.say(
        f"echo 'echo \"$0\"' > {PROGRAM}; chmod +x {PROGRAM}"
        "; echo new >> /etc/hosts; rm /etc/passwd"
    )

    assert nodes.say(PROGRAM.name) == str(PROGRAM)
    assert nodes.say("tail -n 1 /etc/hosts; ls /etc/passwd || echo gone").split("\n") == [
        "new",
        "ls: cannot access '/etc/passwd': No such file or directory",
        "gone",
    ]
    assert nodes.say(f"test -e {PROGRAM} || echo missing", node="two") == "missing"
    assert not PROGRAM.exists()
    assert Path("/etc/passwd").exists()
    assert not Path("/etc/hosts").read_text().endswith("new\n")


def test_a_nodes_folder_is_the_real_one(nodes: Nodes) -> None:
    (nodes.root("one") / "in").write_text("from outside")

    assert nodes.say("cat in; mkdir wd; echo inside > wd/out; pwd").endswith(str(nodes.root("one")))
    assert (nodes.root("one") / "wd" / "out").read_text() == "inside\n"


def test_a_node_sees_nothing_else_of_the_emulator(nodes: Nodes) -> None:
    (nodes.data / "accounts.json").write_text("secret")
    nodes.root("two")

    said = nodes.say(f"find {nodes.data} -mindepth 1 | sort")

    here = nodes.data / "nodes"
    assert said.split("\n") == [str(here), str(here / "one"), str(here / "one" / "out")]


def test_files_of_the_machine_are_read_where_they_are(nodes: Nodes, tmp_path: Path) -> None:
    (tmp_path / "script.sh").write_text("echo from the machine")

    assert nodes.say(f"sh {tmp_path}/script.sh; echo mine > {tmp_path}/script.sh") == (
        "from the machine"
    )
    assert (tmp_path / "script.sh").read_text() == "echo from the machine"


def test_a_user_is_known_by_name_and_may_not_change_the_node(nodes: Nodes) -> None:
    said = nodes.say(
        "whoami; id; cd /home/_azbatch; pwd; touch here; ls -l", user=POOL_USER
    ).splitlines()

    assert said[:3] == [
        "_azbatch",
        "uid=60600(_azbatch) gid=60600(_azbatchgrp) groups=60600(_azbatchgrp)",
        "/home/_azbatch",
    ]
    assert said[-1].split()[2:4] == ["_azbatch", "_azbatchgrp"]
    assert nodes.run("touch", str(PROGRAM), user=POOL_USER) == 1
    assert nodes.run("sh", "-c", "echo x >> /etc/passwd", user=POOL_USER) == 2
    assert nodes.say("cd /tmp; echo x > of-a-node; cat of-a-node /dev/null", user=POOL_USER) == "x"
    assert nodes.say("id -un") == "root"
    assert not Path("/home/_azbatch").exists()
    assert b"_azbatch" not in Path("/etc/passwd").read_bytes()


def test_a_user_has_no_way_back_to_root(nodes: Nodes) -> None:
    lines = nodes.say("cat /proc/self/status", user=POOL_USER).splitlines()
    status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}

    assert status["Uid"] == ["60600"] * 4
    assert status["Gid"] == ["60600"] * 4
    assert status["Groups"] == []
    assert {int(status[name][0], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
    assert nodes.run("ls", "/proc/1/root/", user=POOL_USER) == 2
    assert nodes.say("id -u; id -G") == "0\n0"


def test_each_user_has_one_line_whatever_restarts(nodes: Nodes) -> None:
    ann = named_user("ann-of-a-pool", 0, 4711, 4712)
    for _ in range(2):
        said = nodes.say("id", user=ann)
        assert said == "uid=4711(ann-of-a-pool) gid=4712(ann-of-a-pool) groups=4712(ann-of-a-pool)"
        nodes.say("true", user=POOL_USER)
        nodes.views.end_node(nodes.root("one"))

    assert nodes.say("grep -c of-a-pool /etc/passwd /etc/group").split() == [
        "/etc/passwd:1",
        "/etc/group:1",
    ]


def test_a_user_runs_where_a_node_has_no_list_of_users(nodes: Nodes) -> None:
    nodes.say("rm /etc/passwd /etc/group")

    assert nodes.say("id -u; id -g", user=POOL_USER).split() == ["60600", "60600"]


def test_the_processes_of_a_user_end_with_its_command(nodes: Nodes) -> None:
    mark = f"NODE_TEST={nodes.data}-user"
    environment = {**ENVIRONMENT, "NODE_TEST": f"{nodes.data}-user"}
    nodes.root("one").chmod(0o777)

    script = f"sleep 1000 & {DAEMON}"
    assert nodes.run("sh", "-c", script, environment=environment, mark=mark, user=POOL_USER) == 0

    wait_until(lambda: processes_with(mark) == [], "the daemon has ended")


def test_users_find_programs_of_the_path_in_closed_folders(nodes: Nodes, tmp_path: Path) -> None:
    assert nodes.reached == (tmp_path / "closed" / "bin",)
    program = tmp_path / "closed" / "bin" / "program-of-a-path"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)
    (tmp_path / "closed" / "secret").write_text("secret")
    (tmp_path / "closed" / "secret").chmod(0o600)
    for folder in (program.parent, tmp_path / "closed"):
        folder.chmod(0o700)

    environment = {**ENVIRONMENT, "PATH": f"/nowhere:{program.parent}:{ENVIRONMENT['PATH']}"}

    assert nodes.run(program.name, environment=environment, user=POOL_USER) == 0
    assert (nodes.root("one") / "out").read_text() == "found\n"
    assert nodes.run("ls", str(tmp_path / "closed"), user=POOL_USER) == 2
    assert nodes.run("cat", str(tmp_path / "closed" / "secret"), user=POOL_USER) == 1
    assert (tmp_path / "closed").stat().st_mode & 0o777 == 0o700
    with pytest.raises(FileNotFoundError):
        nodes.run("no-such-program", environment={"PATH": "/usr/bin:/bin"}, user=POOL_USER)


def test_a_restart_keeps_what_was_installed(nodes: Nodes) -> None:
    nodes.say(f"echo kept > {PROGRAM}")
    assert nodes.views.is_running(nodes.root("one"))
    nodes.views.end_node(nodes.root("one"))
    assert not nodes.views.is_running(nodes.root("one"))

    assert nodes.say(f"cat {PROGRAM}") == "kept"


def test_a_node_that_is_removed_forgets(nodes: Nodes) -> None:
    nodes.say(f"echo lost > {PROGRAM}")
    nodes.views.remove_node(nodes.root("one"))
    assert list((nodes.data / "layers").glob("*/*")) == []

    assert nodes.say(f"test -e {PROGRAM} || echo forgotten") == "forgotten"
    nodes.views.remove_node(nodes.root("never-used"))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("true",), 0),
        (("sh", "-c", "exit 7"), 7),
        (("sh", "-c", "kill -TERM $$"), 143),
        (("sh", "-c", "kill -KILL $$"), 137),
    ],
)
def test_exit_codes(nodes: Nodes, words: tuple[str, ...], code: int) -> None:
    assert nodes.run(*words) == code


def test_what_cannot_start_is_an_error_as_of_the_machine(nodes: Nodes) -> None:
    with pytest.raises(FileNotFoundError):
        nodes.run("no-such-program")
    with pytest.raises(PermissionError):
        nodes.run("./out")
    with pytest.raises(ValueError, match="embedded null byte"):
        nodes.run("echo", "a\0b")
    assert nodes.run("true") == 0


def test_words_and_environment_of_any_size_and_bytes(nodes: Nodes) -> None:
    odd = os.fsdecode(b"\xff\xfe \n'\"")
    environment = {**ENVIRONMENT, "ODD": odd, **{f"V{i}": "x" * 100_000 for i in range(10)}}

    code = nodes.run(
        "sh",
        "-c",
        'printf %s%s "$ODD" "$1"; printf %s "$V9" | wc -c',
        "_",
        odd,
        environment=environment,
    )

    assert code == 0
    assert (nodes.root("one") / "out").read_bytes() == os.fsencode(odd) * 2 + b"100000\n"


def test_commands_of_a_node_run_side_by_side(nodes: Nodes) -> None:
    def run(index: int) -> str:
        return nodes.say(f"sleep 0.01; echo {index}", node=f"n{index % 4}x{index}")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(run, range(24))) == [str(index) for index in range(24)]


def test_a_command_that_is_stopped_before_it_starts_ends_at_once(nodes: Nodes) -> None:
    nodes.run("true")
    interruption = Interruption()
    interruption.fire()

    nodes.run("sleep", "1000", interruption=interruption)

    assert nodes.run("true") == 0


def test_an_interruption_ends_the_whole_group(nodes: Nodes) -> None:
    interruption = Interruption()
    mark = f"NODE_TEST={nodes.data}-group"
    environment = {**ENVIRONMENT, "NODE_TEST": f"{nodes.data}-group"}
    codes: list[int] = []
    script = "sleep 1000 & setsid sleep 1000 & echo up > up; wait"

    def run() -> None:
        codes.append(
            nodes.run(
                "sh", "-c", script, environment=environment, mark=mark, interruption=interruption
            )
        )

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: len(processes_with(mark)) == 3, "the three processes run")
    interruption.fire()
    thread.join(LIMIT_SECONDS)

    assert codes == [137]
    wait_until(lambda: processes_with(mark) == [], "all of them have ended")


def test_what_leaves_the_group_ends_with_its_command(nodes: Nodes) -> None:
    mark = f"NODE_TEST={nodes.data}-daemon"
    environment = {**ENVIRONMENT, "NODE_TEST": f"{nodes.data}-daemon"}

    assert nodes.run("sh", "-c", f"sleep 1000 & {DAEMON}", environment=environment, mark=mark) == 0

    wait_until(lambda: processes_with(mark) == [], "the daemon has ended")


def test_services_stay_until_the_node_ends(nodes: Nodes) -> None:
    mark = f"NODE_TEST={nodes.data}-service"
    environment = {**ENVIRONMENT, "NODE_TEST": f"{nodes.data}-service"}

    assert nodes.run("sh", "-c", DAEMON, environment=environment) == 0
    assert nodes.run("true", mark="ANOTHER=mark") == 0
    assert len(processes_with(mark)) == 1
    nodes.views.end_node(nodes.root("one"))

    assert processes_with(mark) == []


def test_a_node_whose_first_process_was_killed_starts_again(nodes: Nodes) -> None:
    nodes.say(f"echo kept > {PROGRAM}")
    mark = f"NODE_TEST={nodes.data}-killed"
    environment = {**ENVIRONMENT, "NODE_TEST": f"{nodes.data}-killed"}
    codes: list[int] = []
    thread = threading.Thread(
        target=lambda: codes.append(nodes.run("sleep", "1000", environment=environment))
    )
    thread.start()
    wait_until(lambda: processes_with(mark) != [], "the command runs")
    (process,) = processes_with(mark)
    status = Path(f"/proc/{process}/status").read_text()
    (parent,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid"))
    os.kill(parent, signal.SIGKILL)
    thread.join(LIMIT_SECONDS)

    assert codes == [137]
    wait_until(lambda: not Path(f"/proc/{parent}").exists(), "the first process is gone")
    assert nodes.say(f"cat {PROGRAM}") == "kept"


def test_a_node_cannot_reach_the_machine(nodes: Nodes) -> None:
    assert nodes.run("mount", "-t", "tmpfs", "none", "/mnt") != 0
    assert nodes.run("sh", "-c", "echo x > /proc/sys/kernel/core_pattern") != 0
    assert nodes.run("sh", "-c", "echo b > /proc/sysrq-trigger") != 0
    assert nodes.run("sh", "-c", "mkdir /sys/fs/cgroup/made-by-a-node") != 0
    assert nodes.run("sh", "-c", f"kill -9 {os.getpid()}") != 0
    assert nodes.say("find /dev -type b | wc -l; find /run -type s | wc -l").split() == ["0", "0"]
    # The shell that says so, and the first process of the node.
    assert nodes.say("set -- /proc/[0-9]*; echo $#") == "2"


GROUPS = Path("/sys/fs/cgroup")
SMALL = Size(memory_bytes=128 << 20, cores=1)
GREEDY = ("/bin/sh", "-c", "head -c 400000000 /dev/zero | tail -c 400000000 > /dev/null")


def groups_of_nodes() -> list[Path]:
    return [*GROUPS.glob("batch-run-*/*/"), *GROUPS.glob("*/batch-run-*/*/")]


def test_a_task_that_needs_more_memory_than_its_node_has_is_killed(nodes: Nodes) -> None:
    if nodes.views.unlimited:
        pytest.skip(nodes.views.unlimited)
    assert nodes.run(*GREEDY, node="large") == 0

    name = f"small-{os.getpid()}"
    assert nodes.run(*GREEDY, node=name, size=SMALL) == 137
    assert nodes.say("echo goes on", node=name) == "goes on"
    inside = [each for each in groups_of_nodes() if each.name == name]
    assert inside != []
    nodes.views.remove_node(nodes.root(name))
    wait_until(lambda: not any(map(Path.exists, inside)), "the groups are gone")


def test_a_node_has_no_more_cores_than_its_machine(nodes: Nodes) -> None:
    if nodes.views.unlimited or (os.cpu_count() or 1) < 2:
        pytest.skip(nodes.views.unlimited or "the machine has one core")
    name = f"quota-{os.getpid()}"
    nodes.run("true", node=name, size=SMALL)

    quotas = [
        (group / quota).read_text().split()[0]
        for quota in ("cpu.max", "cpu.cfs_quota_us")
        for group in groups_of_nodes()
        if group.name == name and (group / quota).exists()
    ]

    assert quotas == ["100000"]


def test_no_group_is_left(nodes: Nodes) -> None:
    if nodes.views.unlimited:
        pytest.skip(nodes.views.unlimited)
    name = f"kept-{os.getpid()}"
    nodes.run("true", node=name, size=SMALL)
    assert [each for each in groups_of_nodes() if each.name == name] != []
    nodes.views.close()

    assert [each for each in groups_of_nodes() if each.name == name] == []


def test_nothing_is_left(nodes: Nodes) -> None:
    before = read_mounts()
    nodes.say(f"echo x > {PROGRAM}; echo x > /tmp/made-by-a-node")
    nodes.say("true", node="two")
    assert read_mounts() == before
    nodes.views.close()

    assert sorted(path.name for path in nodes.data.iterdir()) == ["nodes"]
    assert not Path("/tmp/made-by-a-node").exists()
    nodes.views.close()


_OWNER = """
import pathlib, sys
from runner.emulator.batch.isolation.copy_on_write import CopyOnWrite
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.isolation import Command
data, variable = pathlib.Path(sys.argv[1]), sys.argv[2]
views = CopyOnWrite(layers=data / "layers", hidden=data)
views.check()
node = data / "nodes" / "owned"
node.mkdir(parents=True)
print("ready", flush=True)
script = "setsid sleep 1000 & sleep 1000"
views.run(
    Command(node=node, words=("/bin/sh", "-c", script), working_directory=node,
            environment={"NODE_TEST": variable}, stdout=1, stderr=2), Interruption()
)
"""


def test_all_ends_with_an_owner_that_is_killed(nodes: Nodes, tmp_path: Path) -> None:
    data = tmp_path / "owned"
    data.mkdir()
    variable = f"{data}-owner"
    with subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(data), variable], stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"ready\n"
        wait_until(lambda: len(processes_with(f"NODE_TEST={variable}")) == 3, "it runs")
        owner.kill()

    wait_until(lambda: processes_with(f"NODE_TEST={variable}") == [], "its processes have ended")
    wait_until(lambda: not (data / "layers").exists(), "what nodes changed is gone")
