"""The judge of a run that was disturbed: all that must hold however it went.

It must not know what was done to the run, but for what cannot be kept by anybody.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import BlobServiceClient

from tests.faults.disasters import Kind
from tests.faults.play import Play
from tests.faults.service import Service
from tests.faults.shapes import Shape

GONE_SECONDS = 60.0
# Any of these may take a task's node away before the service has heard of the task's end.
_TAKES_NODES = frozenset({Kind.EMULATOR_KILLED, Kind.PREEMPTION, Kind.UNUSABLE})


def judge(play: Play) -> list[str]:
    """What does not hold, in words; stops the services."""
    if play.unfinished:
        return play.unfinished
    directory = play.home.directory()
    assert directory is not None
    wrong = [
        *judge_outputs(play.schedule.shape, play.home.folder / "out"),
        *judge_executions(play),
        *judge_journal(play.schedule.shape, directory),
        *judge_report(play.schedule.shape, directory),
        *_judge_code(play),
    ]
    report = _read_report(directory)
    left = [(each["kind"], each["name"]) for each in report.get("left", ())]
    if play.service is not None:
        wrong += judge_services(play.service, left)
        wrong += _judge_stop(play.service)
        wrong += judge_secrets(play.home.folder, [play.home.logs], play.service)
    else:
        wrong += _judge_own_services(play, directory)
    wrong += judge_processes(play.folder)
    wrong += judge_files(play.folder)
    return wrong


def judge_outputs(shape: Shape, folder: Path) -> list[str]:
    """Byte for byte what an undisturbed run brings home, and nothing else."""
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() or path.is_symlink()
    }
    wrong = [f"output {name} is missing" for name in sorted(shape.outputs.keys() - found.keys())]
    wrong += [f"output {name} is not ours" for name in sorted(found.keys() - shape.outputs.keys())]
    wrong += [
        f"output {name} has other content"
        for name in sorted(found.keys() & shape.outputs.keys())
        if found[name] != shape.outputs[name]
    ]
    return wrong


def judge_executions(play: Play) -> list[str]:
    """No task that has succeeded was run again; each that should has run."""
    shape, counted = play.schedule.shape, play.executions()
    wrong = [
        f"task {task} had succeeded, and ran again ({times} times by then, {counted[task]} now)"
        for task, times in sorted(play.settled.items())
        if counted.get(task, 0) != times
    ]
    succeeded = shape.tasks - len(shape.failing)
    if len(counted) != succeeded:
        wrong.append(f"{len(counted)} tasks succeeded at least once, not {succeeded}")
    kinds = play.schedule.kinds
    local = play.service is None
    if not (kinds & _TAKES_NODES or play.interrupted or (local and kinds)):
        wrong += [
            f"task {task} succeeded {times} times, and nothing took its node away"
            for task, times in sorted(counted.items())
            if times != 1
        ]
    return wrong


def judge_journal(shape: Shape, directory: Path) -> list[str]:
    """Whole lines of one run, which end with its end and tell each task's."""
    events: list[dict[str, Any]] = []
    content = (directory / "events.jsonl").read_bytes()
    if not content.endswith(b"\n"):
        return ["events.jsonl ends within a line"]
    for number, line in enumerate(content.splitlines(), 1):
        try:
            event = json.loads(line)
        except ValueError:
            return [f"events.jsonl:{number} is no JSON: {line[:80]!r}"]
        if not {"v", "t", "run", "type"} <= event.keys() or event["run"] != directory.name:
            return [f"events.jsonl:{number} is no event of this run: {line[:80]!r}"]
        events.append(event)
    wrong = []
    ended = {event["task"]: event for event in events if event["type"] == "task.finished"}
    if len(ended) != shape.tasks:
        wrong.append(f"events.jsonl tells the end of {len(ended)} tasks, not of {shape.tasks}")
    failed = {event["item"] for event in ended.values() if not event["succeeded"]}
    if failed != shape.failing:
        wrong.append(f"events.jsonl says that {sorted(failed)} failed")
    if events[-1]["type"] != "run.finished" or events[-1]["exit_code"] != shape.exit_code:
        wrong.append(f"events.jsonl ends with {events[-1]}")
    return wrong


def judge_report(shape: Shape, directory: Path) -> list[str]:
    """The counts are those of an undisturbed run."""
    report = _read_report(directory)
    if not report:
        return ["there is no report.json"]
    size = sum(map(len, shape.outputs.values()))
    expected = {
        "run": directory.name,
        "tasks": shape.tasks,
        "files": len(shape.inputs),
        "input_bytes": sum(map(len, shape.inputs.values())),
        "succeeded": shape.tasks - len(shape.failing),
        "failed": len(shape.failing),
        "unfinished": 0,
        "exit_code": shape.exit_code,
        "error": None,
        "downloaded_files": len(shape.outputs),
        "downloaded_bytes": size,
    }
    wrong = [
        f"report.json says {name} {report.get(name)!r}, not {value!r}"
        for name, value in expected.items()
        if report.get(name, name) != value
    ]
    items = {failure["item"] for failure in report.get("failures", ())}
    if items != shape.failing:
        wrong.append(f"report.json says that {sorted(items)} failed")
    return wrong


