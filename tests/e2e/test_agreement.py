"""What a run tells of its tasks is what its services and the tasks themselves have on record.

One run meets every kind of fault that ends an attempt. Its events and `report.json` are then held
against the service's own list of tasks, against what the list has shown while the run went on,
against what each command wrote down when it began, and against the faults that struck.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from azure.batch import BatchClient
from azure.batch.models import BatchTask
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError
from typing_extensions import Self

from runner.run.events import format_time
from tests.e2e.conftest import LIMIT_SECONDS, Emulator, User, wait_until
from tests.e2e.test_faults import tell

LOOK_SECONDS = 0.05
STEPS = ("code", "plain", "slow", "lacks", "unsent", "taken", "broken", "lost", "after", "fine")
SPEC = """\
version: 1
name: demo
containers:
  output: {{download: true}}
pool:
  image: {{publisher: canonical, offer: ubuntu-24_04-lts, sku: server}}
  vm_size: Standard_D2s_v5
  nodes: {{spot: 4}}
  start_task: {{command: "true", node_retries: 1}}
tasks:
  code: {{command: {code}, retries: {{exit_code: {{times: 2, backoff: 1s}}}}}}
  plain: {{command: {plain}, retries: 2}}
  slow: {{command: {slow}, timeout: 1s, retries: {{timeout: {{times: 1, backoff: 0s}}}}}}
  lacks: {{command: {lacks}, retries: {{resource_download: {{times: 2, backoff: 0s}}}}}}
  unsent:
    command: {unsent}
    retries: {{output_upload: {{times: 1, backoff: 0s}}}}
    outputs: [{{pattern: x, to: output}}]
  taken: {{command: {taken}}}
  broken: {{command: {broken}}}
  lost: {{command: {lost}}}
  after: {{needs: plain, command: {after}}}
  fine: {{command: {fine}, outputs: [{{pattern: y, to: output}}]}}
"""
COMMANDS = {
    "code": "sleep 0.3; test $n -ge 3 || exit 7",
    "plain": "sleep 0.3; exit 8",
    "slow": "sleep 60",
    "lacks": "true",
    "unsent": "echo $n > x",
    "taken": "test $n -ge 2 || sleep 60",
    "broken": "test $n -ge 2 || sleep 60",
    "lost": "exit 9",
    "after": "true",
    "fine": "echo $n > y",
}


class Books:
    """What commands have written down, outside of their nodes: on which node each began."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def command(self, name: str) -> str:
        book = self.folder / name
        note = f'echo "$AZ_BATCH_NODE_ID" >> {book}; n=$(wc -l < {book})'
        return json.dumps(f"{note}; {COMMANDS[name]}")

    def nodes(self, name: str) -> list[str]:
        book = self.folder / name
        return book.read_text().split() if book.exists() else []


class Watcher:
    """Looks at the service's list of tasks all the time, and keeps each attempt that it shows."""

    def __init__(self, emulator: Emulator, job: str) -> None:
        credential = AzureNamedKeyCredential(emulator.batch["account"], emulator.batch["key"])
        self._client = BatchClient(emulator.batch["endpoint"], credential)
        self._job = job
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.seen: dict[tuple[str, str], dict[str, Any]] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(LIMIT_SECONDS)
        self._client.close()

    def tasks(self) -> dict[str, dict[str, Any]]:
        """Each task as the service has it now, by id."""
        return {str(task.id): attempt_of(task) for task in self._client.list_tasks(self._job)}

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            try:
                tasks = self.tasks()
            except HttpResponseError:  # the job is not there yet
                continue
            for name, shown in tasks.items():
                if shown["ended"] is not None:
                    self.seen[name, shown["ended"]] = shown


def attempt_of(task: BatchTask) -> dict[str, Any]:
    """What the service says of a task's present attempt, in the words of events."""
    info = task.execution_info
    assert info is not None
    failure = info.failure_info
    return {
        "state": str(task.state),
        "succeeded": None if info.result is None else info.result == "success",
        "node": None if task.node_info is None else task.node_info.node_id,
        "exit_code": info.exit_code,
        "started": moment(info.start_time),
        "ended": moment(info.end_time),
        "cause": None if failure is None else failure.code,
        "message": None if failure is None else failure.message,
        "retries": info.retry_count,
        "requeues": info.requeue_count,
    }


def moment(value: datetime | None) -> str | None:
    return None if value is None else format_time(value)


