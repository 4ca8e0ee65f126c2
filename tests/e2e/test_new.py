"""A new spec, from the command that writes it to the run."""

from __future__ import annotations

import gzip

from tests.e2e.conftest import User


def test_the_starter_runs_as_it_is(user: User) -> None:
    user.write("data/deep/a b.txt", "to be packed\n")
    done = user.run("new", "first-try")
    assert (done.returncode, done.stdout) == (0, "first-try.yaml\n"), done.stderr
    done = user.run("first-try.yaml", "-p", "level=9")
    assert done.returncode == 0, done.stderr
    packed = user.folder / "results" / "first-try" / "output" / "deep" / "a b.txt.gz"
    assert gzip.decompress(packed.read_bytes()) == b"to be packed\n"


def test_what_is_there_is_kept(user: User) -> None:
    spec = user.write("demo.yaml", "mine")
    done = user.run("new", "demo")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "batch-run: `demo.yaml` exists already\n"
        "  hint: nothing is overwritten: give another name, or `--path FILE`\n"
    )
    assert spec.read_text() == "mine"
