"""The README's commands do what it says, in a fresh copy of the repository."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Emulator, User

README = (ROOT / "README.md").read_text()
SHELL_BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
YAML_BLOCKS = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


def test_every_block_is_run_by_a_test() -> None:
    """Set-up and run, more examples, Azure, and the tests themselves, which `.ci/run` runs."""
    assert [block.split()[0] for block in SHELL_BLOCKS] == [
        "python3",
        ".venv/bin/batch-run",
        "export",
        "python3",
    ]
    assert SHELL_BLOCKS[3].strip().endswith(".venv/bin/python -m pytest -q -n auto")
    assert (
        "grep -m 1 -F \"pip install -q -e '.[test]'\" README.md"
        in (ROOT / ".ci" / "run").read_text()
    )
    assert SHELL_BLOCKS[3].strip() in README.splitlines()
    assert len(YAML_BLOCKS) == 1


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git would give somebody: the tracked files, as they are now, and nothing else."""
    folder = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def run_block(block: str, folder: Path, user: User) -> subprocess.CompletedProcess[str]:
    """A block of the README, in a shell that knows nothing of our environment."""
    environ = {name: user.environ[name] for name in ("HOME", "PATH") if name in user.environ}
    environ["PIP_NO_COMPILE"] = "1"  # most of what is installed nobody imports here
    environ.update(
        {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    )
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.timeout(900)
def test_a_fresh_machine_runs_the_main_job(clone: Path, user: User) -> None:
    done = run_block(SHELL_BLOCKS[0], clone, user)
    assert done.returncode == 0, done.stderr
    assert len(list((clone / "results" / "topwords" / "output").iterdir())) == 3
    assert "nothing left in the services" in done.stderr
    assert (clone / ".venv" / "share" / "man" / "man1" / "batch-run.1").is_file()

    # With the ffmpeg of this machine: as root, nodes of their own would install it first.
    block = SHELL_BLOCKS[1].replace("ffmpeg.yaml", "ffmpeg.yaml --isolation none")
    done = run_block(block, clone, user)
    assert done.returncode == 0, done.stderr
    assert "Standard output:\nThe harbour wakes" in done.stdout
    assert len(list((clone / "results" / "ffmpeg" / "output").iterdir())) == 5

    elsewhere = user.folder
    done = run_block(f"{clone}/.venv/bin/batch-run workloads/topwords.yaml", elsewhere, user)
    assert done.returncode == 0, done.stderr
    assert len(list((elsewhere / "results" / "topwords" / "output").iterdir())) == 3


def test_the_workload_of_the_readme(user: User) -> None:
    user.write("gzip.yaml", YAML_BLOCKS[0])
    user.write("data/a.txt", "to be packed\n")
    done = user.run("gzip.yaml")
    assert done.returncode == 0, done.stderr
    packed = user.folder / "results" / "gzip" / "output" / "a.txt.gz"
    assert gzip.decompress(packed.read_bytes()) == b"to be packed\n"


def test_the_variables_of_the_readme(user: User, emulator: Emulator) -> None:
    block = SHELL_BLOCKS[2]
    names = re.findall(r"^export (\w+)=", block, re.MULTILINE)
    assert set(names) < set(emulator.environ)
    done = user.with_environ(**emulator.environ).run(*block.splitlines()[-1].split()[1:])
    assert done.returncode == 0, done.stderr
    assert "target: azure, since AZURE_BATCH_ENDPOINT is set" in done.stderr
