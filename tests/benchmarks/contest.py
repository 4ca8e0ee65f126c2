"""A contest: who does the same work in turns, how often, and what the figures are held against.

It must not know what the work is.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from tests.benchmarks.measuring import FailedError
from tests.benchmarks.places import give_back_room, new_place
from tests.benchmarks.samples import Sample

OURS = "batch-run"
TIMES = "\N{MULTIPLICATION SIGN}"


class Bound(Enum):
    """On which side of its limit a figure has to be."""

    AT_MOST = "at most"
    AT_LEAST = "at least"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One who does the work: `once` does it in an empty folder, checks what came of it, and raises
    `FailedError` where that is not what it should be. `command` is what a person would type.
    """

    name: str
    command: str
    once: Callable[[Path], Sample]


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """One who should be there, and is not."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a figure is held against: `factor` times the same figure of a peer, and `plus`.

    Without a peer `plus` alone is the limit. Where neither a `factor` nor, without a peer, a `plus`
    is given, the figure is shown and not judged.
    """

    what: str
    figure: str = "wall_seconds"
    of: str = OURS
    beside: str | None = None
    factor: float | None = None
    plus: float = 0.0
    bound: Bound = Bound.AT_MOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """All that is ready to begin."""

    title: str
    contestants: Sequence[Contestant | Absent]
    targets: Sequence[Target]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one contestant has shown; `missing` says why there is nothing, or not all."""

    name: str
    command: str = ""
    samples: tuple[Sample, ...] = ()
    missing: str | None = None

    def median(self, figure: str) -> float | None:
        """None where nothing was measured."""
        if not self.samples:
            return None
        return statistics.median(sample.figure(figure) for sample in self.samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A target beside what was measured; `met` is None where nothing is to be judged."""

    what: str
    figure: str
    of: str
    ours: float | None
    beside: str | None
    theirs: float | None
    limit: float | None
    bound: Bound
    words: str
    """The target as people write it."""

    @property
    def ratio(self) -> float | None:
        """Ours to theirs."""
        if self.ours is None or not self.theirs:
            return None
        return self.ours / self.theirs

    @property
    def met(self) -> bool | None:
        """Whether the figure is on its side of the limit."""
        if self.ours is None or self.limit is None:
            return None
        if self.bound is Bound.AT_MOST:
            return self.ours <= self.limit
        return self.ours >= self.limit


@dataclass(slots=True)
class Standings:
    """What is known of a contest so far."""

    contest: Contest
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def entries(self) -> tuple[Entry, ...]:
        """One for each that takes part, or should."""
        found = []
        for each in self.contest.contestants:
            match each:
                case Absent(name=name, why=why):
                    found.append(Entry(name=name, missing=why))
                case Contestant(name=name, command=command):
                    found.append(
                        Entry(
                            name=name,
                            command=command,
                            samples=tuple(self.samples.get(name, ())),
                            missing=self.failures.get(name),
                        )
                    )
        return tuple(found)


def compete(
    contest: Contest, *, rounds: int, warm_ups: int, folder: Path, tell: Callable[[str], None]
) -> Standings:
    """Has all do the work in turns, so that what disturbs the machine disturbs all of them.

    Another one begins each round. Whoever fails takes part no longer, and it is said why.
    """
    standings = Standings(contest)
    there = [each for each in contest.contestants if isinstance(each, Contestant)]
    for number in range(warm_ups + rounds):
        first = number % len(there) if there else 0
        for contestant in (*there[first:], *there[:first]):
            if contestant.name in standings.failures:
                continue
            place = new_place(folder)
            try:
                sample = contestant.once(place)
            except FailedError as error:
                standings.failures[contestant.name] = str(error)
                tell(f"  {contestant.name}: failed: {error}")
                continue
            finally:
                give_back_room(place)
            is_warm_up = number < warm_ups
            if not is_warm_up:
                standings.samples.setdefault(contestant.name, []).append(sample)
            which = "warm-up" if is_warm_up else f"round {number - warm_ups + 1}"
            tell(
                f"  {which}, {contestant.name}: {sample.wall_seconds:.3f} s,"
                f" {sample.cpu_seconds:.2f} s of CPU"
            )
    return standings


def judge(targets: Sequence[Target], entries: Sequence[Entry]) -> tuple[Verdict, ...]:
    """Every target, met or not; also those of which nothing was measured."""
    by_name: Mapping[str, Entry] = {entry.name: entry for entry in entries}
    return tuple(_judge(target, by_name) for target in targets)


def _judge(target: Target, entries: Mapping[str, Entry]) -> Verdict:
    own = entries.get(target.of)
    peer = entries.get(target.beside) if target.beside is not None else None
    theirs = None if peer is None else peer.median(target.figure)
    limit = None
    if target.beside is None:
        limit = target.plus or None
    elif target.factor is not None and theirs is not None:
        limit = target.factor * theirs + target.plus
    return Verdict(
        what=target.what,
        figure=target.figure,
        of=target.of,
        ours=None if own is None else own.median(target.figure),
        beside=target.beside,
        theirs=theirs,
        limit=limit,
        bound=target.bound,
        words=target_in_words(target),
    )


def target_in_words(target: Target) -> str:
    """Such as `≤ 0.8 times GNU parallel`."""
    sign = "≤" if target.bound is Bound.AT_MOST else "≥"
    if target.beside is None:
        return f"{sign} {quantity(target.figure, target.plus)}" if target.plus else ""
    if target.factor is None:
        return ""
    more = f" + {quantity(target.figure, target.plus)}" if target.plus else ""
    return f"{sign} {target.factor:g} {TIMES} {target.beside}{more}"


def quantity(figure: str, value: float) -> str:
    """A figure with its unit, which the figure's name says."""
    if figure.endswith("_seconds"):
        return f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.2f} ms"
    if figure.endswith("_bytes"):
        return f"{value / 1e6:.0f} MB"
    if figure.endswith("_per_second"):
        return f"{value:,.0f}/s"
    return f"{value:,.0f}"
