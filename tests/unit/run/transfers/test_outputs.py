"""Blobs stay below the output directory, whatever they are called."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import pytest
from typing_extensions import override

from runner.errors import ServiceUnreachableError, TransferError
from runner.plan.model import Plan, TaskId
from runner.run.records.journal import Journal
from runner.run.services import Downloaded, TaskFailure, TaskState, TaskStatus
from runner.run.tasks.window import Window
from runner.run.transfers.downloads import local_name
from runner.run.transfers.outputs import Collector
from tests.fakes.plans import RUN, SPEC, make_plan
from tests.fakes.services import NOW, FakeBlobs


@pytest.mark.parametrize("blob", ["../x", "/x", "a/../../x", "", "a\0b"])
def test_names_that_lead_elsewhere_are_refused(blob: str) -> None:
    with pytest.raises(TransferError, match="cannot be a file below the output directory"):
        local_name(blob)


def test_other_names_are_kept() -> None:
    assert local_name("a/b c/ü.txt") == PurePosixPath("a/b c/ü.txt")


def ended(number: int = 1, *, exit_code: int = 0) -> TaskStatus:
    failure = TaskFailure(code="FailureExitCode", category="UserError", message="it failed")
    return TaskStatus(
        id=TaskId(f"{number:04}"),
        state=TaskState.COMPLETED,
        changed=NOW,
        node_id="node-1",
        started=NOW,
        ended=NOW,
        exit_code=exit_code,
        succeeded=exit_code == 0,
        retry_count=0,
        failure=failure if exit_code else None,
    )


@contextmanager
def collecting(folder: Path, blobs: FakeBlobs, plan: Plan) -> Iterator[Collector]:
    """A collector of a run in `folder/run` whose results go to `folder/results`."""
    blobs.containers.setdefault(f"{RUN}-logs", {})
    (folder / "run").mkdir(exist_ok=True)
    journal = Journal(folder / "run", run=RUN, clock=lambda: NOW, listener=lambda event, line: None)
    try:
        yield Collector(
            plan,
            window=Window(plan),
            blobs=blobs,
            journal=journal,
            output_directory=folder / "results",
            all_logs=False,
        )
    finally:
        journal.close()


def outcomes(collector: Collector, *ends: TaskStatus) -> list[bool]:
    """Whether each of some tasks did all it should; raises the first fault of the services."""
    landed = collector.land([collector.collect(each) for each in ends])
    for each in landed:
        if not isinstance(each, bool):
            raise each
    return [each for each in landed if isinstance(each, bool)]


def collect(folder: Path, blobs: FakeBlobs, spec: str, *, exit_code: int = 0) -> list[str]:
    """Collects the one task of a plan whose containers hold `blobs`; the files that came."""
    plan = make_plan(folder, spec, ("a.txt",))
    with collecting(folder, blobs, plan) as collector:
        outcomes(collector, ended(exit_code=exit_code))
    results = folder / "results"
    return sorted(str(path.relative_to(results)) for path in results.rglob("*") if path.is_file())


def finished(folder: Path) -> Mapping[str, Any]:
    """The one event of a task's end."""
    lines = (folder / "run" / "events.jsonl").read_text().splitlines()
    (event,) = (each for each in map(json.loads, lines) if each["type"] == "task.finished")
    assert isinstance(event, dict)
    return event


WILDCARD = SPEC.replace('"{{ file.stem }}.out"', '"*.png"')


def test_all_that_a_wildcard_found(tmp_path: Path) -> None:
    blobs = FakeBlobs(
        containers={
            f"{RUN}-output": {"0001/1.png": b"1", "0001/x/2.png": b"2", "00010/3.png": b"3"}
        }
    )
    assert collect(tmp_path, blobs, WILDCARD) == ["output/0001/1.png", "output/0001/x/2.png"]


def test_a_listed_name_that_leads_elsewhere(tmp_path: Path) -> None:
    blobs = FakeBlobs(containers={f"{RUN}-output": {"0001/../../../evil.png": b"1"}})
    with pytest.raises(TransferError):
        collect(tmp_path, blobs, WILDCARD)
    assert not list(tmp_path.rglob("evil.png"))