class Ledger:
    """The events of a run and its report."""

    def __init__(self, directory: Path) -> None:
        lines = (directory / "events.jsonl").read_text().splitlines()
        self.events: list[dict[str, Any]] = [json.loads(line) for line in lines]
        self.report: dict[str, Any] = json.loads((directory / "report.json").read_text())
        plan = json.loads((directory / "plan.json").read_text())
        self.names: Mapping[str, str] = {task["id"]: task["step"] for task in plan["tasks"]}

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def by_task(self, kind: str) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for event in self.of(kind):
            found[event["task"]].append(event)
        return found


class Story:
    """One run, and all that others have on record of it."""

    def __init__(self, ledger: Ledger, watcher: Watcher, books: Books, rules: Any) -> None:
        self.ledger = ledger
        self.now = watcher.tasks()
        self.seen = watcher.seen
        self.books = books
        self.strikes = {rule["fault"]: rule["strikes"] for rule in rules}
        self.ends = {task: ends[-1] for task, ends in ledger.by_task("task.finished").items()}
        self.retried = ledger.by_task("task.retried")


def lose_nodes(emulator: Emulator, user: User, books: Books, process: Popen[str]) -> None:
    """Once each is known to run, one task's node is taken away, and another's breaks."""
    events = user.last_run() / "events.jsonl"

    def is_known(name: str) -> bool:
        assert process.poll() is None, process.communicate()[1]
        started = f'"type":"task.started","task":"{STEPS.index(name) + 1:04}"'
        return books.nodes(name) != [] and started in events.read_text()

    for name, fault in (("taken", "preempt"), ("broken", "unusable")):
        wait_until(lambda name=name: is_known(name), what=f"`{name}` runs")
        tell(emulator, "POST", {"fault": fault, "node": books.nodes(name)[0], "first": 1})


