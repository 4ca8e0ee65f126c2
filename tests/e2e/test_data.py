"""With `--json` a command prints one document, or lines, and nothing else, also where it fails."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.cli.table import COMMANDS
from tests.data.documents import LINES, check, names
from tests.e2e.conftest import User, wait_until
from tests.e2e.gated import LOCAL, begun, closed_gate, opening

SPEC = """\
version: 1
name: demo
containers:
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
task:
  for_each: {list: [a, b]}
  command: echo {{ item }} | tee out.txt; test {{ item }} = a
  outputs: [{pattern: out.txt, to: output, path: "{{ item }}.txt"}]
"""
TEXT = {"help", "completion"}
"""Commands whose data is no JSON: a page for people, and a script for a shell."""
USAGE = 2


@pytest.fixture(scope="module")
def ran(user_environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> User:
    """Someone who has run a spec, of which one task failed."""
    user = User(tmp_path_factory.mktemp("data"), user_environ)
    user.write("spec.yaml", SPEC)
    assert user.run("run", "spec.yaml", "--json").returncode == 1
    return user


def test_every_command_has_json_or_a_reason() -> None:
    published = set(names())
    events = {"run", "resume", "attach"}
    assert {command.name for command in COMMANDS} - TEXT - events - {
        "events",
        "schema",
    } <= published


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("runs",),
        ("events",),
        ("events", "--type", "run.finished", "--follow"),
        ("logs",),
        ("logs", "2"),
        ("explain", "2"),
        ("report",),
        ("validate", "spec.yaml"),
        ("plan", "spec.yaml"),
        ("plan", "spec.yaml", "--task", "1"),
        ("cancel",),
        ("clean", "--dry-run"),
        ("schema", "--list"),
        ("new", "--list"),
        ("new", "fresh"),
        ("--version",),
    ],
    ids=" ".join,
)
def test_documents_are_as_published(ran: User, words: tuple[str, ...]) -> None:
    """The user's hook holds each against its schema."""
    result = ran.run(*words, "--json")
    assert result.returncode == os.EX_OK, result.stderr
    assert result.stdout.endswith("\n")
    if words[0] not in {*LINES, "events"}:
        json.loads(result.stdout)