def test_a_link_that_leads_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "results" / "output").mkdir(parents=True)
    (tmp_path / "results" / "output" / "0001").symlink_to(tmp_path / "elsewhere")
    blobs = FakeBlobs(containers={f"{RUN}-output": {"0001/1.png": b"1"}})
    with pytest.raises(TransferError) as caught:
        collect(tmp_path, blobs, WILDCARD)
    results = tmp_path / "results"
    assert caught.value.message == f"`{results}/output/0001` leads out of `{results}` by a link"
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("blob", ["0001/1.png", "0001/x/1.png", "0001/x/y/1.png"])
def test_nothing_is_made_behind_a_link_that_leads_elsewhere(tmp_path: Path, blob: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "output").symlink_to(tmp_path / "elsewhere")
    blobs = FakeBlobs(containers={f"{RUN}-output": {blob: b"1"}})
    with pytest.raises(TransferError) as caught:
        collect(tmp_path, blobs, WILDCARD)
    results = tmp_path / "results"
    folder = (results / "output" / blob).parent
    assert caught.value.message == f"`{folder}` leads out of `{results}` by a link"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_an_output_directory_that_is_a_link_is_the_users_choice(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "results").symlink_to(tmp_path / "elsewhere")
    blobs = FakeBlobs(containers={f"{RUN}-output": {"0001/x/1.png": b"1"}})
    collect(tmp_path, blobs, WILDCARD)
    assert (tmp_path / "elsewhere" / "output" / "0001" / "x" / "1.png").read_bytes() == b"1"


def test_a_link_in_the_place_of_a_result_is_replaced(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    (tmp_path / "results" / "output").mkdir(parents=True)
    (tmp_path / "results" / "output" / "a.out").symlink_to(precious)
    blobs = FakeBlobs(containers={f"{RUN}-output": {"a.out": b"new"}})
    assert collect(tmp_path, blobs, SPEC) == ["output/a.out"]
    assert precious.read_text() == "mine"
    assert (tmp_path / "results" / "output" / "a.out").read_text() == "new"


def test_a_folder_in_the_place_of_a_result(tmp_path: Path) -> None:
    (tmp_path / "results" / "output" / "a.out").mkdir(parents=True)
    blobs = FakeBlobs(containers={f"{RUN}-output": {"a.out": b"new"}})
    with pytest.raises(TransferError, match=r"cannot write `.*a\.out`: is a directory"):
        collect(tmp_path, blobs, SPEC)
    assert list((tmp_path / "results" / "output").iterdir()) == [
        tmp_path / "results" / "output" / "a.out"
    ]


def test_an_existing_file_is_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "results" / "output").mkdir(parents=True)
    (tmp_path / "results" / "output" / "a.out").write_text("a longer old content")
    blobs = FakeBlobs(containers={f"{RUN}-output": {"a.out": b"new"}})
    collect(tmp_path, blobs, SPEC)
    assert (tmp_path / "results" / "output" / "a.out").read_text() == "new"


@dataclass
class MeetingBlobs(FakeBlobs):
    """Downloads that have all written before any of them returns."""

    meeting: threading.Barrier = field(default_factory=lambda: threading.Barrier(1))

    @override
    def download(self, container: str, blob: str, stream: BinaryIO) -> Downloaded:
        done = super().download(container, blob, stream)
        self.meeting.wait(timeout=60)
        return done


@pytest.mark.parametrize("letter", ["x", "ü", "語"])
def test_long_names_that_begin_alike_do_not_meet(tmp_path: Path, letter: str) -> None:
    start = letter * (220 // len(letter.encode()) - 1)
    if letter == "x":
        start = letter * 110
    names = tuple(f"{start}{number:02}" for number in range(16))
    contents = {f"{name}.out": f"content of {name}\n".encode() * 100 for name in names}
    blobs = MeetingBlobs(containers={f"{RUN}-output": contents}, meeting=threading.Barrier(16))
    plan = make_plan(tmp_path, SPEC, names)
    with collecting(tmp_path, blobs, plan) as collector, ThreadPoolExecutor(16) as pool:
        hauls = list(pool.map(collector.collect, (ended(number) for number in range(1, 17))))
        ends = collector.land(hauls)
    assert ends == [True] * 16
    found = {path.name: path.read_bytes() for path in (tmp_path / "results/output").iterdir()}
    assert found == contents


def test_a_result_has_the_mode_of_any_new_file(tmp_path: Path) -> None:
    blobs = FakeBlobs(containers={f"{RUN}-output": {"a.out": b"new"}})
    collect(tmp_path, blobs, SPEC)
    plain = tmp_path / "plain"
    plain.write_text("")
    mode = stat.S_IMODE((tmp_path / "results" / "output" / "a.out").stat().st_mode)
    assert mode == stat.S_IMODE(plain.stat().st_mode)


def test_a_name_longer_than_a_file_may_have(tmp_path: Path) -> None:
    name = "ü" * 128
    blobs = FakeBlobs(containers={f"{RUN}-output": {f"0001/{name}.png": b"1"}})
    with pytest.raises(TransferError) as caught:
        collect(tmp_path, blobs, WILDCARD)
    folder = tmp_path / "results" / "output" / "0001"
    assert caught.value.message == f"cannot write `{folder}/{name}.png`: file name too long"
    assert list(folder.iterdir()) == []
    assert not [line for line in blobs.log if line.startswith("download")]


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "output").write_text("mine")
    blobs = FakeBlobs(containers={f"{RUN}-output": {"0001/1.png": b"1"}})
    with pytest.raises(TransferError) as caught:
        collect(tmp_path, blobs, WILDCARD)
    target = tmp_path / "results" / "output" / "0001" / "1.png"
    assert caught.value.message == f"cannot write `{target}`: not a directory"
    assert (tmp_path / "results" / "output").read_text() == "mine"


