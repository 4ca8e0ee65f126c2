"""Tasks are run again by cause, each with its own budget, and every attempt is in the ledger.

What the ledger says is held against what the tasks themselves have written down.
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential

from tests.e2e.conftest import LIMIT_SECONDS, Emulator, User, wait_until
from tests.e2e.test_faults import tell

HEAD = """\
version: 1
name: demo
containers:
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {spot: 4}
"""
Tell = Callable[[list[dict[str, Any]]], None]


@pytest.fixture
def emulator(shared_emulator: Emulator) -> Iterator[Emulator]:
    """One that has no rules before a test, nor after it."""
    tell(shared_emulator, "PUT", [])
    yield shared_emulator
    tell(shared_emulator, "PUT", [])


@pytest.fixture
def azure(user: User, emulator: Emulator) -> User:
    """A user whose environment names two accounts, which the emulator has."""
    return user.with_environ(**emulator.environ)


@pytest.fixture
def told(emulator: Emulator) -> Iterator[Tell]:
    """Gives the emulator rules, each of which has to strike."""
    yield lambda rules: tell(emulator, "PUT", rules)
    assert [rule for rule in tell(emulator, "GET")["rules"] if not rule["strikes"]] == []


class Books:
    """What the tasks of a run have written down: a line for each time that a command began."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def command(self, name: str, rest: str) -> str:
        """A command that notes when it begins, and knows as `$n` for which time that is."""
        book = self.folder / name
        return f"date +%s.%N >> {book}; n=$(wc -l < {book}); {rest}"

    def starts(self, name: str) -> list[float]:
        """When each began, in seconds of the epoch."""
        book = self.folder / name
        return [float(line) for line in book.read_text().split()] if book.exists() else []


@pytest.fixture
def books(tmp_path: Path) -> Books:
    folder = tmp_path / "books"
    folder.mkdir()
    return Books(folder)


def seconds(moment: str) -> float:
    """A time of an event, in seconds of the epoch."""
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


class Ledger:
    """The events of the last run of a user, by task."""

    def __init__(self, user: User) -> None:
        lines = (user.last_run() / "events.jsonl").read_text().splitlines()
        self.events = [json.loads(line) for line in lines]

    def of(self, task: str, kind: str) -> list[dict[str, Any]]:
        return [
            event
            for event in self.events
            if event["type"] == f"task.{kind}" and int(event["task"]) == int(task)
        ]

    def causes(self, task: str) -> list[str]:
        return [event["cause"] for event in self.of(task, "retried")]

    def end(self, task: str) -> tuple[Any, ...]:
        """Whether it succeeded, its cause, and how many attempts and retries there were."""
        event = self.of(task, "finished")[-1]
        return tuple(event[key] for key in ("succeeded", "cause", "attempts", "retries"))


STEPS = """\
tasks:
  code:
    command: {code}
    retries: {{exit_code: 2, backoff: 1s}}
  plain:
    command: {plain}
    retries: 2
  slow:
    command: {slow}
    timeout: 2s
    retries: {{timeout: {{times: 1, backoff: 0s}}}}
  lacks:
    command: {lacks}
    retries: {{resource_download: 2, backoff: 0s}}
  unsent:
    command: {unsent}
    retries: {{output_upload: 2, backoff: 0s}}
    outputs: [{{pattern: x, to: output}}]
"""


def steps(books: Books, *, until: int) -> str:
    """One step a cause; each command does well from the time of that number on."""
    well = f'test "$n" -ge {until}'
    commands = {
        "code": f"{well} || exit 7",
        "plain": f"{well} || exit 8",
        "slow": f"{well} || sleep 60",
        "lacks": "true",
        "unsent": "echo $n > x",
    }
    quoted = {name: json.dumps(books.command(name, rest)) for name, rest in commands.items()}
    return HEAD + STEPS.format(**quoted)


def check(books: Books, ledger: Ledger, task: str, name: str) -> None:
    """Every time that the command began is an attempt of the ledger, at about that time."""
    starts = [
        seconds(event["started"])
        for kind in ("retried", "finished")
        for event in ledger.of(task, kind)
        if event["started"] is not None and event["cause"] != "resource_download"
    ]
    begun = books.starts(name)
    assert len(ledger.of(task, "retried")) + 1 >= len(begun)
    for told_start in starts:
        assert any(0 <= start - told_start < 2 for start in begun), (name, told_start, begun)


