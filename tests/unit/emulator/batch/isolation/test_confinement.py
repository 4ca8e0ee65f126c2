"""What root of a copy-on-write node tries to get at the machine with."""

from __future__ import annotations

import ctypes
import os
import shlex
import socket
import sys
from pathlib import Path

import pytest

from runner.emulator.batch.node.users import POOL_USER
from tests.unit.emulator.batch.isolation.conftest import Nodes

_LANDLOCK_CREATE_RULESET = 444
_ABI_OF_SCOPES = 6


def test_no_devices_are_made(nodes: Nodes) -> None:
    for place in (".", "/dev", "/dev/shm", "/tmp", "/run"):
        assert nodes.run("mknod", f"{place}/made", "c", "1", "9") == 1
        assert (nodes.root("one") / "out").read_text() == (
            f"mknod: {place}/made: Operation not permitted\n"
        )
        assert nodes.run("mknod", f"{place}/made", "b", "7", "0") == 1
        nodes.say(f"mkfifo {place}/made")


def test_a_device_that_others_put_into_a_folder_is_none(nodes: Nodes) -> None:
    os.mknod(nodes.root("one") / "zero", 0o666 | 0o020000, os.makedev(1, 5))

    assert nodes.run("head", "-c", "1", "zero") == 1
    assert "Permission denied" in (nodes.root("one") / "out").read_text()


def test_devices_are_used_and_not_changed(nodes: Nodes) -> None:
    before = Path("/dev/null").stat()

    assert nodes.say("echo x > /dev/null; echo y >> /dev/null; head -c 2 /dev/zero | wc -c") == "2"
    assert nodes.run("chmod", "600", "/dev/null") == 1
    assert nodes.run("chown", "1:1", "/dev/null") == 1
    assert nodes.run("touch", "-d", "2001-01-01", "/dev/null") == 1
    assert nodes.run("rm", "/dev/null") == 1
    after = Path("/dev/null").stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )


def test_programs_of_a_folder_give_nobody_rights(nodes: Nodes) -> None:
    nodes.say("cp /usr/bin/id .; chmod 6755 id")
    nodes.root("one").chmod(0o755)

    assert nodes.say("./id -u; ./id -g", user=POOL_USER).split() == ["60600", "60600"]


ATTEMPTS = (
    "unshare --user true",
    "unshare --user --map-root-user --mount mount -t tmpfs none /mnt",
    "unshare --mount true",
    "unshare --pid true",
    "mount -t tmpfs none /mnt",
    "mount -o remount,bind,rw /proc/sys",
    "mount -t proc proc /mnt",
    "umount /sys",
    "umount /proc/acpi",
    "nsenter --target 1 --mount true",
    "chroot /proc/1/root true",
    "cat /proc/1/environ",
    "dmesg --clear",
)


def test_no_mounts_and_no_rights_are_had(nodes: Nodes) -> None:
    for attempt in ATTEMPTS:
        assert nodes.run(*attempt.split()) not in {0, 127}, attempt
    assert nodes.say("mountpoint -q /mnt || echo none; test -w /sys || echo none") == "none\nnone"
    assert nodes.run("unshare", "--user", "true", user=POOL_USER) == 1


def test_threads_and_processes_are_started_all_the_same(nodes: Nodes) -> None:
    script = (
        "import subprocess, threading\n"
        "thread = threading.Thread(target=print, args=('thread',)); thread.start(); thread.join()\n"
        "print(subprocess.check_output(['echo', 'process']).decode())\n"
    )
    said = nodes.say(f"{shlex.quote(sys.executable)} -c {shlex.quote(script)}")
    assert said.split() == ["thread", "process"]


def test_nothing_that_is_mounted_can_be_changed_but_the_nodes_own(nodes: Nodes) -> None:
    """Every mount is read-only, or a layer or memory of the node's, or its folder."""
    own = {"overlay", "tmpfs", "devpts", "mqueue", "proc"}
    machine = {line.split()[2] for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    root = nodes.root("one")
    writable = []
    for line in nodes.say("cat /proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        _, _, device, _, point, options = before.split()[:6]
        flags = options.split(",")
        if point == str(root):
            assert {"nosuid", "nodev"} <= set(flags)
            continue
        assert "nodev" in flags or device in machine, line
        if "ro" not in flags:
            writable.append(point)
            assert after.split()[0] in own, line
            assert device not in machine, line
    assert "/" in writable
    assert "/dev" in writable


def test_what_engines_hide_is_hidden(nodes: Nodes) -> None:
    said = nodes.say(
        "cat /proc/keys /proc/timer_list; ls -A /proc/acpi /proc/scsi /sys/firmware 2> /dev/null"
        " | grep -v : || true"
    )
    assert said == ""
    assert nodes.run("sh", "-c", "echo x > /proc/keys") == 0
    for path in ("/proc/sys/kernel/panic", "/proc/irq/default_smp_affinity"):
        assert nodes.run("sh", "-c", f"cat {path} > {path}") != 0


def test_keys_and_records_of_the_emulator_are_out_of_reach(nodes: Nodes) -> None:
    secrets = ["accounts.json", "batch/state.db", "blob/contents/1", "layers/x", "nodes/two/secret"]
    for name in secrets:
        path = nodes.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a secret")

    said = nodes.say(
        " ".join(
            f"cat {each} 2> /dev/null || echo no;"
            for name in secrets
            for each in (nodes.data / name, f"/proc/1/root/{nodes.data / name}")
        )
    )

    assert said.split() == ["no"] * len(secrets) * 2
    assert nodes.say(f"grep --exclude out -rl 'a secret' {nodes.data} || true") == ""


def test_abstract_sockets_of_the_machine_are_out_of_reach(nodes: Nodes) -> None:
    abi = ctypes.CDLL(None).syscall(
        ctypes.c_long(_LANDLOCK_CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_long(1)
    )
    if abi < _ABI_OF_SCOPES:
        pytest.skip("this kernel has no Landlock that keeps abstract sockets apart")
    name = f"\0{nodes.data}"
    script = (
        "import socket, sys\n"
        "with socket.socket(socket.AF_UNIX) as it:\n"
        "    try: it.connect('\\0' + sys.argv[1])\n"
        "    except OSError as error: print(error.strerror)\n"
        "    else: print('connected')\n"
    )
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(name)
        service.listen()
        said = nodes.say(shlex.join([sys.executable, "-c", script, str(nodes.data)]))
    assert said == "Operation not permitted"