def _read_report(directory: Path) -> dict[str, Any]:
    with suppress(FileNotFoundError):
        report: dict[str, Any] = json.loads((directory / "report.json").read_bytes())
        return report
    return {}


def _judge_code(play: Play) -> Iterator[str]:
    if play.codes[-1] != play.schedule.shape.exit_code:
        yield f"the last client ended with {play.codes[-1]}, not {play.schedule.shape.exit_code}"


Thing = tuple[str, str]
"""A kind and a name."""


def list_services(batch: Mapping[str, str], storage: Mapping[str, str]) -> frozenset[Thing]:
    """All jobs, schedules, pools and containers."""
    credential = AzureNamedKeyCredential(batch["account"], batch["key"])
    with (
        BatchClient(batch["endpoint"], credential) as client,
        BlobServiceClient.from_connection_string(storage["connection_string"]) as blobs,
    ):
        return frozenset(
            {
                *(("job", str(job.id)) for job in client.list_jobs()),
                *(("job schedule", str(each.id)) for each in client.list_job_schedules()),
                *(("pool", str(pool.id)) for pool in client.list_pools()),
                *(("container", str(each.name)) for each in blobs.list_containers()),
            }
        )


def judge_services(service: Service, told: list[Thing]) -> list[str]:
    """Only what the run itself says it leaves, as the spec asks, is there."""
    service.wait_until_idle()
    there = list_services(service.batch_account, service.storage_account)
    kept = {thing for thing in told if thing[0] == "container" and thing[1].endswith("-logs")}
    wrong = [f"left in the services: {kind} {name}" for kind, name in sorted(there - kept)]
    wrong += [f"said to be left, and gone: {each}" for each in sorted(kept - there)]
    return wrong


def _judge_stop(service: Service) -> Iterator[str]:
    code = service.stop()
    if code:
        yield f"the emulator ended with {code}"


def _judge_own_services(play: Play, directory: Path) -> list[str]:
    """Those of the local target, started once more on what they have kept."""
    service = Service(directory / "emulator", play.home.environ)
    try:
        service.start()
        return [*judge_services(service, []), *_judge_stop(service)]
    finally:
        service.kill()
        (directory / "emulator.err").unlink(missing_ok=True)


def judge_secrets(home: Path, more: list[Path], service: Service) -> list[str]:
    """No key and no signature was written down by a client."""
    secrets = {
        "a key of Batch": service.batch_account["key"].encode(),
        "a key of storage": service.storage_account["key"].encode(),
        "a signature": b"sig=",
    }
    wrong = []
    for root in (home, *more):
        for path in root.rglob("*"):
            if path.is_file() and path.stat().st_size < 1024 * 1024:
                content = path.read_bytes()
                wrong += [f"{path} holds {what}" for what, s in secrets.items() if s in content]
    return wrong


def judge_processes(folder: Path, limit_seconds: float = GONE_SECONDS) -> list[str]:
    """No process is left that works in the folder or was told of it."""
    deadline = time.monotonic() + limit_seconds
    while (left := _processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return [f"process left: {each}" for each in left]


def _processes_of(folder: Path) -> list[str]:
    mark = os.fsencode(folder)
    own = {os.getpid(), os.getppid()}
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            if state in "ZX" or int(entry.name) in own:
                continue
            line = (entry / "cmdline").read_bytes()
            texts = (
                line,
                (entry / "environ").read_bytes(),
                os.fsencode((entry / "cwd").readlink()),
            )
            if any(mark in text for text in texts):
                words = line.replace(b"\0", b" ").decode(errors="replace")
                found.append(f"{entry.name} {words}")
    return found


def judge_files(folder: Path) -> list[str]:
    """No file that was only on its way to be one, nor one of no folder."""
    wrong = [f"temporary file left: {path}" for path in (folder / "tmp").rglob("*")]
    runs = folder / "home" / ".batch-run" / "runs"
    # What was killed before it had begun has made a folder, and nothing anywhere else.
    begun = {path.parent for path in runs.glob("*/run.json")}
    for path in (folder / "home").rglob("*"):
        if path.parent.parent == runs and path.parent not in begun:
            continue
        odd = path.name.endswith(".partial") or path.name.startswith((".last.", ".batch-run-"))
        if odd or path.is_socket() or path.is_fifo():
            wrong.append(f"temporary file left: {path}")
    return wrong
