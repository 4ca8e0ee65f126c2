"""Plays a schedule: starts clients, has things go wrong, resumes, until there is an end.

It must not know what a right end is: that is the oracle's.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.conformance.azurite.installing import start_azurite
from tests.e2e.kills.asking import LostError
from tests.faults.clients import (
    Client,
    HangError,
    Home,
    can_mount,
    emulator_of,
    kill_process,
    resize_disk,
    small_disk,
)
from tests.faults.disasters import CALM, Attempt, Blow, Kind, Schedule, Stroke
from tests.faults.service import Service, plain_environ

CALM_ATTEMPTS = 4
_LONG_SECONDS = 60.0
_ENDS = (0, 1, 5)
# Whoever asks for a run's end after it gets this, unless the run's own exit code.
_NOTHING_TO_RESUME = 2


@dataclass(slots=True, kw_only=True)
class Play:
    """All that was seen of a run, for the judge."""

    schedule: Schedule
    folder: Path
    home: Home
    service: Service | None
    """None where the client has services of its own."""
    counts: Path
    codes: list[int] = field(default_factory=list)
    """Of the attempts, in order."""
    unfinished: list[str] = field(default_factory=list)
    """Why it did not come to an end."""
    settled: dict[str, int] = field(default_factory=dict)
    """Tasks known to have succeeded, with how often each had done so then."""
    struck: set[Kind] = field(default_factory=set)
    interrupted: bool = False

    def executions(self) -> dict[str, int]:
        """How often each task has counted itself."""
        return {path.name: path.read_bytes().count(b"\n") for path in self.counts.iterdir()}


@contextmanager
def playing(schedule: Schedule, folder: Path, *, azurite: Path | None = None) -> Iterator[Play]:
    """The played schedule; the services that are not the client's own still run.

    Where `azurite` is installed at a path, it is the storage.
    """
    with ExitStack() as stack:
        environ = plain_environ(folder)
        place = folder / "home"
        if any(attempt.disk_bytes for attempt in schedule.attempts):
            stack.enter_context(small_disk(place))
        place.mkdir(exist_ok=True)
        counts = folder / "counts"
        schedule.shape.write(place, counts)
        service = None
        if schedule.target == "azure":
            service = Service(folder / "emulator", environ)
            stack.callback(service.kill)
            service.start()
            if azurite is not None:
                stack.enter_context(_azurite_for(service, azurite))
            environ.update(service.client_environ())
        else:
            environ["BATCH_RUN_TARGET"] = "local"
        home = Home(folder=place, environ=environ, logs=folder / "logs")
        stack.callback(home.end_all)
        play = Play(schedule=schedule, folder=folder, home=home, service=service, counts=counts)
        _play(play)
        yield play


@contextmanager
def _azurite_for(service: Service, package: Path) -> Iterator[None]:
    own = service.storage_account
    with start_azurite(package, own["account"], own["key"]) as azurite:
        service.use_storage(
            {
                "account": azurite.account,
                "key": azurite.key,
                "connection_string": azurite.connection_string,
            }
        )
        yield


def needs_mount(schedule: Schedule) -> bool:
    """Whether it can be played only where disks can be made."""
    return not can_mount() and any(attempt.disk_bytes for attempt in schedule.attempts)


def _play(play: Play) -> None:
    for attempt in (*play.schedule.attempts, *[CALM] * CALM_ATTEMPTS):
        try:
            code = _attempt(play, attempt)
        except HangError as error:
            play.unfinished.append(str(error))
            return
        play.codes.append(code)
        _note_settled(play, attempt, code)
        if code in _ENDS and _has_ended(play):
            return
        if attempt is CALM and code == _NOTHING_TO_RESUME:
            break
    said = play.home.started[-1].said()
    play.unfinished.append(f"no end; exit codes {play.codes}; the last client said: {said}")


def _has_ended(play: Play) -> bool:
    events = play.home.events()
    directory = play.home.directory()
    # A disk may be too full for the report alone: a resume writes it.
    has_report = directory is not None and (directory / "report.json").exists()
    return bool(events) and events[-1]["type"] == "run.finished" and has_report


def _attempt(play: Play, attempt: Attempt) -> int:
    """One life of a client, with what goes wrong in it; its exit code."""
    home, service = play.home, play.service
    if service is not None:
        service.start()
        service.set_rules(attempt.rules)
    if attempt.disk_bytes is not None:
        resize_disk(home.folder, attempt.disk_bytes)
    client = home.start(*_arguments(play), victim=attempt.victim, file_bytes=attempt.file_bytes)
    strokes = [
        threading.Thread(target=_strike, args=(play, client, blow)) for blow in attempt.blows
    ]
    for thread in strokes:
        thread.start()
    try:
        code = client.wait()
    finally:
        for thread in strokes:
            thread.join()
    if service is not None:
        strikes = service.read_strikes()
        service.start()
        service.set_rules(())
        # A clock that is wrong is so all the time, and counts nothing.
        if any(strikes) or Kind.SKEW in attempt.kinds:
            play.struck.update(kind for kind in attempt.kinds if kind in _BY_RULES)
    if attempt.disk_bytes is not None:
        resize_disk(home.folder, None)
    if code == -signal.SIGKILL:
        play.struck.update(kind for kind in attempt.kinds if kind in _BY_DEATH)
    if code not in _ENDS and "cannot write" in client.said():
        play.struck.update(kind for kind in attempt.kinds if kind in _BY_ROOM)
    return code


_BY_RULES = frozenset(
    {
        *(Kind.RESET, Kind.SILENCE, Kind.ERRORS, Kind.PARTIAL_ADDS, Kind.REFUSED_ADDS),
        *(Kind.PREEMPTION, Kind.UNUSABLE, Kind.START_TASK, Kind.SKEW),
    }
)
# Told to stop, or refused by the service for good, a run takes away what costs money.
_TAKES_ALL = frozenset({Kind.INTERRUPT, Kind.TERMINATE, Kind.REFUSED_ADDS})
_BY_ROOM = frozenset({Kind.FULL_DISK, Kind.SMALL_FILES})
_BY_DEATH = frozenset(
    {Kind.CLIENT_KILLED, Kind.KILLED_AT_REQUEST, Kind.KILLED_AT_JOURNAL, Kind.KILLED_AT_FILE}
)


def _arguments(play: Play) -> tuple[str, ...]:
    if play.home.directory() is not None:
        return ("resume",)
    # Nothing was written down, so nothing can have been made.
    isolation = ("--isolation", "none") if play.service is None else ()
    return ("run", "spec.yaml", "--output", "out", *isolation)


def _strike(play: Play, client: Client, blow: Blow) -> None:
    deadline = time.monotonic() + blow.at
    while time.monotonic() < deadline:
        if client.process.poll() is not None:
            return
        time.sleep(0.005)
    match blow.stroke:
        case Stroke.KILL_CLIENT:
            client.kill()
        case Stroke.INTERRUPT:
            client.send(signal.SIGINT)
            play.struck.add(Kind.INTERRUPT)
        case Stroke.TERMINATE:
            client.send(signal.SIGTERM)
            play.struck.add(Kind.TERMINATE)
        case Stroke.FREEZE:
            client.send(signal.SIGSTOP)
            play.struck.add(Kind.FREEZE if blow.seconds < _LONG_SECONDS else Kind.LONG_FREEZE)
            time.sleep(blow.seconds)
            client.send(signal.SIGCONT)
        case Stroke.SECOND_CLIENT:
            _start_second(play)
        case Stroke.KILL_EMULATOR:
            _kill_emulator(play, client, blow)


def _start_second(play: Play) -> None:
    if play.home.directory() is None:
        return
    play.struck.add(Kind.SECOND_CLIENT)
    second = play.home.start("resume")
    with suppress(HangError):
        second.wait()


def _kill_emulator(play: Play, client: Client, blow: Blow) -> None:
    if play.service is None:
        number = emulator_of(client)
        if number is not None:
            kill_process(number)
            play.struck.add(Kind.EMULATOR_KILLED)
        return
    play.service.kill()
    play.struck.add(Kind.EMULATOR_KILLED)
    time.sleep(blow.seconds)
    play.service.start()


def _note_settled(play: Play, attempt: Attempt, code: int) -> None:
    """Takes note of what is known to be done, while no client lives."""
    done = {
        event["task"]
        for event in play.home.events()
        if event["type"] == "task.finished" and event["succeeded"]
    }
    if _TAKES_ALL & set(attempt.kinds):
        # What was not home yet must be made again.
        play.interrupted = True
        play.settled.clear()
        if play.schedule.shape.rewound:
            done = set()
    elif play.service is not None:
        with suppress(LostError):
            done |= play.service.succeeded_tasks()
    executions = play.executions()
    for task in done:
        play.settled.setdefault(task, executions.get(task, 0))
