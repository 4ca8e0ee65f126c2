"""The judge sees each thing that may be wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.faults.clients import Home
from tests.faults.disasters import Attempt, Kind, Schedule
from tests.faults.oracle import (
    judge_executions,
    judge_files,
    judge_journal,
    judge_outputs,
    judge_processes,
    judge_report,
    judge_secrets,
    judge_services,
)
from tests.faults.play import Play
from tests.faults.service import Service, plain_environ
from tests.faults.shapes import Shape, make_shape

RUN = "demo-20260102t030405z-abcd"


@pytest.fixture
def shape() -> Shape:
    """Of four tasks at least, of which some fail."""
    return make_shape("failing tasks", Random(4))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Of a run."""
    folder = tmp_path / RUN
    folder.mkdir()
    return folder


def bring_outputs(shape: Shape, folder: Path) -> None:
    """All of them, as they should be."""
    for name, content in shape.outputs.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_outputs(shape: Shape, tmp_path: Path) -> None:
    bring_outputs(shape, tmp_path)
    assert judge_outputs(shape, tmp_path) == []
    first, second = sorted(shape.outputs)[:2]
    (tmp_path / first).unlink()
    (tmp_path / second).write_bytes(shape.outputs[second][:-1])
    (tmp_path / "output" / "x.partial").write_bytes(b"")
    assert judge_outputs(shape, tmp_path) == [
        f"output {first} is missing",
        "output output/x.partial is not ours",
        f"output {second} has other content",
    ]


def make_play(shape: Shape, folder: Path, *kinds: Kind) -> Play:
    """One whose tasks have counted themselves once each."""
    counts = folder / "counts"
    counts.mkdir()
    for number in range(shape.tasks - len(shape.failing)):
        (counts / f"{number:04}").write_text("1\n")
    schedule = Schedule(
        seed=0, shape=shape, target="azure", attempts=(Attempt(kinds=tuple(kinds)),)
    )
    environ = plain_environ(folder)
    return Play(
        schedule=schedule,
        folder=folder,
        home=Home(folder=folder, environ=environ, logs=folder),
        service=Service(folder / "emulator", environ),
        counts=counts,
    )


def test_a_task_that_ran_twice(shape: Shape, tmp_path: Path) -> None:
    play = make_play(shape, tmp_path, Kind.CLIENT_KILLED)
    assert judge_executions(play) == []
    (play.counts / "0001").write_text("1\n2\n")
    twice = "task 0001 succeeded 2 times, and nothing took its node away"
    assert judge_executions(play) == [twice]
    play.settled["0001"] = 1
    again = "task 0001 had succeeded, and ran again (1 times by then, 2 now)"
    assert judge_executions(play) == [again, twice]


def test_a_task_whose_node_was_taken_away_may_run_again_unless_it_was_done(
    shape: Shape, tmp_path: Path
) -> None:
    play = make_play(shape, tmp_path, Kind.PREEMPTION)
    (play.counts / "0001").write_text("1\n2\n")
    assert judge_executions(play) == []
    play.settled["0001"] = 1
    assert judge_executions(play) == [
        "task 0001 had succeeded, and ran again (1 times by then, 2 now)"
    ]


def test_a_task_that_never_ran(shape: Shape, tmp_path: Path) -> None:
    play = make_play(shape, tmp_path)
    (play.counts / "0001").unlink()
    succeeded = shape.tasks - len(shape.failing)
    assert judge_executions(play) == [
        f"{succeeded - 1} tasks succeeded at least once, not {succeeded}"
    ]


def journal_lines(shape: Shape) -> list[str]:
    """Of a run as it should be."""
    head = {"v": 1, "t": "2026-01-02T03:04:05.000000Z", "run": RUN}
    items = [*sorted(shape.failing), *(f"good-{n}" for n in range(shape.tasks))][: shape.tasks]
    ends = [
        {"type": "task.finished", "task": f"{n:04}", "item": i, "succeeded": i not in shape.failing}
        for n, i in enumerate(items)
    ]
    end = {"type": "run.finished", "exit_code": shape.exit_code}
    return [json.dumps({**head, **each}) for each in (*ends, end)]