@pytest.mark.parametrize("command", ["resume", "attach"])
def test_a_run_that_is_over_says_so_by_its_last_event(ran: User, command: str) -> None:
    result = ran.run(command, "--json")
    assert result.returncode == 1, result.stderr
    assert result.stdout == (ran.last_run() / "events.jsonl").read_text().splitlines(True)[-1]
    assert json.loads(result.stdout)["type"] == "run.finished"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("status", "no-such-run"), "usage"),
        (("status", "--no-such-option"), "usage"),
        (("run",), "usage"),
        (("run", "missing.yaml"), "usage"),
        (("run", "wrong.yaml"), "spec"),
        (("plan", "wrong.yaml"), "spec"),
        (("no-such-command",), "usage"),
        (("logs", "99"), "usage"),
        (("explain", "99"), "usage"),
        (("explain",), "usage"),
        (("diff", "x", "y"), "usage"),
        (("events", "--from", "0"), "usage"),
        (("events", "--type", "task.add"), "usage"),
        (("attach", "no-such-run"), "usage"),
        (("resume", "no-such-run"), "usage"),
        (("cancel", "no-such-run"), "usage"),
        (("clean", "no-such-run"), "usage"),
        (("report", "no-such-run"), "usage"),
        (("new",), "usage"),
        (("schema", "no-such-schema"), "usage"),
        (("run", "spec.yaml", "--target", "azure"), "usage"),
        (("emulator", "--fault", "sneeze"), "usage"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_why_a_command_failed_is_data_too(ran: User, words: tuple[str, ...], kind: str) -> None:
    ran.write("wrong.yaml", SPEC.replace("vm_size", "vm_sise"))
    result = ran.run(*words, "--json")
    assert result.returncode == USAGE, result.stderr
    (line,) = result.stdout.splitlines()
    value = json.loads(line)
    check("error", value)
    error = value["error"]
    assert (error["exit_code"], error["kind"]) == (USAGE, kind)
    assert error["message"] in result.stderr
    assert bool(error["problems"]) == (kind == "spec")
    if kind == "spec":
        assert error["problems"][0]["start"] == {"line": 7, "column": 3}


def test_a_run_that_cannot_go_on_says_in_its_last_event_all_that_people_are_told(
    ran: User,
) -> None:
    away = ran.with_environ(
        AZURE_BATCH_ENDPOINT="http://127.0.0.1:9/a",
        AZURE_BATCH_ACCOUNT="a",
        AZURE_BATCH_ACCESS_KEY="a2V5",
        AZURE_STORAGE_CONNECTION_STRING="DefaultEndpointsProtocol=http;AccountName=a;"
        "AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:9/a;",
    )
    away.write("away.yaml", SPEC.replace("version: 1", "version: 1\nlimits: {patience: 1s}"))
    result = away.run("run", "away.yaml", "--json")
    assert result.returncode == 3, result.stderr
    last = json.loads(result.stdout.splitlines()[-1])
    if last["type"] == "error":
        last = last["error"]
        last["error"] = last["message"]
    assert last["error"] in result.stderr
    assert last["hint"] is None or last["hint"] in result.stderr


def changed(user: User, name: str, change: Any) -> Path:
    """A copy of the last run whose events are not as this release writes them."""
    (source,) = (path.parent for path in user.folder.glob(".batch-run/runs/*/submission.json"))
    copy = source.with_name(f"{source.name[:-4]}{name}")
    copy.mkdir()
    for each in ("run.json", "plan.json", "spec.yaml"):
        (copy / each).write_bytes((source / each).read_bytes())
    lines = (source / "events.jsonl").read_text().splitlines()
    events = [change(json.loads(line)) for line in lines]
    text = "".join(f"{json.dumps(event, separators=(',', ':'))}\n" for event in events)
    (copy / "events.jsonl").write_text(text)
    return copy


def test_types_and_fields_of_a_later_release_are_passed_over(ran: User) -> None:
    def of_later(event: dict[str, Any]) -> dict[str, Any]:
        if event["type"] == "node.changed":
            return {**event, "type": "node.cooled", "degrees": 3}
        return {**event, "mood": "good"}

    copy = changed(ran, "late", of_later)
    count = (copy / "events.jsonl").read_text().count("node.cooled")
    for words in (("status",), ("report", "--json"), ("report", "--format", "tsv")):
        result = ran.run(*words, copy.name)
        assert result.returncode == os.EX_OK, result.stderr
        assert result.stderr == (
            f"note: {count} event{'' if count == 1 else 's'} of a later release passed over, of"
            " types that this one does not know: `node.cooled`\n"
        )
    result = ran.run("events", copy.name)
    assert result.stdout == (copy / "events.jsonl").read_text()


def test_a_later_version_of_events_is_refused(ran: User) -> None:
    copy = changed(ran, "next", lambda event: {**event, "v": 2})
    for words in (("status",), ("report",), ("events",), ("logs",), ("explain", "1")):
        result = ran.run(*words, copy.name)
        assert (result.returncode, result.stdout) == (USAGE, ""), result.stderr
        assert result.stderr == (
            "batch-run: the events of the run are of version 2, and this release of batch-run"
            " reads version 1\n  hint: a later release has written them: use that one\n"
        )


@pytest.fixture
def gate(user: User) -> Iterator[Path]:
    """A spec whose tasks wait for this file."""
    with closed_gate(user) as path:
        yield path


def test_events_are_followed_past_a_client_that_dies(user: User, gate: Path) -> None:
    with user.start("run", "spec.yaml", *LOCAL) as driver:
        wait_until(lambda: begun(user) == 2, what="tasks run")
        run = user.last_run()
        with user.start("events", "--follow") as listener, opening(gate):
            assert listener.stdout is not None
            assert listener.stderr is not None
            first = listener.stdout.readline()
            driver.kill()
            driver.communicate(timeout=60)
            assert listener.stderr.readline() == (
                f"who drove run {run.name} has died; waiting for `batch-run resume {run.name}`,"
                " Ctrl-C ends this\n"
            )
            gate.touch()
            resumed = user.run("resume", "--json")
            # Not by `communicate`, which knows nothing of what came with the line that was read.
            rest, said = listener.stdout.read(), listener.stderr.read()
            listener.wait(timeout=60)
    assert (resumed.returncode, listener.returncode, said) == (0, 0, "")
    assert first + rest == (run / "events.jsonl").read_text()
    assert resumed.stdout.splitlines()[-1] == rest.splitlines()[-1]


def test_who_stops_reading_ends_the_following_quietly(user: User, gate: Path) -> None:
    """Also while nothing happens that could be written."""
    with user.start("run", "spec.yaml", *LOCAL) as driver, opening(gate):
        wait_until(lambda: begun(user) == 2, what="tasks run")
        listener = user.start("events", "--follow", "--type", "run.started")
        assert listener.stdout is not None
        assert listener.stderr is not None
        assert json.loads(listener.stdout.readline())["type"] == "run.started"
        listener.stdout.close()
        assert listener.wait(timeout=60) == os.EX_OK
        assert listener.stderr.read() == ""
        listener.stderr.close()
        gate.touch()
        driver.communicate(timeout=60)
    assert driver.returncode == os.EX_OK


def test_a_run_that_is_cancelled_says_what_became_of_it(user: User, gate: Path) -> None:
    with user.start("run", "spec.yaml", *LOCAL) as driver, opening(gate):
        wait_until(lambda: begun(user) == 2, what="tasks run")
        result = user.run("cancel", "--json")
        driver.communicate(timeout=60)
    assert (result.returncode, driver.returncode) == (0, 130), result.stderr
    value = json.loads(result.stdout)
    assert (value["state"], value["resumable"], value["had_ended"]) == ("interrupted", True, False)
    assert [left for left in value["left"] if not left["kept"]] == []
