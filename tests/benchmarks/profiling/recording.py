"""Runs the command, by itself and under py-spy, and adds up where the time went.

By itself it is measured: what its processes used, as users and in system calls. py-spy says what
held the interpreter's lock, and so how the former is to be parted. It must not know what the parts
of a program are, nor how they are shown.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.profiling.folding import SYSTEM, UNSEEN, count_parts, parse_stacks
from tests.benchmarks.samples import Cost, Sample

RATE = 200
"""Samples in a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Processor seconds of the processes of one role, by part; the parts add up to `seconds`."""

    role: str
    seconds: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Where the processor time of one run of the command goes."""

    title: str
    bars: tuple[Bar, ...]

    @property
    def seconds(self) -> float:
        """All of it."""
        return sum(bar.seconds for bar in self.bars)


def recording_command(spy: Path, file: Path, command: Sequence[str | Path]) -> list[str | Path]:
    """The command under py-spy, whose samples go to a file."""
    options = ["--format", "raw", "--gil", "--subprocesses", "--nolineno", "--full-filenames"]
    return [spy, "record", *options, "--rate", str(RATE), "--output", file, "--", *command]


def record(
    once: Callable[[], Sample],
    spied: Callable[[], Path],
    *,
    title: str,
    rounds: int,
    tell: Callable[[str], None],
) -> Profile:
    """Medians of what a command used, in parts.

    `once` measures it, `spied` runs it under py-spy and gives the file of samples; in turns.
    """
    samples: list[Sample] = []
    counts: dict[str, Counter[str]] = {}
    for number in range(rounds):
        samples.append(once())
        with spied().open(encoding="utf-8") as stream:
            for role, parts in count_parts(parse_stacks(stream)).items():
                counts.setdefault(role, Counter()).update(parts)
        tell(f"  round {number + 1}: {samples[-1].cpu_seconds:.2f} s of CPU")
    roles = dict.fromkeys(cost.role for sample in samples for cost in sample.costs)
    return Profile(
        title=title,
        bars=tuple(
            make_bar(_median_cost(samples, role), counts.get(role, Counter()), rounds)
            for role in roles
        ),
    )


def make_bar(cost: Cost, counts: Counter[str], rounds: int) -> Bar:
    """What a role has used, in parts: system calls as measured, and of the rest as much as samples
    of so many rounds speak of. What they do not speak of is a part of its own.

    A process may hold the lock and wait for a core: samples that speak of more time than was used
    are shares of it.
    """
    held = counts.total() / RATE / rounds
    if not held:
        return Bar(role=cost.role, seconds=cost.seconds, parts={cost.role: cost.seconds})
    share = min(1.0, cost.user_seconds / held)
    parts = {part: number / RATE / rounds * share for part, number in counts.most_common()}
    parts[SYSTEM] = cost.system_seconds
    parts[UNSEEN] = cost.user_seconds - held * share
    return Bar(role=cost.role, seconds=cost.seconds, parts=parts)


def _median_cost(samples: Sequence[Sample], role: str) -> Cost:
    costs = [cost for sample in samples for cost in sample.costs if cost.role == role]
    return Cost(
        role=role,
        user_seconds=statistics.median(cost.user_seconds for cost in costs),
        system_seconds=statistics.median(cost.system_seconds for cost in costs),
    )
