"""What a fault is: its effect, what it may strike, and when it does.

It must not know how a rule is written, nor how an effect is brought about.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from fnmatch import fnmatchcase
from typing import TypeAlias

from runner.emulator.storage.record import record


class Stage(Enum):
    """When an answer fails: the request is not looked at, is done all the same, or half told of."""

    BEFORE = "before"
    AFTER = "after"
    BODY = "body"


@record(frozen=True, slots=True, kw_only=True)
class Latency:
    """The answer is late, by a length drawn evenly from between the two."""

    shortest: timedelta
    longest: timedelta


@record(frozen=True, slots=True, kw_only=True)
class ErrorAnswer:
    """The service answers with an error in its own form; None for its usual code."""

    status: int
    code: str | None
    retry_after: timedelta | None
    stage: Stage


@record(frozen=True, slots=True, kw_only=True)
class Reset:
    """The connection is reset."""

    stage: Stage


@record(frozen=True, slots=True, kw_only=True)
class Silence:
    """Nothing is answered until the client gives up, or the connection is reset after `length`."""

    stage: Stage
    length: timedelta | None


@record(frozen=True, slots=True, kw_only=True)
class TaskError:
    """A task of a collection is not added, while others of the same request are."""

    blame: str
    """`ServerError` or `ClientError`, as the service writes it."""
    code: str | None


class Transfer(Enum):
    """What a node moves for a task: resource files before its command, output files after it."""

    DOWNLOAD = "download-error"
    UPLOAD = "upload-error"


@record(frozen=True, slots=True, kw_only=True)
class TransferFailure:
    """A node cannot bring a task's files, or send them, with one of the service's codes."""

    transfer: Transfer
    code: str


@record(frozen=True, slots=True, kw_only=True)
class StartTaskFailure:
    """A start task ends with an exit code, without having run."""

    exit_code: int


@record(frozen=True, slots=True, kw_only=True)
class ResizeError:
    """A resize ends at once, without new nodes."""

    code: str


class Loss(Enum):
    """How nodes are lost: spot nodes are taken away, or nodes break."""

    PREEMPTED = "preempt"
    UNUSABLE = "unusable"


@record(frozen=True, slots=True, kw_only=True)
class NodeLoss:
    """Nodes of a pool are lost: so many, or a share of those that there are, rounded up.

    It is due `delay` after the rule was given and when `tasks` tasks have ended on such pools
    since, and then each `interval`.
    """

    loss: Loss
    nodes: int | None
    share: float | None
    delay: timedelta
    tasks: int
    interval: timedelta | None


@record(frozen=True, slots=True, kw_only=True)
class Skew:
    """The emulator's clock is wrong by an offset; positive is ahead."""

    offset: timedelta


Effect: TypeAlias = (
    Latency
    | ErrorAnswer
    | Reset
    | Silence
    | TaskError
    | TransferFailure
    | StartTaskFailure
    | ResizeError
    | NodeLoss
    | Skew
)
RequestEffect: TypeAlias = Latency | ErrorAnswer | Reset | Silence


@record(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a rule may strike: patterns with `*`, `?` and `[...]`, by what they are held against.

    `service`, `account` and `operation` of requests; `account`, `job` and `task` of tasks;
    `account`, `pool` and `node` of nodes. What a rule does not name is anything.
    """

    patterns: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def covers(self, subject: Mapping[str, str]) -> bool:
        """Whether each pattern fits; ids and names in whatever case."""
        return all(
            any(fnmatchcase(subject.get(name, "").lower(), pattern) for pattern in patterns)
            for name, patterns in self.patterns
        )


@record(frozen=True, slots=True, kw_only=True)
class Occasion:
    """How often a rule strikes what it may strike.

    Not the first `after`; of the others each `every`th, with probability `rate`, until it has
    struck `first` times.
    """

    rate: float = 1.0
    every: int = 1
    after: int = 0
    first: int | None = None


@record(frozen=True, slots=True, kw_only=True)
class Rule:
    """One fault; `words` is how it was asked for."""

    effect: Effect
    scope: Scope
    occasion: Occasion
    words: tuple[tuple[str, str], ...]
