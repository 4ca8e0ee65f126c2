"""Steps that need one another, and jobs that their tasks act on, from the command to the files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential

from tests.e2e.conftest import Emulator, User, wait_until

SPEC = """\
version: 1
name: demo
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
    command: test {{ file.stem }} != bad; wc -c < {{ file.path }} > {{ file.stem }}.count
    outputs: [{pattern: "{{ file.stem }}.count", to: middle}]
  double:
    for_each: {outputs_of: count}
    command: n=$(cat {{ file.path }}); echo $((2 * n)) > {{ file.stem }}.double
    outputs: [{pattern: "{{ file.stem }}.double", to: output}]
  sum:
    needs: [double]
    resources: [{from: output}]
    command: sort -n *.double | tr '\\n' ' ' > sum.txt
    outputs: [{pattern: sum.txt, to: output}]
"""


def write(user: User, spec: str = SPEC, names: tuple[str, ...] = ("a", "bb", "ccc")) -> None:
    """The spec, and files that hold their own names."""
    for name in names:
        user.write(f"data/{name}.txt", name)
    user.write("spec.yaml", spec)


def results(user: User) -> dict[str, str]:
    """What came home, by name."""
    folder = user.folder / "results" / "demo" / "output"
    return {path.name: path.read_text() for path in folder.iterdir()} if folder.exists() else {}


def report(user: User) -> Mapping[str, Any]:
    """The report of the last run."""
    content: Mapping[str, Any] = json.loads((user.last_run() / "report.json").read_text())
    return content


def causes(user: User) -> dict[str, str]:
    """What became of each task that did not succeed, by its number."""
    return {failure["task"]: failure["cause"] for failure in report(user)["failures"]}


def test_a_map_a_second_map_and_a_merge(user: User) -> None:
    write(user)
    done = user.run("spec.yaml")
    assert done.returncode == 0, done.stderr
    assert results(user) == {
        "a.double": "2\n",
        "bb.double": "4\n",
        "ccc.double": "6\n",
        "sum.txt": "2 4 6 ",
    }
    assert "7 tasks: 7 succeeded\n" in done.stderr
    assert "nothing left in the services\n" in done.stderr


def test_a_failure_keeps_from_running_what_needs_it_and_nothing_else(user: User) -> None:
    write(user, names=("a", "bad", "ccc"))
    done = user.run("spec.yaml")
    assert done.returncode == 1
    assert causes(user) == {
        "0002": "FailureExitCode",
        "0005": "DependencyFailed",
        "0007": "DependencyFailed",
    }
    assert results(user) == {"a.double": "2\n", "ccc.double": "6\n"}
    assert "task 0005 never ran (bad.count): it needs task `0002`, which failed\n" in done.stderr
    assert (
        "task 0007 never ran: it needs task `0005`, which never ran, since task `0002` failed\n"
    ) in done.stderr
    assert "7 tasks: 4 succeeded, 1 failed, 2 never ran\n" in done.stderr
    assert "nothing left in the services\n" in done.stderr


def test_a_rule_lets_the_others_run(user: User) -> None:
    spec = SPEC.replace(
        '    outputs: [{pattern: "{{ file.stem }}.double", to: output}]\n',
        '    outputs: [{pattern: "{{ file.stem }}.double", to: output}]\n'
        "    exit_rules: [{codes: [9], dependents: run}]\n",
    ).replace("    command: n=", "    command: test {{ file.stem }} != bb || exit 9; n=")
    write(user, spec)
    done = user.run("spec.yaml")
    assert done.returncode == 1
    assert causes(user) == {"0005": "FailureExitCode"}
    assert results(user)["sum.txt"] == "2 6 "


def test_the_first_failure_ends_the_job(user: User) -> None:
    spec = SPEC.replace("tasks:\n", "job: {on_failure: stop}\ntasks:\n", 1)
    # Each has a node, and the one that fails waits for another to run, which ends with the job.
    # Nodes that are views of the machine would not see each other's mark.
    spec = spec.replace("{dedicated: 2}", "{dedicated: 3}")
    mark = user.folder / "another-runs"
    wait = f"if test {{{{ file.stem }}}} = a; then until test -e {mark}; do sleep 0.05; done;"
    ours = f"{wait} false; fi; touch {mark}; sleep 60;"
    spec = spec.replace("test {{ file.stem }} != bad;", ours)
    write(user, spec)
    done = user.run("spec.yaml", "--isolation", "none")
    assert done.returncode == 1
    assert (
        "batch-run: task `0001` (a.txt) failed and ended the job, as the spec asks: "
    ) in done.stderr
    assert "of 7 tasks ended with it, " in done.stderr
    words = "task `0001` (a.txt) failed and ended the job, as the spec asks"
    assert re.search(rf"task 000\d ended with the job \(.*\): {re.escape(words)}\n", done.stderr)
    assert "nothing left in the services\n" in done.stderr


def disabling() -> str:
    """A spec whose second task disables the job."""
    return SPEC.replace(
        '    outputs: [{pattern: "{{ file.stem }}.count", to: middle}]\n',
        '    outputs: [{pattern: "{{ file.stem }}.count", to: middle}]\n'
        "    exit_rules: [{causes: [other], job: disable}]\n",
    )


def test_a_job_that_a_task_disabled_stands_still(user: User, emulator: Emulator) -> None:
    azure = user.with_environ(**emulator.environ)
    spec = disabling().replace("{dedicated: 2}", "{dedicated: 1}")
    write(azure, spec, ("bad", "good"))
    done = azure.run("spec.yaml")
    assert done.returncode == 4
    job = azure.last_run().name
    assert (
        "batch-run: task `0001` (bad.txt) failed and disabled the job, as the spec asks:"
    ) in done.stderr
    assert f"hint: once its cause is gone, `batch-run resume {job}` goes on" in done.stderr
    assert f"left: job {job} (the job is disabled)\n" in done.stderr


def test_a_preparation_that_fails_ends_the_run_early(user: User) -> None:
    spec = SPEC.replace(
        "tasks:\n", "job: {preparation: {command: echo oops >&2; exit 3}}\ntasks:\n", 1
    )
    write(user, spec)
    done = user.run("spec.yaml")
    assert done.returncode == 1
    assert "batch-run: the job preparation failed on every node (exit code 3)\n" in done.stderr
    assert "the job preparation failed on node " in done.stderr
    assert "\n    oops\n" in done.stderr
    assert "nothing left in the services\n" in done.stderr


def test_a_matrix_brings_each_file_up_once(user: User) -> None:
    spec = """\
