"""Runs that stop early, from the command to the files: tasks leave a mark where they ran."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import COMMAND, LIMIT_SECONDS, User, wait_until

SPEC = """\
version: 1
name: demo
containers:
  input: {upload: [{from: data}]}
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
"""
AZURE = ("spec.yaml", "--target", "azure")
HINT = "  hint: run it again once the cause is gone: what has succeeded is not run again"


@dataclass(frozen=True)
class Service:
    """An emulator that writes down what it is asked."""

    environ: Mapping[str, str]
    record: Path

    def asked(self, run: str) -> list[tuple[str, str]]:
        """Methods and paths of what was asked about a run."""
        # It may be in the middle of a line.
        whole, _, _ = self.record.read_text().rpartition("\n")
        entries = [json.loads(line) for line in whole.splitlines()]
        return [(each["method"], each["path"]) for each in entries if run in each["path"]]


@pytest.fixture(scope="module")
def service(
    user_environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    record = folder / "record.jsonl"
    options = ("--data", str(folder / "data"), "--record", str(record), "--isolation", "none")
    with subprocess.Popen(
        [COMMAND, "emulator", "--json", *options],
        env=user_environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            batch = ready["batch"]
            yield Service(
                environ={
                    "AZURE_BATCH_ENDPOINT": batch["endpoint"],
                    "AZURE_BATCH_ACCOUNT": batch["account"],
                    "AZURE_BATCH_ACCESS_KEY": batch["key"],
                    "AZURE_STORAGE_CONNECTION_STRING": ready["storage"]["connection_string"],
                },
                record=record,
            )
        finally:
            process.terminate()
            assert process.wait(timeout=LIMIT_SECONDS) == 0


@pytest.fixture
def azure(user: User, service: Service) -> User:
    """A user whose environment names the service."""
    return user.with_environ(**service.environ)


def write(user: User, *, halt: str, script: str, count: int) -> None:
    """A spec whose tasks run a script in the user's folder, which gets the stem of a file."""
    for number in range(1, count + 1):
        user.write(f"data/f{number:02}.txt", f"{number}\n")
    (user.folder / "ran").mkdir(exist_ok=True)
    user.write("script.sh", f"set -e; cd {user.folder}; touch ran/$1\n{script}\n")
    task = (
        "task:\n"
        "  for_each: input\n"
        f"  command: bash {user.folder}/script.sh {{{{ file.stem }}}};"
        " cp {{ file.path }} {{ file.stem }}.out\n"
        '  outputs: [{pattern: "{{ file.stem }}.out", to: output}]\n'
    )
    user.write("spec.yaml", f"{SPEC}{halt and f'halt: {halt}'}\n{task}")


ONE_FAILS = """
if mkdir first 2>/dev/null
then until test -d second; do sleep 0.02; done; exit 3
else mkdir -p second; until test -e go; do sleep 0.02; done
fi"""
"""Whichever task begins first fails, once another runs; the others wait for a file."""


def is_disabled(user: User, service: Service) -> bool:
    """Whether the job of the user's last run was disabled."""
    if not (user.folder / ".batch-run" / "last").exists():
        return False
    return any(path.endswith("/disable") for _, path in service.asked(user.last_run().name))


def stems(*numbers: int) -> set[str]:
    return {f"f{number:02}" for number in numbers}


def ran(user: User) -> set[str]:
    """The stems of the files whose tasks have run."""
    return {path.name for path in (user.folder / "ran").iterdir()}


def results(user: User) -> set[str]:
    folder = user.folder / "results" / "demo" / "output"
    return {path.stem for path in folder.iterdir()} if folder.exists() else set()


def events(user: User, kind: str) -> list[dict[str, Any]]:
    lines = (user.last_run() / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["type"] == kind]


def stems_by_cause(user: User) -> dict[str | None, set[str]]:
    found: dict[str | None, set[str]] = {}
    for event in events(user, "task.finished"):
        found.setdefault(event["cause"], set()).add(Path(event["item"]).stem)
    return found


def test_soon_brings_home_what_runs_and_starts_nothing_more(azure: User, service: Service) -> None:
    write(azure, halt="{after: 1}", script=ONE_FAILS, count=12)
    with azure.start(*AZURE) as process:
        wait_until(lambda: is_disabled(azure, service), what="the job is disabled")
        before = ran(azure)
        azure.write("go", "")
        _, stderr = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 1, stderr
    assert ran(azure) == before
    causes = stems_by_cause(azure)
    failed = causes.pop("FailureExitCode")
    assert len(failed) == 1
    assert failed < before
    assert results(azure) == before - failed
    assert causes == {None: before - failed, "Halted": stems(*range(1, 13)) - before}
    left = 12 - len(before)
    assert stderr.splitlines()[-2:] == [
        (
            "batch-run: 1 of 12 tasks failed (`halt.after: 1`);"
            f" stopped early: {left} of 12 tasks never ran"
        ),
        HINT,
    ]
    assert f"12 tasks: {11 - left} succeeded, 1 failed, {left} never ran\n" in stderr
    kept = [event["name"] for event in events(azure, "cleanup.finished")[0]["left"]]
    assert all(name.startswith(f"{azure.last_run().name}-") for name in kept), kept