def test_an_odd_name_stays_on_one_line(tmp_path: Path) -> None:
    (tmp_path / "results" / "output" / "0001" / "a\nb.png").mkdir(parents=True)
    blobs = FakeBlobs(containers={f"{RUN}-output": {"0001/a\nb.png": b"1"}})
    with pytest.raises(TransferError) as caught:
        collect(tmp_path, blobs, WILDCARD)
    folder = tmp_path / "results" / "output" / "0001"
    assert caught.value.message == f"cannot write '{folder}/a\\nb.png': is a directory"


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    blobs = FakeBlobs(containers={f"{RUN}-output": {}, f"{RUN}-logs": {"0001/stdout.txt": b"o"}})
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "logs").write_text("in the way")
    with pytest.raises(TransferError) as caught:
        collect(tmp_path, blobs, SPEC, exit_code=1)
    folder = tmp_path / "run" / "logs" / "0001"
    assert caught.value.message == f"cannot write `{folder}`: not a directory"
    assert finished(tmp_path)["cause"] == "TransferFailed"


def test_a_log_that_vanishes_on_its_way(tmp_path: Path) -> None:
    class VanishingBlobs(FakeBlobs):
        @override
        def download(self, container: str, blob: str, stream: BinaryIO) -> Downloaded:
            (tmp_path / "run" / "logs" / "0001" / ".stdout.txt.partial").unlink()
            return super().download(container, blob, stream)

    blobs = VanishingBlobs(
        containers={
            f"{RUN}-output": {},
            f"{RUN}-logs": {"0001/stdout.txt": b"o", "0001/stderr.txt": b"e"},
        }
    )
    with pytest.raises(TransferError) as caught:
        collect(tmp_path, blobs, SPEC, exit_code=1)
    log = tmp_path / "run" / "logs" / "0001" / ".stdout.txt.partial"
    assert caught.value.message == f"cannot write `{log}`: no such file or directory"


def refuse(operation: str, name: str) -> None:
    if operation == "download" and name.endswith(".out"):
        raise ServiceUnreachableError("Blob Storage at https://storage.example does not answer")


def test_a_task_whose_output_cannot_be_brought_has_its_end(tmp_path: Path) -> None:
    blobs = FakeBlobs(containers={f"{RUN}-output": {"a.out": b"1"}}, fail=refuse)
    with pytest.raises(ServiceUnreachableError):
        collect(tmp_path, blobs, SPEC)
    event = finished(tmp_path)
    assert (event["succeeded"], event["cause"], event["message"], event["exit_code"]) == (
        False,
        "TransferFailed",
        "Blob Storage at https://storage.example does not answer",
        0,
    )


def test_logs_that_came_before_the_transfer_failed_are_kept(tmp_path: Path) -> None:
    spec = SPEC.replace("to: output}", "to: output, when: completion}")
    blobs = FakeBlobs(
        containers={
            f"{RUN}-output": {"a.out": b"1"},
            f"{RUN}-logs": {"0001/stdout.txt": b"o", "0001/stderr.txt": b"oh\nno\n"},
        },
        fail=refuse,
    )
    with pytest.raises(ServiceUnreachableError):
        collect(tmp_path, blobs, spec, exit_code=7)
    event = finished(tmp_path)
    assert (event["cause"], event["exit_code"]) == ("TransferFailed", 7)
    assert (event["stdout"], event["stderr"], event["stderr_tail"]) == (
        "logs/0001/stdout.txt",
        "logs/0001/stderr.txt",
        "oh\nno",
    )
