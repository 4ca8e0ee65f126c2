"""`plan` with shellcheck on the PATH: findings are told, and change nothing else."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from tests.e2e.conftest import User
from tests.fakes.plans import SPEC

pytestmark = pytest.mark.skipif(
    shutil.which("shellcheck") is None, reason="shellcheck is not installed"
)


def without_shellcheck(user: User) -> User:
    folders = user.environ["PATH"].split(os.pathsep)
    kept = [each for each in folders if shutil.which("shellcheck", path=each) is None]
    return user.with_environ(PATH=os.pathsep.join(kept))


@pytest.mark.parametrize("options", [(), ("--json",), ("--task", "1"), ("--task", "1", "--json")])
def test_findings_go_to_standard_error_alone(user: User, options: tuple[str, ...]) -> None:
    user.write("spec.yaml", SPEC.replace("cat {{", "cat $x {{"))
    user.write("data/a.txt", "a")
    silent = without_shellcheck(user).run("plan", "spec.yaml", *options)
    assert (silent.returncode, silent.stderr) == (0, "")
    told = user.run("plan", "spec.yaml", *options)
    assert (told.returncode, told.stdout) == (0, silent.stdout)
    assert told.stderr.startswith("spec.yaml:13:16: sc2154: x is referenced but not assigned\n")
    if "--json" in options:
        json.loads(told.stdout)