def test_now_ends_what_runs_as_soon_as_a_share_has_failed(azure: User) -> None:
    script = """
    if mkdir first 2>/dev/null
    then until test -d second; do sleep 0.02; done; exit 3
    elif mkdir second 2>/dev/null
    then until test -d third; do sleep 0.02; done; exit 4
    else mkdir -p third; exec sleep 600
    fi"""
    write(azure, halt="{after: 10%, when: now}", script=script, count=20)
    done = azure.run(*AZURE)
    assert done.returncode == 1
    causes = stems_by_cause(azure)
    failed, ended, halted = (causes[cause] for cause in ("FailureExitCode", "JobEnded", "Halted"))
    assert len(failed) == 2
    assert ended == ran(azure) - failed
    assert halted == stems(*range(1, 21)) - ran(azure)
    assert results(azure) == set()
    assert done.stderr.splitlines()[-2:] == [
        (
            "batch-run: 2 of 20 tasks failed (`halt.after: 10%`); stopped early:"
            f" {len(ended)} of 20 tasks ended with it, {len(halted)} never ran"
        ),
        HINT,
    ]
    assert azure.processes() == []


def test_of_a_canary_that_fails_nothing_else_is_brought_up_or_run(
    azure: User, service: Service
) -> None:
    script = """
    if test $1 = f02
    then until test -e ran/f01; do sleep 0.02; done; echo $1 is no film >&2; exit 5
    fi"""
    write(azure, halt="{canary: 2}", script=script, count=30)
    done = azure.run(*AZURE)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2:] == [
        (
            "batch-run: the canary failed: task `0002` (f02.txt): exit code 5: f02 is no film;"
            " stopped early: 28 of 30 tasks never ran"
        ),
        HINT,
    ]
    assert "    f02 is no film\n" in done.stderr
    assert "30 tasks: 1 succeeded, 1 failed, 28 never ran\n" in done.stderr
    assert ran(azure) == stems(1, 2)
    assert results(azure) == stems(1)
    run = azure.last_run().name
    put = {path.rpartition("/")[2] for how, path in service.asked(f"{run}-input") if how == "PUT"}
    assert {name for name in put if name.endswith(".txt")} == {"f01.txt", "f02.txt"}
    assert {event["item"] for event in events(azure, "task.added")} == {"f01.txt", "f02.txt"}


def test_behind_a_canary_the_rest_follows(user: User) -> None:
    """The one success is also why failures that are alike do not stop the others."""
    script = "test $1 = f01 || { echo no codec >&2; exit 1; }"
    write(user, halt="{canary: 1}", script=script, count=25)
    done = user.run("spec.yaml", "--isolation", "none")
    assert done.returncode == 1
    assert ran(user) == stems(*range(1, 26))
    assert "25 tasks: 1 succeeded, 24 failed\n" in done.stderr
    lines = (user.last_run() / "events.jsonl").read_text().splitlines()
    kinds = [json.loads(line)["type"] for line in lines]
    first_end = kinds.index("task.finished")
    assert kinds[:first_end].count("task.added") == 1
    assert kinds[:first_end].count("upload.finished") == 1


def test_the_same_failure_on_twenty_files_stops_the_run(user: User) -> None:
    write(user, halt="", script="sleep 0.1\nno-such-program $1.mp4 $RANDOM", count=80)
    done = user.run("spec.yaml", "--isolation", "none")
    assert done.returncode == 1
    error, hint = done.stderr.splitlines()[-2:]
    found = re.fullmatch(
        r"batch-run: the same failure on 20 of 20 tasks: exit code 127: .*/script\.sh: line 3:"
        r" no-such-program: command not found; stopped early: (\d+) of 80 tasks never ran",
        error,
    )
    assert found, done.stderr
    assert len(ran(user)) == 80 - int(found[1]) < 80
    assert hint == f"{HINT}; with `halt: {{same_failure: false}}` in the spec such a run goes on"


def test_failures_of_many_kinds_stop_nothing(user: User) -> None:
    words = "echo ${1/f/codec-} | tr 0-9 a-j >&2; exit 1"
    write(user, halt="", script=words, count=30)
    done = user.run("spec.yaml", "--isolation", "none")
    assert done.returncode == 1
    assert ran(user) == stems(*range(1, 31))
    assert "30 tasks: 0 succeeded, 30 failed\n" in done.stderr


def test_a_later_run_takes_up_what_is_left(user: User) -> None:
    script = "sleep 0.1; test -e repaired || test $1 != f03"
    write(user, halt="{after: 1}", script=script, count=30)
    assert user.run("spec.yaml", "--isolation", "none").returncode == 1
    good = results(user)
    assert good < stems(*range(1, 31))
    for mark in (user.folder / "ran").iterdir():
        mark.unlink()
    user.write("repaired", "")
    done = user.run("spec.yaml", "--isolation", "none")
    assert done.returncode == 0, done.stderr
    assert ran(user) == stems(*range(1, 31)) - good
    assert results(user) == stems(*range(1, 31))


def test_a_client_that_dies_on_the_way_to_a_stop_stops_when_it_is_resumed(
    azure: User, service: Service
) -> None:
    write(azure, halt="{after: 1}", script=ONE_FAILS, count=12)
    with azure.start(*AZURE) as process:
        wait_until(lambda: is_disabled(azure, service), what="the job is disabled")
        process.kill()
    before = ran(azure)
    azure.write("go", "")
    done = azure.run("resume")
    assert done.returncode == 1, done.stderr
    assert ran(azure) == before
    causes = stems_by_cause(azure)
    failed = causes["FailureExitCode"]
    assert len(failed) == 1
    assert results(azure) == before - failed
    assert causes["Halted"] == stems(*range(1, 13)) - before
    assert done.stderr.splitlines()[-2:] == [
        (
            "batch-run: 1 of 12 tasks failed (`halt.after: 1`);"
            f" stopped early: {12 - len(before)} of 12 tasks never ran"
        ),
        HINT,
    ]