@pytest.fixture(scope="module")
def story(
    shared_emulator: Emulator,
    user_environ: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("agreement")
    user = User(folder, {**user_environ, **shared_emulator.environ})
    (folder / "books").mkdir()
    books = Books(folder / "books")
    user.write("spec.yaml", SPEC.format(**{name: books.command(name) for name in STEPS}))
    rules = [
        {"fault": "start-task-failure", "exit": 5, "first": 1},
        {"fault": "download-error", "task": "0004", "first": 2},
        {"fault": "upload-error", "task": "0005"},
    ]
    tell(shared_emulator, "PUT", rules)
    options = ("--target", "azure", "--output", "out", "--keep", "job", "--logs", "all")
    with user.start("spec.yaml", *options) as process:
        last = folder / ".batch-run" / "last"
        wait_until(lambda: last.exists() or process.poll() is not None, what="it has a directory")
        assert process.poll() is None, process.communicate()[1]
        with Watcher(shared_emulator, user.last_run().name) as watcher:
            lose_nodes(shared_emulator, user, books, process)
            _, stderr = process.communicate(timeout=LIMIT_SECONDS)
            assert process.returncode == 1, stderr
            user.check_last_run()
            found = tell(shared_emulator, "GET")["rules"]
            yield Story(Ledger(user.last_run()), watcher, books, found)
    tell(shared_emulator, "PUT", [])
    assert user.run("clean").returncode == os.EX_OK


def test_every_task_of_the_service_is_in_the_events(story: Story) -> None:
    assert set(story.now) == {event["task"] for event in story.ledger.of("task.added")}
    assert set(story.ends) == set(story.ledger.names)
    assert len(story.ledger.names) == len(STEPS)


def test_ends_are_told_as_the_service_has_them(story: Story) -> None:
    compared = ("succeeded", "node", "exit_code", "started", "ended")
    for task, shown in story.now.items():
        end = story.ends[task]
        if end["cause"] == "DependencyFailed":
            assert (shown["started"], shown["exit_code"]) == (None, None)
            assert (end["node"], end["started"], end["attempts"]) == (None, None, 0)
            continue
        name = story.ledger.names[task]
        assert {key: end[key] for key in compared} == {key: shown[key] for key in compared}, name
        assert end["cause"] == shown["cause"], name


def test_how_each_task_ended_is_what_was_done_to_it(story: Story) -> None:
    causes = {story.ledger.names[task]: end["cause"] for task, end in story.ends.items()}
    assert causes == {
        "code": None,
        "plain": "FailureExitCode",
        "slow": "TaskEnded",
        "lacks": None,
        "unsent": "FileUploadMiscError",
        "taken": None,
        "broken": None,
        "lost": "FailureExitCode",
        "after": "DependencyFailed",
        "fine": None,
    }


def test_causes_of_attempts_are_what_was_done_to_them(story: Story) -> None:
    causes = {
        story.ledger.names[task]: [event["cause"] for event in events]
        for task, events in story.retried.items()
    }
    assert causes == {
        "code": ["exit_code", "exit_code"],
        "plain": ["exit_code", "exit_code"],
        "slow": ["timeout"],
        "lacks": ["resource_download", "resource_download"],
        "unsent": ["output_upload"],
        "taken": ["preemption"],
        "broken": ["requeue"],
    }


def test_attempts_are_counted_as_commands_have_begun(story: Story) -> None:
    for task, name in story.ledger.names.items():
        events, end = story.retried[task], story.ends[task]
        never_ran = sum(event["cause"] == "resource_download" for event in events)
        never_ran += name == "after"
        assert [event["attempt"] for event in events] == list(range(1, len(events) + 1)), name
        assert end["attempts"] == len(events) + (name != "after"), name
        assert len(story.books.nodes(name)) == len(events) + 1 - never_ran, name


def test_nodes_of_attempts_are_those_where_commands_have_begun(story: Story) -> None:
    for task, name in story.ledger.names.items():
        told = [
            event["node"]
            for event in (*story.retried[task], story.ends[task])
            if event.get("cause") not in {"resource_download", "DependencyFailed"}
        ]
        for ours, theirs in zip(told, story.books.nodes(name), strict=True):
            assert ours in {None, theirs}, name
    nodes = {event["node"] for event in story.ledger.of("node.changed")}
    assert {node for name in STEPS for node in story.books.nodes(name)} <= nodes


def test_attempts_are_told_as_the_service_has_shown_them(story: Story) -> None:
    """Each end of an attempt that its list of tasks has shown, however shortly."""
    told = {
        (task, event["at"]): event
        for task, events in story.retried.items()
        for event in events
        if event["due"] is not None
    }
    told |= {(task, end["ended"]): end for task, end in story.ends.items()}
    assert story.seen.keys() <= told.keys()
    assert {story.ledger.names[task] for task, _ in story.seen} == set(STEPS) - {"after"}
    for key, shown in story.seen.items():
        compared = ("node", "exit_code", "started")
        assert [told[key][each] for each in compared] == [shown[each] for each in compared]
        assert (shown["message"] or "") in (told[key]["message"] or "")


def test_the_service_counts_its_own_further_attempts_alike(story: Story) -> None:
    for task, name in story.ledger.names.items():
        causes = Counter(event["cause"] for event in story.retried[task] if event["due"] is None)
        lost = causes["preemption"] + causes["requeue"]
        assert story.now[task]["requeues"] == lost, name
        if name == "plain":
            assert story.now[task]["retries"] == causes["exit_code"] == 2


def test_faults_that_struck_are_told_as_often(story: Story) -> None:
    causes = Counter(event["cause"] for events in story.retried.values() for event in events)
    failed = story.ledger.of("start_task.failed")
    assert story.strikes == {
        "start-task-failure": len(failed),
        "download-error": causes["resource_download"],
        "upload-error": causes["output_upload"] + 1,
        "preempt": causes["preemption"],
        "unusable": causes["requeue"],
    }
    assert [event["exit_code"] for event in failed] == [5]


def test_the_report_comes_to_what_the_services_have(story: Story) -> None:
    report, now = story.ledger.report, story.now
    good = [task for task, shown in now.items() if shown["succeeded"]]
    assert report["succeeded"] == len(good)
    assert {failure["task"] for failure in report["failures"]} == set(now) - set(good)
    for failure in report["failures"]:
        shown = now[failure["task"]]
        if failure["cause"] != "DependencyFailed":
            keys = ("node", "exit_code", "started", "ended", "cause")
            assert {key: failure[key] for key in keys} == {key: shown[key] for key in keys}
        told = [{**each, "type": "task.retried"} for each in failure["ended_attempts"]]
        kept = [
            {key: value for key, value in event.items() if key not in {"v", "t", "run"}}
            for event in story.retried[failure["task"]]
        ]
        assert told == kept
    causes = Counter(event["cause"] for some in story.retried.values() for event in some)
    assert report["retry_causes"] == dict(causes)
    assert report["retries"] == sum(causes.values())
    assert report["attempts"] == sum(end["attempts"] for end in story.ends.values())
    assert len(report["start_task_failures"]) == story.strikes["start-task-failure"]
