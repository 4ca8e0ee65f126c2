"""What a user does with specs of their own: success, failure, interruption, bad input."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from runner import __version__
from tests.e2e.conftest import COMMAND, LIMIT_SECONDS, Emulator, User, wait_until
from tests.e2e.gated import LOCAL, events, opening

SPEC = """\
version: 1
name: demo
containers:
  input:
    upload: [{from: data}]
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
task:
  for_each: input
  command: COMMAND
  outputs: [{pattern: "{{ file.name }}.out", to: output}]
"""

HOSTILE = [
    "plain.txt",
    "two words.txt",
    "it's.txt",
    'say "hi".txt',
    "$(touch pwned).txt",
    "`touch pwned`.txt",
    "a;touch pwned;.txt",
    "a&b|c.txt",
    "-n.txt",
    "--help",
    "ünïcode-Привет-世界.txt",
    "emoji 🎬.txt",
    "star*[1]?.txt",
    "100%.txt",
    "a+b#c.txt",
    "back\\slash.txt",
    "sub dir/deep file.txt",
    "~root.txt",
    "!history.txt",
    "{a,b}.txt",
    "x=y.txt",
    "a.b.txt",
    "n" * 200 + ".txt",
    "empty.txt",
]


def write_spec(user: User, command: str, **more: str) -> None:
    """A spec with this command."""
    text = SPEC.replace("COMMAND", command)
    user.write("spec.yaml", text + "".join(f"{key}: {value}\n" for key, value in more.items()))


def test_a_new_workload_is_one_file(user: User) -> None:
    user.write(
        "gzip.yaml",
        SPEC.replace("name: demo", "name: gzip")
        .replace("COMMAND", "gzip -c {{ file.path }} > {{ file.name }}.gz")
        .replace("{{ file.name }}.out", "{{ file.name }}.gz"),
    )
    contents = {"one.txt": b"one\n" * 1000, "two.bin": bytes(range(256)) * 64, "none": b""}
    for name, content in contents.items():
        user.write(f"data/{name}", content)
    done = user.run("gzip.yaml")
    assert done.returncode == 0, done.stderr
    for name, content in contents.items():
        packed = user.folder / "results" / "gzip" / "output" / f"{name}.gz"
        assert gzip.decompress(packed.read_bytes()) == content


def test_odd_names_arrive_byte_exact(user: User) -> None:
    write_spec(user, "cat {{ file.path }} > {{ file.name }}.out")
    for name in HOSTILE:
        user.write(f"data/{name}", b"" if name == "empty.txt" else f"<{name}>".encode())
    done = user.run("spec.yaml")
    assert done.returncode == 0, done.stderr
    results = user.folder / "results" / "demo" / "output"
    for name in HOSTILE:
        wanted = b"" if name == "empty.txt" else f"<{name}>".encode()
        assert (results / f"{name}.out").read_bytes() == wanted
    assert not list(user.folder.rglob("pwned"))


def test_one_task_that_fails(user: User) -> None:
    write_spec(
        user,
        "if [ {{ file.stem }} = b ]; then echo sorry >&2; exit 7; fi; cp {{ file.path }}"
        " {{ file.name }}.out",
    )
    for name in "abc":
        user.write(f"data/{name}.txt", name)
    done = user.run("spec.yaml", "--output", "here")
    assert done.returncode == 1
    digest = done.stderr[done.stderr.rindex("task 0002 failed (b.txt): ") :]
    assert digest.startswith("task 0002 failed (b.txt): exit code 7 on node tvmps_")
    assert "\n    sorry\n3 tasks: 2 succeeded, 1 failed\n" in digest
    output = user.folder / "here" / "output"
    assert sorted(path.name for path in output.iterdir()) == ["a.txt.out", "c.txt.out"]
    assert (user.last_run() / "logs" / "0002" / "stderr.txt").read_text() == "sorry\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_leaves_nothing(
    user: User, emulator: Emulator, number: signal.Signals
) -> None:
    marker = user.folder / "started"
    write_spec(user, f"touch {marker}-{{{{ file.stem }}}}; exec sleep 600")
    for name in "abc":
        user.write(f"data/{name}.txt", name)
    with user.with_environ(**emulator.environ).start("spec.yaml") as process:
        wait_until(lambda: list(user.folder.glob("started-*")), what="a task runs")
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    report = json.loads((user.last_run() / "report.json").read_text())
    assert (report["left"], report["exit_code"]) == ([], 130)
    assert "interrupted: cleaning up; Ctrl-C again leaves at once" in stderr
    assert "nothing left in the services" in stderr
    assert user.processes() == []


def has_started(user: User) -> bool:
    """Whether a task has made the file `started`, in its folder of a local node."""
    runs = user.folder / ".batch-run" / "runs"
    return any(runs.glob("*/emulator/batch/nodes/*/workitems/*/*/*/wd/started"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_local_services_go_with_their_client(user: User, number: signal.Signals) -> None:
    write_spec(user, "touch started; exec sleep 600")
    user.write("data/a.txt", "a")
    with user.start("spec.yaml") as process:
        wait_until(partial(has_started, user), what="a task runs")
        assert user.processes() != []
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == (130 if number is signal.SIGINT else -number)
    wait_until(lambda: user.processes() == [], what="every process of the run has gone")


def test_a_second_interruption_leaves_at_once_and_says_what_may_be_left(
    user: User, emulator: Emulator
) -> None:
    """The emulator stands still, so that the cleanup hangs; stderr is a pipe that is read."""
    marker = user.folder / "started"
    write_spec(user, f"touch {marker}; exec sleep 600")
    user.write("data/a.txt", "a")
    with user.with_environ(**emulator.environ).start("spec.yaml") as process:
        wait_until(marker.exists, what="a task runs")
        emulator.process.send_signal(signal.SIGSTOP)
        try:
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            lines = iter(process.stderr.readline, "")
            assert any(line.startswith("interrupted: cleaning up") for line in lines)
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=60)
        finally:
            emulator.process.send_signal(signal.SIGCONT)
    assert process.returncode == 130
    run = user.last_run().name
    assert f"batch-run: left at once; what may still exist: job {run}, pool demo-" in stderr
    assert f"container {run}-input" in stderr


def test_a_second_hangup_does_not_stop_the_cleanup(user: User, emulator: Emulator) -> None:
    """A window that closes sends two."""
    marker = user.folder / "started"
    write_spec(user, f"touch {marker}; exec sleep 600")
    user.write("data/a.txt", "a")
    with user.with_environ(**emulator.environ).start("spec.yaml") as process:
        wait_until(marker.exists, what="a task runs")
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGHUP)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "nothing left in the services" in stderr


def test_a_reader_that_pauses_does_not_stop_the_cleanup(user: User, emulator: Emulator) -> None:
    marker = user.folder / "started"
    spec = SPEC.replace(
        "COMMAND", f"head -c 10000000 /dev/zero; touch {marker}-{{{{ file.stem }}}}"
    ).replace('  outputs: [{pattern: "{{ file.name }}.out", to: output}]', "  print: stdout")
    user.write("spec.yaml", spec)
    for name in "abc":
        user.write(f"data/{name}.txt", name)
    with user.with_environ(**emulator.environ).start("spec.yaml") as process:
        wait_until(lambda: len(list(user.folder.glob("started-*"))) == 3, what="all have run")
        report = user.last_run() / "events.jsonl"
        wait_until(lambda: "run.finished" in report.read_text(), what="the cleanup is done")
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert "nothing left in the services" in process.stderr.read()
        assert process.wait(60) == 130


def test_a_local_emulator_that_is_killed(user: User) -> None:
    write_spec(user, "touch started; exec sleep 5")
    user.write("data/a.txt", "a")
    with user.start("spec.yaml") as process:
        wait_until(partial(has_started, user), what="a task runs")
        (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "batch-run: the local emulator has ended (killed by signal 9); see " in stderr
    run = user.last_run().name
    assert f"left: local state of run {run} (batch-run resume {run} goes on with it" in stderr
    assert stderr.endswith(f"`batch-run resume {run}` goes on with the run\n")
    wait_until(lambda: user.processes() == [], what="the task has ended by itself")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">/dev/full", ">&- 2>&-"])
def test_streams_that_are_not_there(user: User, closed: str) -> None:
    write_spec(user, "cp {{ file.path }} {{ file.name }}.out")
    user.write("data/a.txt", "a")
    done = subprocess.run(
        ["bash", "-c", f'"$0" spec.yaml {closed}', COMMAND],
        cwd=user.folder,
        env=user.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (user.folder / "results" / "demo" / "output" / "a.txt.out").read_text() == "a"


def test_data_that_cannot_be_written(user: User) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$0" schema >/dev/full', COMMAND],
        cwd=user.folder,
        env=user.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr == "batch-run: cannot write to standard output: no space left on device\n"


def test_a_working_directory_that_is_gone(user: User) -> None:
    done = subprocess.run(
        ["bash", "-c", 'mkdir gone && cd gone && rmdir ../gone && "$0" --version', COMMAND],
        cwd=user.folder,
        env=user.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "batch-run: the working directory does not exist any more\n"


def test_events_as_json(user: User) -> None:
    write_spec(user, "cp {{ file.path }} {{ file.name }}.out")
    user.write("data/a.txt", "a")
    done = user.run("run", "spec.yaml", "--json", "-q", "--logs", "all")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    kept = (user.last_run() / "events.jsonl").read_text().splitlines()
    assert events == [json.loads(line) for line in kept]
    (finished,) = [event for event in events if event["type"] == "task.finished"]
    assert (user.last_run() / finished["stdout"]).read_text() == ""


def test_quiet_shows_only_how_it_ended(user: User) -> None:
    write_spec(user, "echo no >&2; exit 7")
    user.write("data/a.txt", "a")
    done = user.run("spec.yaml", "--target", "local", "-q")
    assert done.returncode == 1
    run = user.last_run()
    (failure,) = json.loads((run / "report.json").read_text())["failures"]
    node = f"{failure['node'][:14]}...{failure['node'][-6:]}"
    took = re.search(r"^took .*; 1 file \(1 B\) went up\n", done.stderr, re.MULTILINE)
    assert took is not None
    assert done.stderr.replace(took.group(), "") == (
        "target: local, as `--target` says\n"
        f"task 0001 failed (a.txt): exit code 7 on node {node}\n"
        "    no\n"
        "1 task: 0 succeeded, 1 failed\n"
        "nothing left in the services\n"
        f"run directory: .batch-run/runs/{run.name}\n"
        "next:\n"
        "  batch-run logs 0001                    all that task 0001 has printed\n"
        "  batch-run run spec.yaml --only failed  run what did not succeed again\n"
        "  batch-run report                       a page that shows all of it\n"
    )


def test_a_task_that_never_ran_prints_nothing(user: User) -> None:
    user.write(
        "spec.yaml",
        """\
