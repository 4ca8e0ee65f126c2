"""What each command imports: a module that it does not need would be waited for each time."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from runner.run.records.record import record_as_json
from tests.fakes.plans import RUN, SPEC, write_spec
from tests.fakes.records import RECORD

OTHERS = ("azure", "requests", "aiohttp", "jsonschema", "rich", "wcmatch", "asyncio", "uvicorn")
PROGRAM = """
import gc, json, sys
told = []

def tell(event, arguments):
    if event == "subprocess.Popen":
        told.append(sorted(sys.modules))

sys.addaudithook(tell)
sys.argv = ["batch-run", *sys.argv[1:]]
from runner.cli.main import main
try:
    code = main()
except SystemExit as end:
    code = end.code
frozen, looks = gc.get_freeze_count(), gc.get_stats()[0]["collections"]
print(json.dumps({"code": code, "started": told, "modules": sorted(sys.modules), "frozen": frozen,
    "looks": looks}))
"""


class Imports:
    """What was imported for one command line, and when it started its first process."""

    def __init__(self, folder: Path, *words: str) -> None:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *words],
            capture_output=True,
            text=True,
            check=True,
            cwd=folder,
        )
        told = json.loads(done.stdout.splitlines()[-1])
        self.code = told["code"]
        self.modules: frozenset[str] = frozenset(told["modules"])
        self.started = [frozenset(each) for each in told["started"]]
        self.frozen, self.looks = told["frozen"], told["looks"]


def others(modules: frozenset[str]) -> set[str]:
    """The libraries among the modules that are not needed for most commands."""
    return {name for name in OTHERS if name in modules}


def parts(modules: frozenset[str]) -> set[str]:
    """The parts of batch-run among the modules."""
    return {name.split(".")[1] for name in modules if name.startswith("runner.")}


def test_the_version_is_told_without_a_spec_being_understood(tmp_path: Path) -> None:
    seen = Imports(tmp_path, "--version")
    assert seen.code == 0
    assert others(seen.modules) == set()
    assert not {"yaml", "jinja2", "runner.connect", "tempfile"} & seen.modules
    assert not {name for name in seen.modules if name.startswith("runner.plan")}
    assert len([name for name in seen.modules if name.startswith("runner.")]) < 45


@pytest.mark.parametrize(
    "words",
    [
        ("help", "run"),
        ("run", "--help"),
        ("__complete", "bash", "logs", ""),
        ("completion", "fish"),
    ],
)
def test_help_and_completion_come_at_once(tmp_path: Path, words: tuple[str, ...]) -> None:
    seen = Imports(tmp_path, *words)
    assert seen.code == 0
    assert others(seen.modules) == set()
    assert not {"yaml", "jinja2", "runner.connect", "tempfile"} & seen.modules


def test_what_stays_to_the_end_is_not_looked_through_for_garbage(tmp_path: Path) -> None:
    write_spec(tmp_path)
    seen = Imports(tmp_path, "plan", "spec.yaml")
    assert seen.looks < 30  # while Python starts, and few times since
    assert seen.frozen > 20_000


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_a_good_spec_needs_no_library_to_be_found_wrong(tmp_path: Path, command: str) -> None:
    write_spec(tmp_path)
    seen = Imports(tmp_path, command, "spec.yaml")
    assert seen.code == 0
    assert others(seen.modules) == set()
    assert "runner.spec.shells.powershell" not in seen.modules
    assert "runner.spec.shells.cmd" not in seen.modules
    if command == "validate":
        assert parts(seen.modules) == {"cli", "errors", "frozen", "run", "spec"}
        assert "runner.run.execute" not in seen.modules


def test_a_wrong_spec_is_told_by_the_library(tmp_path: Path) -> None:
    write_spec(tmp_path, SPEC.replace("nodes:", "noodles:"))
    seen = Imports(tmp_path, "validate", "spec.yaml")
    assert seen.code == 2
    assert others(seen.modules) == {"jsonschema"}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no local target")
def test_the_local_services_are_started_before_anything_else_is_imported(tmp_path: Path) -> None:
    write_spec(tmp_path, SPEC.replace("for_each: input", "for_each: nothing"))
    seen = Imports(tmp_path, "run", "spec.yaml", "--target", "local")
    assert seen.code == 2
    (before,) = seen.started
    assert others(before) == set()
    assert not {"yaml", "jinja2", "runner.cli.running"} & before
    leaves = {"errors", "frozen", "json_text"}
    assert parts(before) == {"cli", "connect", "remote", "run", "spec"} | leaves
    assert others(seen.modules) == set()
    assert not (tmp_path / ".batch-run").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no local target")
@pytest.mark.parametrize("command", ["resume", "attach"])
def test_the_local_services_are_started_early_for_a_run_that_is_taken_up_again(
    tmp_path: Path, command: str
) -> None:
    directory = tmp_path / ".batch-run" / "runs" / RUN
    (directory / "emulator").mkdir(parents=True)
    record = replace(RECORD, target="local", batch_endpoint=None, storage_endpoint=None)
    (directory / "run.json").write_text(record_as_json(record))
    seen = Imports(tmp_path, command, RUN)
    assert seen.code == 2  # there is no spec any more
    (before,) = seen.started
    assert others(before) == set()
    assert not {"yaml", "jinja2", "runner.cli.resuming", "runner.run.records.record"} & before


def test_no_local_services_are_started_for_a_run_on_azure(tmp_path: Path) -> None:
    directory = tmp_path / ".batch-run" / "runs" / RUN
    directory.mkdir(parents=True)
    (directory / "run.json").write_text(record_as_json(RECORD))
    seen = Imports(tmp_path, "resume", RUN)
    assert (seen.code, seen.started) == (2, [])