version: 1
name: demo
containers:
  input: {upload: [{from: data}]}
  output: {download: true}
pool:
  image: ubuntu 24.04
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
task:
  for_each:
    matrix:
      file: {files: input}
      level: {list: [1, 2, 3]}
  command: cat {{ row.file.path }} > {{ row.file.stem }}-{{ row.level }}.out
  outputs: [{pattern: "{{ row.file.stem }}-{{ row.level }}.out", to: output}]
"""
    write(user, spec)
    done = user.run("spec.yaml", "--json")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    brought = [event["blob"] for event in events if event["type"] == "upload.finished"]
    assert sorted(brought) == ["a.txt", "bb.txt", "ccc.txt"]
    assert len(results(user)) == 9
    assert results(user)["bb-3.out"] == "bb"


def test_files_in_chunks_and_scripts_too_long_for_the_wire(user: User) -> None:
    names = tuple(f"{number:02}" for number in range(25))
    padding = "\n".join(f"    # {'x' * 90} {number}" for number in range(1_200))
    spec = f"""\
version: 1
name: demo
containers:
  input: {{upload: [{{from: data}}]}}
  output: {{download: true}}
pool:
  image: ubuntu 24.04
  vm_size: Standard_D2s_v5
  nodes: {{dedicated: 2}}
