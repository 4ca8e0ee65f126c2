"""What is shown with fewer rights, and what becomes of it where they cannot be taken."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="mounts need Linux and root"
)

_IN_OWN_MOUNTS = """
import json, os, struct, sys
from runner.emulator.batch.isolation.binds import bind
from runner.emulator.batch.isolation.kernel import *
source, place = sys.argv[1:]
unshare(CLONE_NEWNS)
mount("none", "/", flags=MS_REC | MS_PRIVATE)
"""
_FLAGS = (
    _IN_OWN_MOUNTS
    + """
mount("none", source, "tmpfs", MS_NOEXEC)
shown = bind(source, place, MS_RDONLY | MS_NODEV)
print(json.dumps([shown, os.statvfs(place).f_flag & 15]))
"""
)
# A filter that refuses `mount` with MS_REMOUNT: load the number, compare, load the flags, test.
_REFUSED = (
    _IN_OWN_MOUNTS
    + """
call = {"x86_64": 165, "aarch64": 40}[os.uname().machine]
words = [(0x20, 0, 0, 0), (0x15, 0, 3, call), (0x20, 0, 0, 40), (0x45, 0, 1, MS_REMOUNT),
         (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)]
filter_calls(b"".join(struct.pack("=HBBI", *word) for word in words))
shown = bind(source, place, MS_RDONLY)
print(json.dumps([shown, os.listdir(place)]))
"""
)


def run(script: str, folder: Path) -> object:
    (folder / "source").mkdir()
    (folder / "place").mkdir()
    (folder / "source" / "secret").touch()
    done = subprocess.run(
        [sys.executable, "-c", script, folder / "source", folder / "place"],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare: Operation not permitted" in done.stderr:
        pytest.skip("no mounts can be made on this machine")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_restrictions_are_added_to_those_that_there_are(tmp_path: Path) -> None:
    assert run(_FLAGS, tmp_path) == [
        True,
        os.ST_RDONLY | os.ST_NODEV | os.ST_NOEXEC,
    ]


@pytest.mark.skipif(
    platform.machine() not in {"x86_64", "aarch64"}, reason="its calls are not known here"
)
def test_what_cannot_be_restricted_is_not_shown(tmp_path: Path) -> None:
    assert run(_REFUSED, tmp_path) == [False, []]
