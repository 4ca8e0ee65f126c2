"""Reading what is mounted."""

from __future__ import annotations

from pathlib import Path

from runner.emulator.batch.isolation.mounts import (
    Mount,
    is_below,
    read_mounts,
    visible_mounts,
)

MOUNTINFO = rb"""27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
22 27 0:21 / /proc rw,nosuid - proc proc rw
40 27 8:1 /data /mnt/two\040words ro,nosuid shared:7 master:1 - xfs /dev/sda1 rw
41 27 0:50 / /mnt rw - tmpfs tmpfs rw
42 41 0:51 / /mnt rw - fuse.sshfs me@host: rw
"""


def test_each_mount_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mountinfo"
    path.write_bytes(MOUNTINFO)

    found = read_mounts(path)

    assert found == (
        Mount(point="/", kind="ext4", is_read_only=False),
        Mount(point="/proc", kind="proc", is_read_only=False),
        Mount(point="/mnt/two words", kind="xfs", is_read_only=True),
        Mount(point="/mnt", kind="tmpfs", is_read_only=False),
        Mount(point="/mnt", kind="fuse.sshfs", is_read_only=False),
    )
    assert [(each.point, each.kind) for each in visible_mounts(found)] == [
        ("/", "ext4"),
        ("/mnt", "fuse.sshfs"),
        ("/mnt/two words", "xfs"),
        ("/proc", "proc"),
    ]


def test_below() -> None:
    assert is_below("/run", "/run")
    assert is_below("/run/lock", "/run")
    assert is_below("/run", "/")
    assert not is_below("/running", "/run")