task:
  for_each: {{files: input, chunk: 10}}
  command: |
{padding}
    cat *.txt > part-{{{{ index }}}}
  outputs: [{{pattern: "part-{{{{ index }}}}", to: output}}]
"""
    write(user, spec, names)
    done = user.run("spec.yaml")
    assert done.returncode == 0, done.stderr
    assert "".join(text for _, text in sorted(results(user).items())) == "".join(names)


@pytest.mark.parametrize("target", ["azure", "local"])
def test_a_schedule_runs_without_us(
    user: User, emulator: Emulator, tmp_path: Path, target: str
) -> None:
    end = datetime.now(timezone.utc) + timedelta(hours=2)
    spec = f"""\
version: 1
name: demo
containers:
  input: {{upload: [{{from: data}}], delete: never}}
  output: {{delete: never}}
pool:
  image: ubuntu 24.04
  vm_size: Standard_D2s_v5
  nodes: {{dedicated: 1}}
job:
  schedule: {{every: 1h, end: "{end:%Y-%m-%dT%H:%M:%SZ}"}}
task:
  resources: [{{from: input}}]
  command: cat *.txt > all.txt
  outputs: [{{pattern: all.txt, to: output}}]
"""
    azure = user.with_environ(**emulator.environ)
    write(azure, spec)
    done = azure.run("spec.yaml", "--target", target)
    if target == "local":
        assert done.returncode == 2
        return
    assert done.returncode == 0, done.stderr
    name = azure.last_run().name
    assert "1 task: run by a job schedule\n" in done.stderr
    assert (
        f"left: job schedule {name} (a job every 1h until {end:%Y-%m-%dT%H:%M:%SZ};"
        f" az batch job-schedule delete --job-schedule-id {name} removes it)\n"
    ) in done.stderr
    assert f"left: container {name}-output (the schedule's jobs use it)\n" in done.stderr
    credential = AzureNamedKeyCredential(emulator.batch["account"], emulator.batch["key"])
    with BatchClient(emulator.batch["endpoint"], credential) as batch:

        def is_done() -> bool:
            return any(job.state == "completed" for job in batch.list_jobs_from_schedule(name))

        wait_until(is_done, what="the schedule's first job has ended")


@pytest.mark.parametrize("words", [("run",), ("plan", "--target", "azure"), ("plan",)])
def test_a_schedule_that_is_over_makes_nothing(
    user: User, emulator: Emulator, words: tuple[str, ...]
) -> None:
    azure = user.with_environ(**emulator.environ)
    azure.write(
        "spec.yaml",
        "version: 1\nname: demo\njob:\n  schedule: {every: 1h, end: 2020-01-31T12:00:00Z}\n"
        "pool: {image: ubuntu 24.04, vm_size: Standard_D2s_v5, nodes: {dedicated: 1}}\n"
        "task: {command: date}\n",
    )
    done = azure.run(*words, "spec.yaml")
    assert done.returncode == 2
    assert "spec.yaml:4:30: schedule-over: the schedule has ended already: it is 20" in done.stderr
    assert not (azure.folder / ".batch-run").exists()


def test_a_job_that_reaches_its_duration_says_so(user: User) -> None:
    spec = SPEC.replace("tasks:\n", "limits: {duration: 15s}\ntasks:\n", 1)
    spec = spec.replace("test {{ file.stem }} != bad;", "sleep 120;")
    write(user, spec)
    done = user.run("spec.yaml")
    assert done.returncode == 1
    message = "the job reached `limits.duration` (15s)"
    assert set(causes(user).values()) == {"JobEnded"}
    assert f"task 0001 ended with the job (a.txt): {message}\n" in done.stderr
    assert f"batch-run: {message}: 2 of 7 tasks ended with it, 5 never ran\n" in done.stderr
    assert "7 tasks: 0 succeeded, 2 ended with the job, 5 not finished\n" in done.stderr
