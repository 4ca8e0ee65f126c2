"""What came of schedules: each played and judged in a folder of its own; all of them in a table.

It must not know which schedules there are, nor who wants to know.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.disasters import Kind, Schedule
from tests.faults.oracle import judge
from tests.faults.play import playing


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a schedule."""

    schedule: Schedule
    wrong: tuple[str, ...]
    struck: frozenset[Kind]
    attempts: int
    seconds: float
    folder: Path | None
    """Kept where something is wrong."""


def try_schedule(
    schedule: Schedule, root: Path, *, keep: bool = False, azurite: Path | None = None
) -> Verdict:
    """Plays and judges it in a folder of its own below `root`; see `playing` for `azurite`."""
    folder = root / f"seed-{schedule.seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    with playing(schedule, folder, azurite=azurite) as play:
        wrong = judge(play)
        if (wrong or keep) and play.home.folder.is_mount():
            # A disk of its own would take what is to be looked at with it.
            shutil.copytree(play.home.folder, folder / "kept", symlinks=True)
    if not wrong and not keep:
        shutil.rmtree(folder)
    return Verdict(
        schedule=schedule,
        wrong=tuple(wrong),
        struck=frozenset(play.struck),
        attempts=len(play.codes),
        seconds=time.monotonic() - began,
        folder=folder if wrong or keep else None,
    )


def describe(verdict: Verdict) -> str:
    """What is wrong with it, and how to see it again."""
    lines = [verdict.schedule.describe(), *(f"  {each}" for each in verdict.wrong)]
    lines.append(f"  again: python -m tests.faults --replay {verdict.schedule.seed}")
    if verdict.folder is not None:
        lines.append(f"  kept: {verdict.folder}")
    return "\n".join(lines)


def table(verdicts: Sequence[Verdict]) -> str:
    """How many were played and how many held, by kind."""
    played: Counter[Kind] = Counter()
    struck: Counter[Kind] = Counter()
    held: Counter[Kind] = Counter()
    for verdict in verdicts:
        for kind in verdict.schedule.kinds:
            played[kind] += 1
            struck[kind] += kind in verdict.struck
            held[kind] += not verdict.wrong
    lines = [f"{'':32} played  struck  held"]
    lines += [
        f"{kind.value:32} {played[kind]:6}  {struck[kind]:6}  {held[kind]:4}"
        for kind in Kind
        if played[kind]
    ]
    good = sum(not verdict.wrong for verdict in verdicts)
    attempts = sum(verdict.attempts for verdict in verdicts)
    lines.append(f"{len(verdicts)} schedules, {attempts} clients, {good} held")
    return "\n".join(lines)
