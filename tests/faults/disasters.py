"""What may go wrong in a run, and schedules of it that follow from a seed alone.

It must not know how a disaster is brought about, nor what a run makes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Any, Literal

from tests.faults.service import Rule
from tests.faults.shapes import Shape, draw_shape

Target = Literal["azure", "local"]


class Kind(Enum):
    """All that may go wrong, in the words of the report."""

    CLIENT_KILLED = "client killed at a moment"
    KILLED_AT_REQUEST = "client killed at a request"
    KILLED_AT_JOURNAL = "client killed at a journal write"
    KILLED_AT_FILE = "client killed at a file change"
    EMULATOR_KILLED = "emulator killed"
    RESET = "connection resets"
    SILENCE = "time-outs"
    ERRORS = "429, 500, 503"
    PARTIAL_ADDS = "partial additions"
    REFUSED_ADDS = "refused additions"
    PREEMPTION = "preemption"
    UNUSABLE = "unusable nodes"
    START_TASK = "start task failures"
    SKEW = "clock skew"
    FULL_DISK = "full disk"
    SMALL_FILES = "files that cannot grow"
    INTERRUPT = "SIGINT"
    TERMINATE = "SIGTERM"
    SECOND_CLIENT = "second client"
    FREEZE = "frozen client"
    LONG_FREEZE = "client frozen beyond its lease"


class Stroke(Enum):
    """What is done to processes while an attempt runs."""

    KILL_CLIENT = "kill client"
    KILL_EMULATOR = "kill emulator"
    INTERRUPT = "interrupt"
    TERMINATE = "terminate"
    FREEZE = "freeze"
    SECOND_CLIENT = "second client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """A stroke, so many seconds after the client was started; `seconds` is how long it holds."""

    stroke: Stroke
    at: float
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One life of a client, and all that goes wrong in it."""

    kinds: tuple[Kind, ...] = ()
    rules: tuple[Rule, ...] = ()
    """Faults of the emulator, taken back when the client has ended."""
    victim: Mapping[str, Any] | None = None
    """Where the client kills itself."""
    blows: tuple[Blow, ...] = ()
    disk_bytes: int | None = None
    """What the user's folder has room for."""
    file_bytes: int | None = None
    """How large a file may become."""


