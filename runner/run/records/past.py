"""What a run's own events say of it when it is resumed: which tasks are done, what was made.

It reads the run's directory and the files at home, and asks no service.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from typing_extensions import assert_never

from runner.errors import ExitCode, UsageError, describe_os_error
from runner.json_text import read_json
from runner.plan.model import Plan
from runner.run.events import (
    DEPENDENCY_FAILED,
    HALTED,
    JOB_ENDED,
    TRANSFER_FAILED,
    CleanupFinished,
    Event,
    JobCreated,
    NodeChanged,
    OutputDownloaded,
    PoolChanged,
    RunFinished,
    RunStarted,
    StartTaskFailed,
    TaskAdded,
    TaskFinished,
    TaskRetried,
    TaskStarted,
    UploadFinished,
)
from runner.run.records.journal import Journal, write_whole
from runner.run.records.moved import read_events_at_home
from runner.run.records.taken import Taken
from runner.run.results.settled import HomeOutput, Settled
from runner.run.submit import SUBMISSION, Submission
from runner.run.tasks.dependents import Dependents
from runner.run.tasks.exits import service_end
from runner.run.tasks.halt import Tally
from runner.run.tasks.verdicts import Actor, Verdicts
from runner.spec.model.step import JobAction
from runner.spec.model.terms import ContainerResource, Role
from runner.spec.model.workload import Workload

CAN_GO_ON = frozenset(
    {ExitCode.SERVICE, ExitCode.STOPPED_WAITING, ExitCode.BUG, ExitCode.INTERRUPTED}
)
"""Runs that ended with these exit codes have something left to do."""
# Ends that are not the task's own: what keeps it from its own end may be gone now.
_NOT_FINAL = frozenset({DEPENDENCY_FAILED, HALTED, JOB_ENDED, TRANSFER_FAILED})
_CLEANING = "cleaning"
_THREADS = 4
_TOGETHER = 256
_PIECE_BYTES = 1024 * 1024


@dataclass(slots=True)
class Past:
    """One run so far; `end` is how it ended last, None where whoever drove it just died."""

    settled: Settled
    tally: Tally
    uploaded: set[tuple[str, str]] = field(default_factory=set)
    """Roles and blobs that were brought up."""
    added: set[int] = field(default_factory=set)
    """Tasks that a job has or had, by number."""
    retried: list[TaskRetried] = field(default_factory=list)
    """Attempts that were followed by others."""
    submission: Submission | None = None
    """The names of what was to be made; None where nothing was."""
    was_cleaned: bool = False
    """A client of this directory has taken away what was made, or was about to."""
    has_begun: bool = False
    has_job: bool = False
    """A job was made; it may be gone again."""
    ender: Actor | None = None
    """The task that ended the job, as the spec asks."""
    end: RunFinished | None = None

    @property
    def goes_on(self) -> bool:
        """Whether anything is left to do, be it only to clean up."""
        if self.end is None:
            return True
        code = self.end.exit_code
        # What was wrong here the last time may be right now, and the run's things still are there.
        is_mended = code == ExitCode.USAGE and self.submission is not None
        return is_mended or code in CAN_GO_ON or code == ExitCode.LEFT_BEHIND


def read_past(directory: Path, plan: Plan) -> Past:
    """The state of a run by its directory; `UsageError` where that cannot be read.

    A task counts as settled only where all that it left is at home and whole.
    """
    tally = Tally(plan)
    past = Past(
        Settled(len(plan.tasks)),
        tally,
        submission=read_submission(directory),
        was_cleaned=(directory / _CLEANING).exists(),
    )

    def read() -> Iterator[Event]:
        return read_events_at_home(directory)

    verdicts = Verdicts(plan, Dependents(len(plan.tasks)))
    shared = shared_roles(plan.workload)
    taken = Taken(plan, shared)
    is_cleaned = False
    for event in read():
        _take(past, event)
        tally.add(event)
        is_cleaned = _note_taken(taken, past.settled, event, is_cleaned=is_cleaned)
        if isinstance(event, TaskFinished) and event.cause not in _NOT_FINAL:
            verdicts.take(service_end(event))
    past.ender = verdicts.actor(JobAction.TERMINATE)
    if past.was_cleaned and not is_cleaned:  # whoever was about to did not come to its end
        taken.note_cleanup(past.settled)
    lost: dict[str, int] = {}
    for output, is_whole in _looked_at(read(), past.settled):
        # A file that was brought home twice is what it was the second time.
        if not is_whole:
            lost[output.path] = int(output.task)
            continue
        lost.pop(output.path, None)
        if output.role in shared:
            home = HomeOutput(Role(output.role), output.blob, Path(output.path))
            past.settled.keep_output(home)
    # The user may have deleted files, and a machine that crashed may have lost them.
    for number in lost.values():
        past.settled.reopen(number)
    taken.reopen(past.settled)
    return past


def note_cleaning(directory: Path) -> None:
    """Writes down that what was made is about to go: whoever misses it later knows by whom."""
    with contextlib.suppress(OSError):  # a full disk must not keep a run from its cleanup
        write_whole(directory / _CLEANING, "")


def note_making(journal: Journal) -> None:
    """Writes down that things are made, again perhaps; raises `OSError`."""
    (journal.directory / _CLEANING).unlink(missing_ok=True)


def shared_roles(workload: Workload) -> frozenset[Role]:
    """The containers whose blobs tasks leave for other tasks."""
    read = {
        resource.role
        for step in workload.steps
        for resource in step.resources
        if isinstance(resource, ContainerResource)
    }
    needed = {
        output.to
        for step in workload.steps
        for name in step.needs
        for output in workload.step(name).outputs
    }
    return frozenset(read | needed)


def _take(past: Past, event: Event) -> None:
    match event:
        case RunStarted():
            past.has_begun, past.end = True, None
        case UploadFinished():
            past.uploaded.add((event.role, event.blob))
        case JobCreated():
            past.has_job = True
        case TaskAdded():
            past.added.add(int(event.task))
        case TaskFinished() if event.succeeded:
            past.settled.succeed(int(event.task))
        case TaskFinished() if event.cause in _NOT_FINAL:
            past.settled.reopen(int(event.task))
        case TaskFinished():
            past.settled.fail(int(event.task), event)
        case TaskRetried():
            past.retried.append(event)
        case RunFinished():
            past.end = event
        case (
            CleanupFinished()
            | NodeChanged()
            | OutputDownloaded()
            | PoolChanged()
            | StartTaskFailed()
            | TaskStarted()
        ):
            pass
        case _:
            assert_never(event)


def _note_taken(taken: Taken, settled: Settled, event: Event, *, is_cleaned: bool) -> bool:
    """Whether a cleanup has come to its end since the run was begun or taken up the last time."""
    match event:
        case RunStarted():
            return False
        case TaskFinished():
            taken.note_end(int(event.task))
        case CleanupFinished():
            kind = "container "
            names = {each.removeprefix(kind) for each in event.deleted if each.startswith(kind)}
            taken.note_cleanup(settled, names)
            return True
        case _:
            pass
    return is_cleaned


def _looked_at(
    events: Iterable[Event], settled: Settled
) -> Iterator[tuple[OutputDownloaded, bool]]:
    """What settled tasks left, each with whether the file is there and whole."""
    outputs = (
        event
        for event in events
        if isinstance(event, OutputDownloaded) and settled.is_settled(int(event.task))
    )
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="md5") as pool:
        while group := tuple(islice(outputs, _TOGETHER)):
            yield from zip(group, pool.map(_is_whole, group), strict=True)


def _is_whole(output: OutputDownloaded) -> bool:
    digest = hashlib.md5(usedforsecurity=False)
    size = 0
    try:
        with Path(output.path).open("rb") as stream:
            while piece := stream.read(_PIECE_BYTES):
                size += len(piece)
                digest.update(piece)
    except OSError:
        return False
    return size == output.bytes and output.md5 in {None, digest.hexdigest()}


def read_submission(directory: Path) -> Submission | None:
    """The names of what a run was to make; None where it had not come to that."""
    path = directory / SUBMISSION
    try:
        value = read_json(path.read_bytes())
        return Submission(
            job_id=value["job"],
            pool_prefix=value.get("pool_prefix", ""),
            containers=_pairs(value["containers"]),
            reused=_pairs(value.get("reused_containers", {})),
            kept_pool=value.get("kept_pool"),
            used_pool=value.get("used_pool"),
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {describe_os_error(error)}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(f"`{path}` does not tell what the run has made") from error


def _pairs(value: Mapping[str, str]) -> tuple[tuple[Role, str], ...]:
    return tuple((Role(role), name) for role, name in value.items())