def test_each_cause_is_tried_again_until_it_goes_well(
    azure: User, told: Tell, books: Books
) -> None:
    told(
        [
            {"fault": "download-error", "task": "0004", "first": 2},
            {"fault": "upload-error", "task": "0005", "first": 1},
        ]
    )
    azure.write("spec.yaml", steps(books, until=2))
    result = azure.run("spec.yaml", "--target", "azure", "--output", "out")
    assert result.returncode == os.EX_OK, result.stderr
    ledger = Ledger(azure)
    assert [ledger.causes(str(task)) for task in range(1, 6)] == [
        ["exit_code"],
        ["exit_code"],
        ["timeout"],
        ["resource_download", "resource_download"],
        ["output_upload"],
    ]
    assert [ledger.end(str(task)) for task in range(1, 6)] == [
        (True, None, 2, 1),
        (True, None, 2, 1),
        (True, None, 2, 1),
        (True, None, 3, 2),
        (True, None, 2, 1),
    ]
    names = ("code", "plain", "slow", "lacks", "unsent")
    assert [len(books.starts(name)) for name in names] == [2, 2, 2, 1, 2]
    for task, name in enumerate(names, start=1):
        check(books, ledger, str(task), name)
    assert (azure.folder / "out" / "output" / "x").read_text() == "2\n"
    first, second = books.starts("code")
    assert second - first >= 1
    (waited,) = ledger.of("1", "retried")
    assert (waited["exit_code"], waited["attempt"]) == (7, 1)
    assert seconds(waited["due"]) - seconds(waited["at"]) == pytest.approx(1)
    (at_once,) = ledger.of("2", "retried")
    # The service has overwritten it, and tells only when it began the next attempt.
    assert (at_once["exit_code"], at_once["due"]) == (None, None)
    assert seconds(at_once["at"]) == pytest.approx(books.starts("plain")[1], abs=2)
    assert (
        "6 more attempts: 2 after an exit code, 2 after a failed download, 1 after a failed upload,"
        " 1 after the time limit\n"
    ) in result.stderr


def test_each_budget_comes_to_its_end(azure: User, told: Tell, books: Books) -> None:
    told(
        [
            {"fault": "download-error=BlobNotFound", "task": "0004"},
            {"fault": "upload-error", "task": "0005"},
        ]
    )
    azure.write("spec.yaml", steps(books, until=100))
    result = azure.run("spec.yaml", "--target", "azure", "--output", "out")
    assert result.returncode == 1, result.stderr
    ledger = Ledger(azure)
    assert [ledger.end(str(task)) for task in range(1, 6)] == [
        (False, "FailureExitCode", 3, 2),
        (False, "FailureExitCode", 3, 2),
        (False, "TaskEnded", 2, 1),
        (False, "BlobNotFound", 3, 2),
        (False, "FileUploadMiscError", 3, 2),
    ]
    names = ("code", "plain", "slow", "lacks", "unsent")
    assert [len(books.starts(name)) for name in names] == [3, 3, 2, 0, 3]
    report = json.loads((azure.last_run() / "report.json").read_text())
    assert report["retry_causes"] == {
        "exit_code": 4,
        "timeout": 1,
        "resource_download": 2,
        "output_upload": 2,
    }
    attempts = {
        int(failure["task"]): [each["attempt"] for each in failure["ended_attempts"]]
        for failure in report["failures"]
    }
    assert attempts == {1: [1, 2], 2: [1, 2], 3: [1], 4: [1, 2], 5: [1, 2]}


ONE = (
    HEAD.replace("spot: 4", "spot: 1")
    + """\
task:
  command: {command}
  retries: {retries}
"""
)


def run_and_preempt(
    user: User, told: Tell, books: Books, times: int, *options: str
) -> tuple[int, str]:
    """Runs the spec to its end; its task loses its node once it is seen to run, so many times."""
    with user.start("spec.yaml", "--target", "azure", "--output", "out", *options) as process:
        for attempt in range(1, times + 1):
            wait_until(
                lambda seen=attempt: count(user, "task.started") == seen, what=f"{attempt} runs"
            )
            wait_until(lambda seen=attempt: len(books.starts("task")) == seen, what="it begins")
            told([{"fault": "preempt"}])
        _, stderr = process.communicate(timeout=LIMIT_SECONDS)
    return process.returncode, stderr


def count(user: User, words: str) -> int:
    """How often the events of a run hold these words, while it goes on."""
    runs = user.folder / ".batch-run" / "runs"
    return sum(path.read_text().count(words) for path in runs.glob("*/events.jsonl"))


def test_a_preemption_uses_up_no_retry_and_the_service_says_the_same(
    azure: User, emulator: Emulator, told: Tell, books: Books
) -> None:
    rest = 'if test "$n" -le 2; then sleep 60; fi; test "$n" -ge 4 || exit 3'
    command = json.dumps(books.command("task", rest))
    azure.write(
        "spec.yaml", ONE.replace("{command}", command).replace("{retries}", "{exit_code: 1}")
    )
    code, stderr = run_and_preempt(azure, told, books, 2, "--keep", "job")
    assert code == os.EX_OK, stderr
    ledger = Ledger(azure)
    assert ledger.causes("1") == ["preemption", "preemption", "exit_code"]
    assert ledger.end("1") == (True, None, 4, 1)
    assert len(books.starts("task")) == 4
    check(books, ledger, "1", "task")
    first, second, third = ledger.of("1", "retried")
    assert all(event["node"] is not None for event in (first, second))
    credential = AzureNamedKeyCredential(emulator.batch["account"], emulator.batch["key"])
    with BatchClient(emulator.batch["endpoint"], credential) as batch:
        (task,) = batch.list_tasks(azure.last_run().name)
    info = task.execution_info
    assert info is not None
    assert (info.requeue_count, info.retry_count) == (2, 1)
    end = ledger.of("1", "finished")[-1]
    # Of times the service tells seven digits, and events six.
    for theirs, ours in (
        (info.last_requeue_time, second["at"]),
        (info.last_retry_time, third["at"]),
        (info.start_time, end["started"]),
        (info.end_time, end["ended"]),
    ):
        assert theirs is not None
        assert theirs.timestamp() == pytest.approx(seconds(ours), abs=1e-5)