def test_the_journal(shape: Shape, directory: Path) -> None:
    path = directory / "events.jsonl"
    lines = journal_lines(shape)
    path.write_text("\n".join(lines) + "\n")
    assert judge_journal(shape, directory) == []
    path.write_text("\n".join(lines))
    assert judge_journal(shape, directory) == ["events.jsonl ends within a line"]
    path.write_text("\n".join(['{"v": 1', *lines]) + "\n")
    assert judge_journal(shape, directory) == ["events.jsonl:1 is no JSON: b'{\"v\": 1'"]
    path.write_text("\n".join(["{}", *lines]) + "\n")
    assert judge_journal(shape, directory) == ["events.jsonl:1 is no event of this run: b'{}'"]
    path.write_text("\n".join(lines[1:]) + "\n")
    wrong = judge_journal(shape, directory)
    assert wrong[0] == (
        f"events.jsonl tells the end of {shape.tasks - 1} tasks, not of {shape.tasks}"
    )
    path.write_text("\n".join(lines[:-1]) + "\n")
    assert judge_journal(shape, directory) == [f"events.jsonl ends with {json.loads(lines[-2])}"]


def test_the_report(shape: Shape, directory: Path) -> None:
    report = {
        "run": RUN,
        "tasks": shape.tasks,
        "succeeded": shape.tasks - len(shape.failing),
        "failed": len(shape.failing),
        "unfinished": 0,
        "exit_code": 1,
        "error": None,
        "failures": [{"item": item} for item in shape.failing],
        "files": len(shape.inputs),
        "input_bytes": sum(map(len, shape.inputs.values())),
        "downloaded_files": len(shape.outputs),
        "downloaded_bytes": sum(map(len, shape.outputs.values())),
    }
    path = directory / "report.json"
    path.write_text(json.dumps(report))
    assert judge_report(shape, directory) == []
    path.write_text(json.dumps({**report, "unfinished": 1, "failures": []}))
    assert judge_report(shape, directory) == [
        "report.json says unfinished 1, not 0",
        "report.json says that [] failed",
    ]
    path.unlink()
    assert judge_report(shape, directory) == ["there is no report.json"]


def test_files_on_their_way(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "home").mkdir()
    assert judge_files(tmp_path) == []
    (tmp_path / "tmp" / "x").touch()
    (tmp_path / "home" / ".last.demo").touch()
    assert judge_files(tmp_path) == [
        f"temporary file left: {tmp_path / 'tmp' / 'x'}",
        f"temporary file left: {tmp_path / 'home' / '.last.demo'}",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_processes(tmp_path: Path) -> None:
    place = tmp_path / "home"
    place.mkdir()
    assert judge_processes(place, limit_seconds=0.1) == []
    with subprocess.Popen(["sleep", "60"], cwd=place) as process:
        try:
            found = judge_processes(place, limit_seconds=0.1)
        finally:
            process.kill()
    assert found == [f"process left: {process.pid} sleep 60 "]


def test_services_and_secrets(shape: Shape, tmp_path: Path) -> None:
    environ = plain_environ(tmp_path)
    service = Service(tmp_path / "emulator", environ)
    service.start()
    home = tmp_path / "home"
    home.mkdir()
    try:
        assert judge_services(service, []) == []
        wire = service.batch()
        try:
            made = wire.send("POST", "/jobs", {"id": "left", "poolInfo": {"poolId": "none"}})
        finally:
            wire.close()
        assert made.status == 201, made
        assert judge_services(service, []) == ["left in the services: job left"]
        assert judge_secrets(home, [], service) == []
        (home / "a").write_text(f"key {service.batch_account['key']}")
        (home / "b").write_text("https://x/y?sig=abc")
        assert sorted(judge_secrets(home, [], service)) == [
            f"{home / 'a'} holds a key of Batch",
            f"{home / 'b'} holds a signature",
        ]
        assert service.stop() == 0
    finally:
        service.kill()


def test_shapes_differ_and_are_the_same_for_a_seed() -> None:
    first, again, other = (make_shape("map", Random(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != replace(other, name=first.name)
