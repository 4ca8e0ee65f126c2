"""A disk that is full below the local services: told soon, and nothing is lost by it."""

from __future__ import annotations

import gzip
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.connect import open_local
from runner.errors import DiskFullError
from tests.e2e.conftest import User

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root may mount a small disk"
)

SPEC = """\
version: 1
name: gzip
containers:
  input: {upload: [{from: data}]}
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
task:
  for_each: input
  command: gzip -c {{ file.path }} > {{ file.name }}.gz
  outputs: [{pattern: "{{ file.name }}.gz", to: output}]
"""
NOISE = random.Random(7)
FILES = {f"f{number}.txt": NOISE.randbytes(60_000) for number in range(1, 13)}


@pytest.fixture
def disk(user: User) -> Iterator[Path]:
    """A disk of 1 MB where the user's runs are kept, which 12 inputs nearly fill."""
    folder = user.folder / ".batch-run"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "small", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"this machine mounts nothing: {mounted.stderr.strip()}")
    yield folder
    # An emulator that was let go may be about to end.
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_of_the_local_services_is_told_soon_and_the_run_resumed(
    user: User, disk: Path
) -> None:
    user.write("spec.yaml", SPEC)
    for name, content in FILES.items():
        user.write(f"data/{name}", content)

    full = user.run("run", "spec.yaml", "--target", "local", "--isolation", "none")

    assert full.returncode == 3, full.stderr
    # The run's own journal is on that disk too, and may be the first to find it full.
    said, _, then = full.stderr.partition("  hint: ")
    assert "no space left on device" in said.splitlines()[-1]
    run = user.last_run().name
    assert then.splitlines()[1:] == [f"`batch-run resume {run}` goes on with the run"]
    assert "has answered 500" not in full.stderr
    assert " failed" not in full.stderr

    subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
    resumed = user.run("resume")

    assert resumed.returncode == 0, resumed.stderr
    assert "12 tasks: 12 succeeded\n" in resumed.stderr
    home = user.folder / "results" / "gzip" / "output"
    found = {path.name: gzip.decompress(path.read_bytes()) for path in home.iterdir()}
    assert found == {f"{name}.gz": content for name, content in FILES.items()}


def test_services_without_room_are_not_waited_for(user: User, disk: Path) -> None:
    """Not for the 15 minutes that a run bears with them, nor as long as a test may take."""
    state = disk / "emulator"
    with open_local(
        state=state, allow_admin=False, isolation="none", environ=user.environ
    ) as services:
        services.blobs.create_container("input", {})
        with pytest.raises(DiskFullError) as caught:
            services.blobs.upload_text("input", "a.txt", "x" * 2_000_000)
    assert caught.value.message == (
        f"no space left on device: the local services cannot write to `{state}`"
    )
    assert caught.value.hint == "make room"
    assert caught.value.is_resumable
