"""A command has its secret parameters as variables, and nothing else of a plan has their values."""

from __future__ import annotations

import json
import os
import subprocess
from base64 import b64decode
from pathlib import Path

import pytest

from runner.plan.model import Plan, SecretFile
from runner.plan.secret_files import SECRET_FILE, secret_files, secret_text
from runner.report.plan_as_json import plan_as_json
from runner.report.plan_as_text import plan_summary
from runner.run.submit import Requests, plan_submission
from runner.spec.model.terms import SecretName
from runner.spec.shells.shell import Shell
from tests.fakes.plans import RUN, SPEC, make_plan
from tests.fakes.services import NOW, FakeBlobs

VALUE = 'it\'s "$HOME" `date` \\n\nand\ttwo lines; é'
TOKEN = SecretName("TOKEN")
SECRET = SPEC.replace(
    "containers:\n", "parameters:\n  token: {type: string, secret: true}\ncontainers:\n"
).replace(
    "  command: cat {{ file.path }} > {{ file.stem }}.out\n",
    """\
  command: |
    printf %s "$VALUE" > value; ls -A > left; printf %s "$PLAIN" > plain
  environment: {VALUE: "{{ parameters.token }}", PLAIN: "{{ index }}"}
""",
)


def run(plan: Plan, folder: Path, value: str) -> subprocess.CompletedProcess[bytes]:
    """The first task's command, as a node would run it: the line split by its quotes alone."""
    command = plan.tasks[0].command
    assert command.secrets is not None
    folder.mkdir()
    (folder / SECRET_FILE).write_text(secret_text(command.secrets, {TOKEN: value}))
    program, option, script = command.line.split(" ", 2)
    assert script.count("'") == 2
    return subprocess.run(
        [program, option, script.strip("'")],
        cwd="/",
        env={
            "PATH": os.environ["PATH"],
            "AZ_BATCH_TASK_WORKING_DIR": str(folder),
            **command.environment,
        },
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_command_has_its_value_and_the_file_is_gone(tmp_path: Path, shell: str) -> None:
    text = SECRET.replace("task:\n", f"task:\n  shell: {shell}\n").replace(
        'printf %s "$VALUE"', 'cd "$AZ_BATCH_TASK_WORKING_DIR"; printf %s "$VALUE"'
    )
    done = run(make_plan(tmp_path / "spec", text), tmp_path / "wd", VALUE)

    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "wd" / "value").read_text() == VALUE
    assert (tmp_path / "wd" / "plain").read_text() == "0"
    assert (tmp_path / "wd" / "left").read_text().split() == ["left", "value"]


def test_a_command_without_its_file_does_not_run(tmp_path: Path) -> None:
    command = make_plan(tmp_path / "spec", SECRET).tasks[0].command
    (tmp_path / "wd").mkdir()
    done = subprocess.run(
        ["bash", "-c", command.line.split(" ", 2)[2].strip("'")],
        cwd=tmp_path / "wd",
        env={**os.environ, "AZ_BATCH_TASK_WORKING_DIR": str(tmp_path / "wd")},
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
    assert list((tmp_path / "wd").iterdir()) == []


def test_powershell_reads_json() -> None:
    file = SecretFile(blob="step/task", shell=Shell.POWERSHELL, variables={"A": TOKEN})
    assert json.loads(secret_text(file, {TOKEN: VALUE})) == {"A": VALUE}


def test_powershell_reads_them_first(tmp_path: Path) -> None:
    text = SECRET.replace(
        "image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}", "image: windows 2022"
    )
    start, end = text.index("  command: |"), text.index("  environment:")
    text = f"{text[:start]}  shell: powershell\n  command: ./tool\n{text[end:]}"
    line = make_plan(tmp_path, text).tasks[0].command.line
    script = b64decode(line.rpartition(" ")[2]).decode("utf-16-le").splitlines()
    path = f'"$env:AZ_BATCH_TASK_WORKING_DIR\\{SECRET_FILE}"'
    assert script[1:] == [
        (
            f"(Get-Content -Raw -Encoding UTF8 -LiteralPath {path} | ConvertFrom-Json).PSObject"
            ".Properties | ForEach-Object "
            '{ Set-Item -LiteralPath "Env:$($_.Name)" -Value $_.Value }; '
            f"Remove-Item -Force -LiteralPath {path}"
        ),
        "./tool",
        "exit $LASTEXITCODE",
    ]


def test_every_file_of_a_run_is_named_once(tmp_path: Path) -> None:
    text = SECRET.replace(
        "  nodes: {dedicated: 1}\n",
        "  nodes: {dedicated: 1}\n"
        '  start_task: {command: echo, environment: {A: "{{ parameters.token }}"}}\n'
        'job: {preparation: {command: echo, environment: {B: "{{ parameters.token }}"}}}\n',
    )
    plan = make_plan(tmp_path, text)
    assert [(each.blob, dict(each.variables)) for each in secret_files(plan)] == [
        ("step/task", {"VALUE": "TOKEN"}),
        ("node/starttask", {"A": "TOKEN"}),
        ("node/jobpreparation", {"B": "TOKEN"}),
    ]
    assert plan.start_task is not None
    assert plan.preparation is not None
    commands = [plan.tasks[0].command, plan.start_task.command, plan.preparation.command]
    assert [each.secrets for each in commands] == list(secret_files(plan))


def test_a_plan_shows_names_alone(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, SECRET)
    shown = json.loads("".join(plan_as_json(plan)))
    assert shown["parameters"] == {}
    assert shown["secrets"] == [{"name": "TOKEN", "goes_to": "VALUE of step task"}]
    assert shown["tasks"][0]["secrets"] == {"VALUE": "TOKEN"}
    assert shown["tasks"][0]["environment"].keys() == {"PLAIN", "BATCH_RUN_SCRIPT"}
    assert "  environment VALUE = the secret TOKEN" in "\n".join(plan_summary(plan))


def test_a_request_has_the_file_and_not_the_value(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, SECRET)
    blobs = FakeBlobs()
    requests = Requests(plan, blobs, clock=lambda: NOW, secrets={TOKEN: VALUE})

    assert list(requests.secret_texts()) == [
        ("step/task", secret_text(next(secret_files(plan)), {TOKEN: VALUE}))
    ]
    request = requests.task(plan.tasks[0])
    assert VALUE not in repr(request)
    (resource,) = (each for each in request.resources if each.path == SECRET_FILE)
    assert resource.mode == "0600"
    assert resource.url is not None
    assert resource.url.startswith(f"https://storage.example/{RUN}-secrets/step/task?sp=read&se=")
    assert plan_submission(plan).containers[-1] == ("secrets", f"{RUN}-secrets")


def test_a_run_without_secrets_has_no_such_container(tmp_path: Path) -> None:
    roles = [role for role, _ in plan_submission(make_plan(tmp_path)).containers]
    assert roles == ["input", "output", "logs"]