def test_a_task_that_is_preempted_too_often_has_failed(
    azure: User, told: Tell, books: Books
) -> None:
    command = json.dumps(books.command("task", "sleep 60"))
    spec = ONE.replace("{command}", command).replace("{retries}", "{preemption: 1}")
    azure.write("spec.yaml", spec)
    code, stderr = run_and_preempt(azure, told, books, 2)
    assert code == 1, stderr
    ledger = Ledger(azure)
    assert ledger.end("1") == (False, "Preempted", 3, 0)
    assert "its spot node was taken away 2 times; `retries.preemption` allows 1" in stderr


def test_budgets_survive_a_client_that_is_killed(azure: User, told: Tell, books: Books) -> None:
    told([{"fault": "upload-error", "task": "0002"}])
    commands = {
        "code": json.dumps(books.command("code", "exit 3")),
        "unsent": json.dumps(books.command("unsent", "true")),
    }
    spec = """\
tasks:
  code: {{command: {code}, retries: {{exit_code: {{times: 2, backoff: 1s}}}}}}
  unsent: {{command: {unsent}, retries: {{output_upload: {{times: 1, backoff: 3s}}}}}}
"""
    azure.write("spec.yaml", HEAD + spec.format(**commands))
    with azure.start("spec.yaml", "--target", "azure", "--output", "out") as process:
        wait_until(lambda: len(books.starts("code")) == 2, what="the task has begun again")
        wait_until(lambda: len(books.starts("unsent")) == 1, what="the other has ended")
        process.send_signal(signal.SIGKILL)
        process.communicate()
    result = azure.run("resume")
    assert result.returncode == 1, result.stderr
    ledger = Ledger(azure)
    assert len(books.starts("code")) == 3
    assert len(books.starts("unsent")) == 2
    assert ledger.end("1") == (False, "FailureExitCode", 3, 2)
    assert ledger.end("2") == (False, "FileUploadMiscError", 2, 1)
    told_attempts = Counter(
        (event["task"], event["attempt"]) for task in "12" for event in ledger.of(task, "retried")
    )
    assert set(told_attempts.values()) == {1}


FALLBACK = ONE.replace(
    "nodes: {spot: 1}", "nodes: {spot: 1, fallback: {after_preemptions: 1, dedicated: 2}}"
)


def test_dedicated_nodes_take_the_place_of_spot_nodes_that_go_away(
    azure: User, told: Tell, books: Books
) -> None:
    rest = 'test "$AZ_BATCH_NODE_IS_DEDICATED" = true && exit; test "$n" -gt 1 || sleep 60; false'
    command = json.dumps(books.command("task", rest))
    retries = "{exit_code: 9, backoff: 1s}"
    azure.write("spec.yaml", FALLBACK.replace("{command}", command).replace("{retries}", retries))
    code, stderr = run_and_preempt(azure, told, books, 1)
    assert code == os.EX_OK, stderr
    assert "2 dedicated nodes in place of the spot nodes" in stderr
    ledger = Ledger(azure)
    assert ledger.causes("1")[0] == "preemption"
    assert ledger.of("1", "finished")[-1]["node"].endswith("_d")


def test_dedicated_nodes_come_where_there_are_no_spot_nodes(
    azure: User, told: Tell, books: Books
) -> None:
    told([{"fault": "resize-error=AllocationFailed", "first": 1}])
    command = json.dumps(books.command("task", "true"))
    azure.write("spec.yaml", FALLBACK.replace("{command}", command).replace("{retries}", "0"))
    result = azure.run("spec.yaml", "--target", "azure", "--output", "out")
    assert result.returncode == os.EX_OK, result.stderr
    assert "note: there are no spot nodes to be had (AllocationFailed" in result.stderr
    assert "no spot nodes since 30 September 2025" in result.stderr
    end = Ledger(azure).of("1", "finished")[-1]
    assert end["node"].endswith("_d")


def test_a_node_whose_start_task_failed_is_replaced(azure: User, told: Tell) -> None:
    told([{"fault": "start-task-failure", "first": 1}])
    spec = HEAD.replace(
        "nodes: {spot: 4}",
        'nodes: {dedicated: 1}\n  start_task: {command: "true", node_retries: 1}',
    )
    azure.write("spec.yaml", spec + "task: {command: echo}\n")
    result = azure.run("spec.yaml", "--target", "azure", "--output", "out")
    assert result.returncode == os.EX_OK, result.stderr
    assert "is replaced, since the start task failed there" in result.stderr
