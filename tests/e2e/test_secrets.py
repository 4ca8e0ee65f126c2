"""Unique secrets go through every channel; then everything that was written or printed is searched.

Only the services' own records may have them: the data of the emulator, which stands for Azure.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from tests.e2e.accounts import open_accounts
from tests.e2e.canaries import Canaries, forms, make_key, make_secret
from tests.e2e.conftest import LIMIT_SECONDS, Emulator, User, start_emulator, wait_until

HEAD = """\
version: 1
name: canary
parameters:
  token: {type: string, secret: true, description: of the service}
  license: {type: string, secret: true}
  command: {type: string, default: plain}
containers:
  input: {upload: [{from: data}]}
  output: {download: true}
pool:
  image: ubuntu 22.04
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
  users: [{name: worker, password_secret: USER}]
  start_task:
    command: test -n "$LICENSE" && test ! -e .batch-run-secrets
    environment: {LICENSE: "{{ parameters.license }}"}
job:
  preparation: {command: test -n "$TOKEN", environment: {TOKEN: "{{ parameters.token }}"}}
"""
TASK = """\
task:
  for_each: input
  environment: {TOKEN: "{{ parameters.token }}", LICENSE: "{{ parameters.license }}"}
  print: stdout
  outputs: [{pattern: "*.out", to: output}]
  command: |
"""
# It tells what it was given in all ways that it knows, and leaves the proof that it had it.
TELLING = """\
    printf '%s\\n' "$TOKEN" "$LICENSE"
    printf '%s\\n' "$TOKEN" "$LICENSE" >&2
    printf %s "$TOKEN" | base64 -w0 >&2
    printf %s "$TOKEN" | sha256sum | cut -c1-64 > {{ file.stem }}.out
    ls -A > left.out