version: 1
name: demo
pool: {image: ubuntu 24.04, vm_size: Standard_D2s_v5, nodes: {dedicated: 1}}
tasks:
  one: {command: echo first; exit 3, print: stdout}
  two: {needs: [one], command: echo second, print: stdout}
""",
    )
    done = user.run("spec.yaml", "--target", "local")
    assert done.returncode == 1
    failures = json.loads((user.last_run() / "report.json").read_text())["failures"]
    failed, blocked = sorted(failures, key=lambda each: str(each["task"]))
    assert blocked["cause"] == "DependencyFailed"
    assert (
        done.stdout
        == f"Task: {failed['task']}\nNode: {failed['node']}\nStandard output:\nfirst\n\n"
    )


def test_secrets_stay_out_of_the_run_directory(user: User, emulator: Emulator) -> None:
    write_spec(user, "env > {{ file.name }}.out; cat {{ file.path }}")
    user.write("data/a.txt", "a")
    done = user.with_environ(**emulator.environ).run("spec.yaml", "--logs", "all")
    assert done.returncode == 0, done.stderr
    secrets = (emulator.batch["key"], emulator.storage["key"], "sig=")
    written = [path.read_bytes() for path in user.folder.rglob("*") if path.is_file()]
    for text in (*written, done.stdout.encode(), done.stderr.encode()):
        assert not [secret for secret in secrets if secret.encode() in text]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"", "spec.yaml:1:1: "),
        (b"\xff\xfe\x00", "spec.yaml:1:1: "),
        (b"a: [", "spec.yaml:1:"),
        (b"just text", "spec.yaml:1:1: "),
        (SPEC.replace("COMMAND", "cat {{ file.nmae }}").encode(), "spec.yaml:13:19: "),
        (SPEC.replace("name: demo", "nmae: demo").encode(), "spec.yaml:2:1: "),
    ],
)
def test_a_bad_spec_has_a_position(user: User, content: bytes, place: str) -> None:
    user.write("spec.yaml", content)
    user.write("data/a.txt", "a")
    for command in ("validate", "plan", "run"):
        done = user.run(command, "spec.yaml")
        assert done.returncode == 2
        assert place in done.stderr
        assert "Traceback" not in done.stderr
    assert not (user.folder / ".batch-run").exists()


def test_a_spec_that_is_not_there(user: User) -> None:
    done = user.run("spec.yaml")
    assert done.returncode == 2
    assert "spec.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_input_says_which_pattern_looked_where(user: User) -> None:
    user.write("data/a.txt", "a")
    user.write(
        "spec.yaml",
        SPEC.replace("COMMAND", "cat {{ file.path }}").replace(
            "{from: data}", '{from: data, include: ["*.mp4"]}'
        ),
    )
    done = user.run("spec.yaml")
    assert done.returncode == 2
    folder = user.folder / "data"
    assert f"spec.yaml:5:36: no-input: no file below `{folder}` matches `*.mp4`" in done.stderr
    assert not (user.folder / ".batch-run").exists()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_a_service_out_of_reach(user: User, emulator: Emulator) -> None:
    write_spec(user, "cat {{ file.path }} > {{ file.name }}.out")
    user.write("data/a.txt", "a")
    endpoint = f"http://127.0.0.1:{free_port()}/somewhere"
    environ = {**emulator.environ, "AZURE_BATCH_ENDPOINT": endpoint}
    done = user.with_environ(**environ).run("spec.yaml")
    assert done.returncode == 3
    assert endpoint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_key(user: User, emulator: Emulator) -> None:
    write_spec(user, "cat {{ file.path }} > {{ file.name }}.out")
    user.write("data/a.txt", "a")
    wrong = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="
    environ = {**emulator.environ, "AZURE_BATCH_ACCESS_KEY": wrong}
    done = user.with_environ(**environ).run("spec.yaml")
    assert done.returncode == 3
    assert "AZURE_BATCH_ACCESS_KEY" in done.stderr
    assert wrong not in done.stderr


def test_every_missing_variable_is_named(user: User) -> None:
    write_spec(user, "cat {{ file.path }}")
    user.write("data/a.txt", "a")
    done = user.run("spec.yaml", "--target", "azure")
    assert done.returncode == 2
    assert "AZURE_BATCH_ENDPOINT" in done.stderr
    assert "AZURE_STORAGE_" in done.stderr


def test_an_output_directory_that_cannot_be_written(user: User) -> None:
    write_spec(user, "cat {{ file.path }}")
    user.write("data/a.txt", "a")
    user.write("taken", "a file")
    done = user.run("spec.yaml", "--output", "taken")
    assert done.returncode == 2
    assert f"cannot write to the output directory `{user.folder / 'taken'}`" in done.stderr


def test_commands_that_read(user: User) -> None:
    write_spec(user, "cp {{ file.path }} {{ file.name }}.out")
    user.write("data/two words.txt", "a")
    assert user.run("validate", "spec.yaml").returncode == 0
    done = user.run("plan", "spec.yaml", "--task", "1")
    assert done.stdout == (
        "task 0001 task/two words.txt\n"
        '  $ v1=\'two words.txt\'; cp "${v1}" "${v1}".out\n'
        "  resource input/two words.txt\n"
        "  output two words.txt.out to output/two words.txt.out on success\n"
    )
    whole = json.loads(user.run("plan", "spec.yaml", "--json").stdout)
    assert [task["id"] for task in whole["tasks"]] == ["0001"]
    assert whole["run"] == "<run>"
    schema = json.loads(user.run("schema").stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert not (user.folder / ".batch-run").exists()


def test_a_command_that_is_mistyped(user: User) -> None:
    done = user.run("validat", "spec.yaml")
    assert done.returncode == 2
    assert done.stderr == (
        "batch-run: there is no command and no spec `validat`\n"
        "  hint: did you mean `validate`? commands: `attach`, `cancel`, `clean`, `completion`,"
        " `diff`, `doctor`, `emulator`, `events`, `explain`, `help`, `logs`, `new`, `plan`,"
        " `report`, `resume`, `run`, `runs`, `schema`, `status`, `validate`\n"
    )


def test_outputs_that_nobody_would_see(user: User) -> None:
    write_spec(user, "cp {{ file.path }} {{ file.name }}.out")
    spec = (user.folder / "spec.yaml").read_text()
    user.write("spec.yaml", spec.replace("{download: true}", "{}"))
    user.write("data/a.txt", "a")
    done = user.run("spec.yaml")
    assert done.returncode == 0
    assert (
        "note: outputs go to `output`, which is deleted after the run and not downloaded"
        " (`download: true` brings them home, `delete: never` keeps them)\n"
    ) in done.stderr


def test_a_run_directory_that_is_deleted_meanwhile(user: User) -> None:
    write_spec(user, "touch started; sleep 1; cp {{ file.path }} {{ file.name }}.out")
    user.write("data/a.txt", "a")
    with user.start("spec.yaml") as process:
        wait_until(partial(has_started, user), what="a task runs")
        shutil.rmtree(user.folder / ".batch-run", ignore_errors=True)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode in (1, 3)
    assert "Traceback" not in stderr
    wait_until(lambda: user.processes() == [], what="every process of the run has gone")


def test_a_task_that_takes_too_long(user: User) -> None:
    write_spec(user, "sleep 600")
    user.write("spec.yaml", (user.folder / "spec.yaml").read_text() + "  timeout: 1s\n")
    user.write("data/a.txt", "a")
    done = user.run("spec.yaml")
    assert done.returncode == 1
    line = done.stderr[done.stderr.rindex("task 0001 failed (a.txt): ") :].splitlines()[0]
    assert re.fullmatch(
        r"task 0001 failed \(a\.txt\): exit code 137 on node [\w.]+: .*maximum wall clock time.*",
        line,
    )
    assert "nothing left in the services" in done.stderr


def test_a_start_task_that_fails_unwaited_is_told(user: User) -> None:
    gate = user.folder / "go"
    waiting = f"until [ -e {gate} ]; do sleep 0.05; done"
    write_spec(user, f"{waiting}; cp {{{{ file.path }}}} {{{{ file.name }}}}.out")
    spec = (user.folder / "spec.yaml").read_text()
    start_task = "  start_task: {command: echo sorry >&2; exit 4, wait_for_success: false}\n"
    start_task = start_task.replace("echo sorry >&2; exit 4", '"echo sorry >&2; exit 4"')
    user.write("spec.yaml", spec.replace("task:\n", start_task + "task:\n", 1))
    user.write("data/a.txt", "a")
    process = user.start("spec.yaml", *LOCAL)
    last = user.folder / ".batch-run" / "last"
    with opening(gate):
        wait_until(
            lambda: last.exists() and "start_task.failed" in events(user.last_run()),
            what="the start task has failed",
        )
    _, stderr = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 0, stderr
    assert "the start task failed on node tvmps_" in stderr
    assert "    sorry\n" in stderr


def test_it_is_a_module_too(user: User) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runner", "--version"],
        cwd=user.folder,
        env=user.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == user.run("--version").stdout == f"batch-run {__version__}\n"


def test_examples_ship_with_the_command(user: User) -> None:
    done = user.run("workloads/cat.yaml")
    assert done.returncode == 0, done.stderr
    assert "workloads/cat.yaml: not in this folder; using the example " in done.stderr
    assert Path(user.folder / "results" / "cat").is_dir()
