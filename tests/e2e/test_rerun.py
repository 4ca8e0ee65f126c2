"""A second run over the same output directory does again what changed and nothing else.

The tasks count themselves: each adds a line to a file when it runs.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.e2e.conftest import User, wait_until

SPEC = """\
version: 1
name: demo
parameters:
  factor: {type: integer, default: 1}
containers:
  input: {upload: [{from: data}]}
  middle: {}
  output: {download: true}
pool:
  image: ubuntu 24.04
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
tasks:
  count:
    for_each: input
    command: echo {{ file.stem }} >> RAN; wc -c < {{ file.path }} > {{ file.stem }}.count
    outputs: [{pattern: "{{ file.stem }}.count", to: middle}]
  times:
    for_each: {outputs_of: count}
    command: |
      echo times {{ file.stem }} >> RAN
      f={{ parameters.factor }}; n=$(cat {{ file.path }}); echo $((f * n)) > {{ file.stem }}.times
    outputs: [{pattern: "{{ file.stem }}.times", to: output}]
  sum:
    needs: [times]
    resources: [{from: output}]
    command: echo sum >> RAN; cat *.times | paste -sd ' ' > sum.txt
    outputs: [{pattern: sum.txt, to: output}]
"""


class Rehearsal:
    """A folder with a spec and files, and what ran there."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.ran = user.folder / "ran.txt"
        self.write_spec(SPEC)
        for name in ("a", "bb", "ccc"):
            user.write(f"data/{name}.txt", name)

    def write_spec(self, text: str) -> None:
        self.user.write("spec.yaml", text.replace("RAN", str(self.ran)))

    def run(self, *arguments: str, code: int = 0) -> tuple[list[str], CompletedProcess[str]]:
        """Runs the spec; which tasks ran meanwhile, and what the command said."""
        self.ran.write_text("")
        # Plain processes, since nodes of their own would not reach the file of this folder.
        done = self.user.run("run", "spec.yaml", "--isolation", "none", *arguments)
        assert done.returncode == code, done.stderr
        return sorted(self.ran.read_text().splitlines()), done

    def plan(self, *arguments: str) -> dict[str, tuple[str, str]]:
        """What `plan` says of each task, by its name."""
        done = self.user.run("plan", "spec.yaml", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        tasks = json.loads(done.stdout)["tasks"]
        return {each["name"]: (each["action"], each["reason"]) for each in tasks}

    def output(self, name: str) -> Path:
        return self.user.folder / "results" / "demo" / "output" / name

    @property
    def last_run(self) -> str:
        return self.user.last_run().name

    def events(self) -> list[Mapping[str, Any]]:
        lines = (self.user.last_run() / "events.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def report(self) -> Mapping[str, Any]:
        content: Mapping[str, Any] = json.loads((self.user.last_run() / "report.json").read_text())
        return content


@pytest.fixture
def rehearsal(user: User) -> Rehearsal:
    return Rehearsal(user)


ALL = ["a", "bb", "ccc", "sum", "times a", "times bb", "times ccc"]


def test_what_is_unchanged_is_not_run_again(rehearsal: Rehearsal) -> None:
    assert set(rehearsal.plan().values()) == {("run", "it has not run before")}
    ran, _ = rehearsal.run()
    assert ran == ALL
    first = rehearsal.last_run

    ran, done = rehearsal.run("--json")
    assert ran == []
    assert "7 of 7 tasks are unchanged and skipped (`--force` runs all)\n" in done.stderr
    assert "7 tasks: 7 skipped\n" in done.stderr
    events = rehearsal.events()
    assert [json.loads(line) for line in done.stdout.splitlines()] == events
    assert [each["type"] for each in events] == [
        "run.started",
        *["task.finished"] * 7,
        "cleanup.finished",
        "run.finished",
    ]
    assert all(each["skipped"] for each in events if each["type"] == "task.finished")
    assert not (rehearsal.user.last_run() / "emulator").exists()
    report = rehearsal.report()
    assert (report["exit_code"], report["skipped"], report["left"]) == (0, 7, [])

    file = rehearsal.user.folder / "data" / "bb.txt"
    before = file.stat()
    file.write_text("\n\n")  # of the same size, and made to look as old
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    rehearsal.output("a.times").unlink()
    rehearsal.output("ccc.times").write_text("7\n")
    task = "task 0001, which it needs, runs"
    assert rehearsal.plan() == {
        "count/a.txt": ("run", "task 0004 needs what it leaves, which was not kept"),
        "count/bb.txt": ("run", "its input `bb.txt` changed"),
        "count/ccc.txt": ("run", "task 0006 needs what it leaves, which was not kept"),
        "times/a.count": ("run", "its output `output/a.times` is missing"),
        "times/bb.count": ("run", task.replace("0001", "0002")),
        "times/ccc.count": ("run", "its output `output/ccc.times` is not as it was left"),
        "sum": ("run", task.replace("0001", "0005")),
    }
    ran, _ = rehearsal.run()
    assert ran == ALL
    assert rehearsal.output("sum.txt").read_text() == "1 2 3\n"

    rehearsal.write_spec(SPEC.replace("paste -sd ' '", "paste -sd +"))
    assert rehearsal.plan()["sum"] == ("run", "its command changed")
    ran, done = rehearsal.run()
    assert ran == ["sum"]
    assert "6 of 7 tasks are unchanged and skipped (`--force` runs all)\n" in done.stderr
    assert "7 tasks: 1 succeeded, 6 skipped\n" in done.stderr
    assert rehearsal.output("sum.txt").read_text() == "1+2+3\n"

    summary = rehearsal.user.run("diff", first, rehearsal.last_run)
    assert summary.returncode == 0, summary.stderr
    assert "sum: its command changed\n" in summary.stdout
    same = rehearsal.user.run("diff", first, first[:-1])
    assert (same.returncode, same.stdout) == (2, "")
    assert same.stderr == (
        f"batch-run: `{first}` and `{first[:-1]}` are the same run, `{first}`\n"
        "  hint: `batch-run runs` lists all of this folder\n"
    )


def test_ids_that_shift_do_not_matter(rehearsal: Rehearsal) -> None:
    rehearsal.run()
    rehearsal.user.write("data/aa.txt", "dddd")
    ran, _ = rehearsal.run()
    assert ran == ["aa", "sum", "times aa"]
    assert rehearsal.output("sum.txt").read_text() == "1 4 2 3\n"
    plan = rehearsal.plan("-p", "factor=2")
    assert plan["times/bb.count"] == ("run", "its command changed")
    ran, done = rehearsal.run("-p", "factor=2", "--only", "6,0007")
    assert ran == ["aa", "bb", "times aa", "times bb"]
    assert "2 of 9 tasks are unchanged and skipped (`--force` runs all)\n" in done.stderr
    assert "3 of 9 tasks are left out, as `--only` says\n" in done.stderr
    assert "9 tasks: 4 succeeded, 2 skipped, 3 left out\n" in done.stderr
    done = rehearsal.user.run("run", "spec.yaml", "--only", "10")
    assert done.returncode == 2
    assert done.stderr.endswith(
        "batch-run: there is no task `10`\n  hint: ids go from 0001 to 0009\n"
    )


FAILING = SPEC.replace("wc -c", "test {{ file.stem }} != bb; wc -c", 1)


def test_only_what_failed(rehearsal: Rehearsal) -> None:
    done = rehearsal.user.run("run", "spec.yaml", "--only", "failed")
    assert done.returncode == 2
    assert done.stderr.endswith(
        "batch-run: `--only failed`: no run was there before with this workload and output"
        " directory\n  hint: run it without `--only` first\n"
    )
    rehearsal.write_spec(FAILING)
    ran, _ = rehearsal.run(code=1)
    assert ran == ["a", "bb", "ccc", "times a", "times ccc"]
    failed = rehearsal.last_run
    assert rehearsal.plan()["count/bb.txt"] == ("run", f"it failed in run {failed}")
    # Its repair changes the command of all, of whom only the ones that failed are wanted.
    rehearsal.write_spec(FAILING.replace("!= bb", "!= b"))
    ran, done = rehearsal.run("--only", "failed")
    assert ran == ALL  # the sum needs all of them, and none of their counts was kept
    assert rehearsal.output("sum.txt").read_text() == "1 2 3\n"
    ran, done = rehearsal.run("--only", "failed")
    assert ran == []
    assert "7 of 7 tasks are unchanged and skipped (`--force` runs all)\n" in done.stderr


def test_a_client_that_is_killed_leaves_what_was_home(rehearsal: Rehearsal) -> None:
    spec = SPEC.replace(
        "echo times",
        "test {{ file.stem }} != ccc || until test -e GO; do sleep 0.1; done\n      echo times",
        1,
    )
    go = rehearsal.user.folder / "go"
    spec = spec.replace("GO", str(go))
    rehearsal.write_spec(spec)
    rehearsal.ran.write_text("")
    with rehearsal.user.start("run", "spec.yaml", "--isolation", "none") as process:
        folder = rehearsal.user.folder / ".batch-run" / "outputs"

        def are_kept() -> bool:
            lines = [each.read_text() for each in folder.glob("demo-*/results.jsonl")]
            return "".join(lines).count('"succeeded":true') == 5

        wait_until(are_kept, limit_seconds=60, what="five tasks are home")
        second = rehearsal.user.run("run", "spec.yaml", "--isolation", "none")
        assert second.returncode == 2
        assert (
            f"batch-run: run `{rehearsal.last_run}` (process {process.pid}) works into the output"
            f" directory `{rehearsal.user.folder}/results/demo`\n"
            "  hint: wait for its end, or choose another directory with `--output DIR`\n"
        ) in second.stderr
        process.send_signal(signal.SIGKILL)
        process.communicate()
    wait_until(
        lambda: not rehearsal.user.processes(),
        limit_seconds=60,
        what="the local services and their tasks have gone with their client",
    )
    go.touch()
    ran, _ = rehearsal.run("--json")
    assert ran == ["ccc", "sum", "times ccc"]
    skipped = [each["task"] for each in rehearsal.events() if each.get("skipped") is True]
    assert [each for each in skipped if each is not None] == ["0001", "0002", "0004", "0005"]


def test_force_runs_all(user: User) -> None:
    user.write("spec.yaml", SPEC[: SPEC.index("tasks:")] + TASK)
    user.write("data/a.txt", "a")
    for option in ("-q", "--force"):
        done = user.run("run", "spec.yaml", option)
        assert done.returncode == 0, done.stderr
        assert "1 task: 1 succeeded\n" in done.stderr
    plan = user.run("plan", "spec.yaml", "--task", "1", "--force")
    assert "  run: `--force` asks for it\n" in plan.stdout


TASK = """\
task:
  for_each: input
  command: cat < {{ file.path }} > {{ file.name }}
  outputs: [{pattern: "{{ file.name }}", to: output}]
"""