"""
FAILING = TELLING + "    exit 3\n"
WAITING = TELLING + "    sleep 60\n"
SECRET_COMMANDS = ("runs", "status", "events", "logs")


@dataclass(frozen=True)
class Stage:
    """A user whose every secret is a canary, and where all that is written goes."""

    user: User
    emulator: Emulator
    canaries: Canaries
    parameters: Path
    temporary: Path

    def run(self, *arguments: str, expect: int, environ: dict[str, str] | None = None) -> str:
        """Runs a command to its end; gives its standard output."""
        user = self.user if environ is None else self.user.with_environ(**environ)
        done = user.run(*arguments)
        self.canaries.say(f"batch-run {' '.join(arguments)}", done.stdout, done.stderr)
        assert done.returncode == expect, done.stderr
        return done.stdout

    def search(self) -> None:
        """Nothing is found anywhere."""
        places = (self.user.folder, self.temporary)
        assert self.canaries.find(*places) == []
        assert self.canaries.find_signatures(*places) == []


@pytest.fixture
def stage(user: User, tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[Stage]:
    """Two accounts with keys of our own, on an emulator."""
    values = {
        "batch key": make_key(),
        "storage key": make_key(),
        "token": make_secret(),
        "license": make_secret(),
        "user": make_secret(),
        "registry": make_secret(),
    }
    keys = tmp_path / "keys.json"
    accounts = {"localbatch": values["batch key"], "localstorage": values["storage key"]}
    keys.write_text(json.dumps(accounts))
    parameters = tmp_path / "parameters.json"
    parameters.write_text(json.dumps({"license": values["license"], "command": "x"}))
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    canaries = Canaries(values)
    with (
        start_emulator(user.environ, tmp_path, "", pytestconfig, "--keys", str(keys)) as emulator,
        canaries.watching_processes(),
    ):
        assert emulator.batch["key"] == values["batch key"]
        assert emulator.storage["key"] == values["storage key"]
        for name in ("a.txt", "b.txt"):
            user.write(f"data/{name}", name)
        yield Stage(
            user=user.with_environ(
                **emulator.environ,
                TMPDIR=str(temporary),
                AZURE_LOG_LEVEL="DEBUG",
                BATCH_RUN_SECRET_TOKEN=values["token"],
                BATCH_RUN_SECRET_USER=values["user"],
                BATCH_RUN_SECRET_REGISTRY=values["registry"],
            ),
            emulator=emulator,
            canaries=canaries,
            parameters=parameters,
            temporary=temporary,
        )


def test_runs_that_end_well_and_badly(stage: Stage) -> None:
    given = ("--params", str(stage.parameters))
    stage.user.write("spec.yaml", HEAD + TASK + TELLING)
    stage.run("validate", "spec.yaml", *given, expect=0)
    stage.run("plan", "spec.yaml", "--json", expect=0)
    stage.run("run", "spec.yaml", *given, "--logs", "all", "--keep", "storage", expect=0)
    stage.search()

    # The tasks had what they were given, and the file that brought it was gone.
    results = stage.user.folder / "results" / "canary" / "output"
    assert (results / "0001" / "left.out").read_text().split() == ["a.out", "a.txt", "left.out"]
    assert len((results / "0001" / "a.out").read_text().strip()) == 64
    log = stage.user.last_run() / "logs" / "0001" / "stdout.txt"
    assert log.read_text() == "REDACTED\nREDACTED\n"
    with open_accounts(stage.emulator) as accounts:
        assert not [name for name in accounts.containers() if name.endswith("-secrets")]

    stage.user.write("spec.yaml", HEAD + TASK + FAILING)
    stage.run("run", "spec.yaml", *given, "--json", expect=1)
    for command in SECRET_COMMANDS:
        stage.run(command, expect=0)
    stage.search()


def test_what_cannot_even_begin(stage: Stage) -> None:
    stage.user.write("spec.yaml", HEAD + TASK + TELLING)
    values = stage.canaries.values
    unknown = stage.parameters.with_name("unknown.yaml")
    unknown.write_text(f"licence: {json.dumps(values['license'])}\n")
    stage.run("run", "spec.yaml", "--params", str(unknown), expect=2)
    given = ("--params", str(stage.parameters))
    wrong = {"AZURE_BATCH_ACCESS_KEY": values["storage key"]}
    stage.run("run", "spec.yaml", *given, expect=3, environ=wrong)
    malformed = {"AZURE_BATCH_ACCESS_KEY": values["batch key"] + "!"}
    stage.run("run", "spec.yaml", *given, expect=2, environ=malformed)
    cut = {"AZURE_STORAGE_CONNECTION_STRING": f"AccountName=a;{values['storage key']}"}
    stage.run("run", "spec.yaml", *given, expect=2, environ=cut)
    stage.search()


class Quoting(BaseHTTPRequestHandler):
    """Batch by way of somebody who refuses every job, and quotes all that was sent for it."""

    protocol_version = "HTTP/1.1"
    origin = ""
    quoted: ClassVar[list[str]] = []

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.command == "POST" and urlsplit(self.path).path.endswith("/jobs"):
            self.quoted.append(body.decode())
            sent = [body.decode(), self.headers["Authorization"], *self._strings(json.loads(body))]
            self.answer(400, self._refusal(sent), "application/json")
            return
        request = urllib.request.Request(
            self.origin + self.path,
            data=body or None,
            headers=dict(self.headers),
            method=self.command,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                self.answer(answer.status, answer.read(), answer.headers["Content-Type"])
        except urllib.error.HTTPError as error:
            self.answer(error.code, error.read(), error.headers["Content-Type"])

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = forward  # noqa: N815 - http.server's names

    def answer(self, status: int, body: bytes, kind: str | None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind or "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _strings(self, value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for each in value.values():
                yield from self._strings(each)
        elif isinstance(value, list):
            for each in value:
                yield from self._strings(each)
        elif isinstance(value, str):
            yield value

    def _refusal(self, sent: Iterable[str]) -> bytes:
        values = [{"key": "PropertyValue", "value": each} for each in sent]
        words = {"lang": "en-US", "value": f"Not valid: {values[0]['value']}"}
        return json.dumps(
            {"code": "InvalidPropertyValue", "message": words, "values": values}
        ).encode()

    def log_message(self, *args: object) -> None:
        """Nothing: the test says what it saw."""


def test_a_refusal_that_quotes_what_was_sent(stage: Stage) -> None:
    containers = "  registries: [{server: r.example.com, user: me, password_secret: REGISTRY}]\n"
    spec = HEAD.replace("ubuntu 22.04", "ubuntu 22.04 containers")
    spec = spec.replace("  users:", f"{containers}  users:")
    task = TASK.replace("task:\n", "task:\n  container: {image: r.example.com/a}\n")
    stage.user.write("spec.yaml", spec + task + TELLING)
    parts = urlsplit(stage.emulator.batch["endpoint"])
    Quoting.origin = f"{parts.scheme}://{parts.netloc}"
    Quoting.quoted.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Quoting) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            there = {"AZURE_BATCH_ENDPOINT": f"http://127.0.0.1:{server.server_port}{parts.path}"}
            given = ("--params", str(stage.parameters))
            stage.run("run", "spec.yaml", *given, expect=3, environ=there)
        finally:
            server.shutdown()
            thread.join()
    assert {
        channel
        for channel, value in stage.canaries.values.items()
        if json.dumps(value)[1:-1] in Quoting.quoted[0]
    } == {"user", "registry"}
    assert "sig=" in Quoting.quoted[0]
    stage.search()


def test_an_interrupted_run(stage: Stage) -> None:
    stage.user.write("spec.yaml", HEAD + TASK + WAITING)
    process = stage.user.start("run", "spec.yaml", "--params", str(stage.parameters), "--json")
    try:
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(line)
            if '"task.started"' in line:
                break
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=LIMIT_SECONDS)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, stderr
    stage.canaries.say("an interrupted run", "".join(seen), stdout, stderr)
    stage.search()


def test_a_killed_run_that_is_taken_up_again(stage: Stage) -> None:
    stage.user.write("spec.yaml", HEAD + TASK + TELLING.replace("ls -A", "sleep 1; ls -A"))
    process = stage.user.start("run", "spec.yaml", "--params", str(stage.parameters), "--json")
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if '"task.added"' in line:
            break
    process.kill()
    stdout, stderr = process.communicate(timeout=LIMIT_SECONDS)
    stage.canaries.say("a killed run", "".join(seen), stdout, stderr)
    record = json.loads((stage.user.last_run() / "run.json").read_text())
    assert record["parameters"] == {"command": "x"}
    lacking = stage.user.run("resume")
    stage.canaries.say("resume without its secret", lacking.stdout, lacking.stderr)
    assert lacking.returncode == 2
    assert (
        "hint: it holds the value of the secret `license`, or a file for `--params` does\n"
    ) in lacking.stderr
    wrong = stage.user.folder.parent / "wrong.json"
    wrong.write_text(json.dumps({"licence": stage.canaries.values["license"]}))
    unknown = stage.user.run("resume", "--params", str(wrong))
    stage.canaries.say("resume with a file of others", unknown.stdout, unknown.stderr)
    assert unknown.returncode == 2
    assert "`licence` is given, but is not a parameter of this workload\n" in unknown.stderr
    stage.parameters.write_text(
        json.dumps({"license": stage.canaries.values["license"], "command": "y"})
    )
    done = stage.user.run("resume", "--params", str(stage.parameters))
    stage.canaries.say("resume with a file", done.stdout, done.stderr)
    assert done.returncode == 0, done.stderr
    assert (
        "note: `command` stays as the run began; `--params` gives it its secrets alone\n"
    ) in done.stderr
    record = json.loads((stage.user.last_run() / "run.json").read_text())
    assert record["parameters"] == {"command": "x"}
    stage.search()


def test_a_run_on_this_machine(user: User, tmp_path: Path) -> None:
    canaries = Canaries({"token": make_secret(), "license": make_secret(), "user": make_secret()})
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    here = user.with_environ(
        TMPDIR=str(temporary),
        BATCH_RUN_SECRET_TOKEN=canaries.values["token"],
        BATCH_RUN_SECRET_LICENSE=canaries.values["license"],
        BATCH_RUN_SECRET_USER=canaries.values["user"],
    )
    user.write("data/a.txt", "a")
    user.write("spec.yaml", HEAD + TASK + FAILING)
    with canaries.watching_processes():
        done = here.run("run", "spec.yaml")
    assert done.returncode == 1, done.stderr
    canaries.say("a run on this machine", done.stdout, done.stderr)
    assert canaries.find(user.folder, temporary) == []
    # The services' own records have signatures, for nobody but their owner.
    assert canaries.find_signatures(user.folder, may_read=may_others_read) == []
    outside = [path for path in user.last_run().iterdir() if path.name != "emulator"]
    assert canaries.find_signatures(*outside) == []


def may_others_read(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o077)


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    canaries = Canaries({"token": make_secret()})
    value = canaries.values["token"]
    folder = tmp_path / "folder"
    for number, form in enumerate(sorted(forms(value))):
        path = folder / f"{number}" / "file"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"before " + form + b" behind")
        assert canaries.find(path.parent) == [f"token in {path}"]
    assert canaries.find(tmp_path / "nothing") == []
    canaries.say("a command", f"it said {value}")
    assert canaries.find(tmp_path / "nothing") == ["token in a command"]

    signed = Canaries({})
    signed.say("a command", "https://a/b?sv=1&sig=1234567890abcdefghij%3D&se=2")
    assert signed.find_signatures() == [
        f"{b'sig=1234567890abcdefghij%3D'!r} in a command",
    ]


def test_the_search_sees_command_lines() -> None:
    canaries = Canaries({"token": make_secret()})
    with (
        canaries.watching_processes(),
        subprocess.Popen(
            ["sh", "-c", "sleep 60", canaries.values["token"]], stderr=subprocess.DEVNULL
        ) as process,
    ):
        wait_until(lambda: canaries.find() != [] or process.poll() is not None, what="it is seen")
        process.kill()
    assert canaries.find()[0] == "token in a command line"