CALM = Attempt()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One run: what it is of, where it goes, and its attempts; calm ones follow to its end."""

    seed: int
    shape: Shape
    target: Target
    attempts: tuple[Attempt, ...]

    @property
    def kinds(self) -> frozenset[Kind]:
        """All that goes wrong in it."""
        return frozenset(kind for attempt in self.attempts for kind in attempt.kinds)

    def describe(self) -> str:
        """One line for people."""
        lives = " | ".join(", ".join(each.value for each in a.kinds) for a in self.attempts)
        return (
            f"seed {self.seed}: {self.shape.name}, {self.shape.tasks} tasks, {self.target}: {lives}"
        )


def draw_schedule(
    seed: int,
    *,
    long: bool = False,
    kinds: Sequence[Kind] = (),
    target: Target | None = None,
) -> Schedule:
    """The schedule of a seed; `long` ones may take minutes, `kinds` are all that may go wrong."""
    random = Random(seed)
    drawn: Target = "local" if random.random() < 0.2 else "azure"
    target = target or drawn
    shape = draw_shape(random)
    count = random.choice((1, 1, 2, 2, 3))
    attempts: list[Attempt] = []
    for _ in range(count):
        lost = any(_LAME & set(attempt.kinds) for attempt in attempts)
        attempts.append(_draw_attempt(random, target, long, kinds, spared=lost))
    return Schedule(seed=seed, shape=shape, target=target, attempts=tuple(attempts))


def _draw_attempt(
    random: Random, target: Target, long: bool, kinds: Sequence[Kind], *, spared: bool
) -> Attempt:
    """All that goes wrong in one attempt; `spared` nodes do not break for good."""
    table = [
        (kind, weight)
        for kind, weight in (_LOCAL if target == "local" else _AZURE).items()
        if (not kinds or kind in kinds) and (long or kind is not Kind.LONG_FREEZE)
    ]
    attempt = Attempt()
    for _ in range(random.choice((1, 1, 2, 2, 3)) if table else 0):
        (kind,) = random.choices([k for k, _ in table], [w for _, w in table])
        # One of two nodes may break: without any, a run rightly ends in another way.
        is_last_node = kind in _LAME and (spared or _LAME & set(attempt.kinds))
        if kind not in attempt.kinds and not is_last_node:
            attempt = _join(attempt, _DRAW[kind](random), kind)
    return attempt


def _join(first: Attempt, second: Attempt, kind: Kind) -> Attempt:
    return Attempt(
        kinds=(*first.kinds, kind),
        rules=(*first.rules, *second.rules),
        victim=first.victim or second.victim,
        blows=(*first.blows, *second.blows),
        disk_bytes=first.disk_bytes or second.disk_bytes,
        file_bytes=first.file_bytes or second.file_bytes,
    )


_LAME = frozenset({Kind.UNUSABLE, Kind.START_TASK})
_AZURE: Mapping[Kind, int] = {
    Kind.CLIENT_KILLED: 6,
    Kind.KILLED_AT_REQUEST: 5,
    Kind.KILLED_AT_JOURNAL: 4,
    Kind.KILLED_AT_FILE: 3,
    Kind.EMULATOR_KILLED: 5,
    Kind.RESET: 4,
    Kind.SILENCE: 2,
    Kind.ERRORS: 4,
    Kind.PARTIAL_ADDS: 3,
    Kind.REFUSED_ADDS: 1,
    Kind.PREEMPTION: 3,
    Kind.UNUSABLE: 2,
    Kind.START_TASK: 2,
    Kind.SKEW: 2,
    Kind.FULL_DISK: 2,
    Kind.SMALL_FILES: 2,
    Kind.INTERRUPT: 2,
    Kind.TERMINATE: 2,
    Kind.SECOND_CLIENT: 3,
    Kind.FREEZE: 2,
    Kind.LONG_FREEZE: 2,
}
_LOCAL: Mapping[Kind, int] = {
    Kind.CLIENT_KILLED: 5,
    Kind.KILLED_AT_REQUEST: 4,
    Kind.KILLED_AT_JOURNAL: 3,
    Kind.KILLED_AT_FILE: 2,
    Kind.EMULATOR_KILLED: 4,
    Kind.INTERRUPT: 2,
    Kind.TERMINATE: 2,
    Kind.SECOND_CLIENT: 2,
    Kind.FREEZE: 1,
}


def _moment(random: Random) -> float:
    """A run takes some seconds, of which the first half second makes nothing."""
    return round(random.uniform(0.3, 3.5), 3)


def _blow(stroke: Stroke, seconds: tuple[float, float] = (0, 0)) -> Callable[[Random], Attempt]:
    def draw(random: Random) -> Attempt:
        lasts = round(random.uniform(*seconds), 3)
        return Attempt(blows=(Blow(stroke=stroke, at=_moment(random), seconds=lasts),))

    return draw


def _victim(kind: str, most: int, *whens: str) -> Callable[[Random], Attempt]:
    def draw(random: Random) -> Attempt:
        when = random.choice(whens)
        return Attempt(victim={"kind": kind, "nth": random.randint(1, most), "when": when})

    return draw


_OPERATIONS: tuple[Mapping[str, Any], ...] = (
    *({}, {}, {"service": "batch"}, {"service": "blob"}),
    {"operation": ["create_job", "create_task_collection", "create_container", "put_blob"]},
    {"operation": ["list_tasks", "get_job", "get_pool", "list_blobs", "get_blob"]},
    {"operation": ["delete_job", "delete_pool", "delete_container", "update_job"]},
)


def _rules(faults: Sequence[str], most: int, **more: Any) -> Callable[[Random], Attempt]:
    """One to three rules, which strike so rarely that tries of the client get through."""

    def draw(random: Random) -> Attempt:
        rules = tuple(
            {
                "fault": random.choice(faults),
                "rate": random.choice((0.05, 0.15, 0.3, 1.0)),
                "first": random.randint(1, most),
                **random.choice(_OPERATIONS),
                **more,
            }
            for _ in range(random.randint(1, 3))
        )
        return Attempt(rules=rules)

    return draw


def _errors(random: Random) -> Attempt:
    faults = [f"{code}{stage}" for code in (429, 500, 503) for stage in ("", "=after")]
    rules = []
    for rule in _rules(faults, 4)(random).rules:
        can_wait = not str(rule["fault"]).startswith("500")
        wait = {"retry-after": random.choice(("0s", "1s", "none"))} if can_wait else {}
        rules.append({**rule, **wait})
    return Attempt(rules=tuple(rules))


def _partial_adds(random: Random) -> Attempt:
    rule = {"fault": "task-error=ServerError", "rate": 0.5, "first": random.randint(1, 6)}
    return Attempt(rules=(rule,))


def _refused_adds(random: Random) -> Attempt:
    return Attempt(rules=({"fault": "task-error=ClientError", "rate": 0.3, "first": 1},))


def _lost_nodes(fault: str) -> Callable[[Random], Attempt]:
    def draw(random: Random) -> Attempt:
        when = random.choice(
            ({"tasks": random.randint(1, 4)}, {"at": f"{random.randint(1, 30)}00ms"})
        )
        return Attempt(rules=({"fault": fault, "nodes": 1, **when},))

    return draw


def _start_task(random: Random) -> Attempt:
    return Attempt(rules=({"fault": "start-task-failure", "first": 1},))


def _skew(random: Random) -> Attempt:
    return Attempt(rules=({"fault": f"clock={random.choice('+-')}{random.choice((2, 10, 20))}m"},))


def _full_disk(random: Random) -> Attempt:
    return Attempt(disk_bytes=random.choice((4, 12, 24, 36, 48, 64, 80, 100)) * 1024)


def _small_files(random: Random) -> Attempt:
    return Attempt(file_bytes=random.randint(2_000, 12_000))


_DRAW: Mapping[Kind, Callable[[Random], Attempt]] = {
    Kind.CLIENT_KILLED: _blow(Stroke.KILL_CLIENT),
    Kind.KILLED_AT_REQUEST: _victim("request", 60, "before", "after"),
    Kind.KILLED_AT_JOURNAL: _victim("journal", 30, "before", "torn", "after"),
    Kind.KILLED_AT_FILE: _victim("file", 60, "before"),
    Kind.EMULATOR_KILLED: _blow(Stroke.KILL_EMULATOR, (0.0, 2.0)),
    Kind.RESET: _rules(("reset", "reset=after", "reset=body"), 3),
    Kind.SILENCE: _rules(("timeout", "timeout=after"), 2, **{"for": "1s"}),
    Kind.ERRORS: _errors,
    Kind.PARTIAL_ADDS: _partial_adds,
    Kind.REFUSED_ADDS: _refused_adds,
    Kind.PREEMPTION: _lost_nodes("preempt"),
    Kind.UNUSABLE: _lost_nodes("unusable"),
    Kind.START_TASK: _start_task,
    Kind.SKEW: _skew,
    Kind.FULL_DISK: _full_disk,
    Kind.SMALL_FILES: _small_files,
    Kind.INTERRUPT: _blow(Stroke.INTERRUPT),
    Kind.TERMINATE: _blow(Stroke.TERMINATE),
    Kind.SECOND_CLIENT: _blow(Stroke.SECOND_CLIENT),
    Kind.FREEZE: _blow(Stroke.FREEZE, (0.5, 3.0)),
    Kind.LONG_FREEZE: _blow(Stroke.FREEZE, (70.0, 80.0)),
}
