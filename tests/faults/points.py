"""`python -m tests.faults.points`: every point of a run and of a resume, each killed at.

A point is a request to a service, a line of the journal or a change of a file. They are listed by
a run that nothing happens to; then each is killed at: before it, within the line, and after the
service has done what was asked and before the answer is seen. It must not know what a point is for.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.disasters import Attempt, Kind, Schedule
from tests.faults.oracle import judge
from tests.faults.play import playing
from tests.faults.shapes import Shape, make_shape
from tests.faults.verdicts import Verdict, try_schedule

_KINDS: Mapping[str, Kind] = {
    "request": Kind.KILLED_AT_REQUEST,
    "journal": Kind.KILLED_AT_JOURNAL,
    "file": Kind.KILLED_AT_FILE,
}
_WHENS: Mapping[str, tuple[str, ...]] = {
    "request": ("before", "after"),
    "journal": ("before", "torn", "after"),
    "file": ("before",),
}
# A resume has something to do: some tasks are home, and others are not.
_HALF_DONE = Attempt(
    kinds=(Kind.KILLED_AT_JOURNAL,),
    victim={"kind": "journal", "name": "events.jsonl task.finished", "nth": 2, "when": "after"},
)
PRELUDES: Mapping[str, tuple[Attempt, ...]] = {"run": (), "resume": (_HALF_DONE,)}
START = "<!-- points: python -m tests.faults.points --write -->"
END = "<!-- end of points -->"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Something that a command does: `nth` of the requests, lines or changes of this name."""

    command: str
    kind: str
    name: str
    nth: int

    def orders(self, when: str) -> dict[str, Any]:
        """For the victim."""
        return {"kind": self.kind, "name": self.name, "nth": self.nth, "when": when}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One death, and the schedule that brings it about."""

    point: Point
    when: str
    schedule: Schedule

    def describe(self) -> str:
        """One line for people."""
        point = self.point
        return f"{point.command}: {point.name} ({point.kind} {point.nth}), killed {self.when}"


def points_shape() -> Shape:
    """Three steps, a container that stays in the services, and tasks that need others."""
    return make_shape("chain", Random(5))


def list_points(command: str, root: Path) -> list[Point]:
    """What a command does when nothing happens to it: the first, a middle and the last of each."""
    folder = root / f"points-of-{command}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    trace = folder / "trace"
    last = Attempt(victim={"trace": str(trace)})
    attempts = (*PRELUDES[command], last)
    schedule = Schedule(seed=0, shape=points_shape(), target="azure", attempts=attempts)
    with playing(schedule, folder) as play:
        wrong = judge(play)
    assert not wrong, wrong
    lines = trace.read_text().splitlines()
    counts = Counter((kind, name) for kind, _, name in (line.partition("\t") for line in lines))
    shutil.rmtree(folder)
    return [
        Point(command=command, kind=kind, name=name, nth=nth)
        for (kind, name), count in counts.items()
        for nth in sorted({1, count} if kind == "file" else {1, (count + 1) // 2, count})
    ]


def plan_kills(points: Sequence[Point]) -> Iterator[Kill]:
    """All deaths at all points."""
    number = 0
    for point in points:
        for when in _WHENS[point.kind]:
            number += 1
            death = Attempt(kinds=(_KINDS[point.kind],), victim=point.orders(when))
            attempts = (*PRELUDES[point.command], death)
            schedule = Schedule(
                seed=number, shape=points_shape(), target="azure", attempts=attempts
            )
            yield Kill(point=point, when=when, schedule=schedule)


def try_kill(kill: Kill, root: Path) -> Verdict:
    """Plays and judges it; `struck` tells whether the client came to the point."""
    return try_schedule(kill.schedule, root / kill.point.command)


def write_table(points: Sequence[Point]) -> str:
    """The points in Markdown, one line a name."""
    names: dict[tuple[str, str], set[str]] = {}
    for point in points:
        names.setdefault((point.kind, point.name), set()).add(point.command)
    lines = ["| point | killed | in |", "|---|---|---|"]
    for (kind, name), commands in sorted(names.items()):
        whens = ", ".join(_WHENS[kind])
        lines.append(f"| {kind} `{name}` | {whens} | {', '.join(sorted(commands, reverse=True))} |")
    return "\n".join(lines)


def write_page(points: Sequence[Point]) -> None:
    """Puts the table where the page of the docs has it."""
    before, _, rest = PAGE.read_text().partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}\n\n{write_table(points)}\n\n{END}{after}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: whether all deaths were survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.points", description=__doc__)
    parser.add_argument("--command", choices=tuple(PRELUDES), help="only its points")
    parser.add_argument("--list", action="store_true", help="only list them")
    parser.add_argument("--write", action="store_true", help="write the list into docs/faults.md")
    parser.add_argument("--first", action="store_true", help="only the first of each name")
    parser.add_argument("--skip", type=int, default=0, help="not the first so many deaths")
    parser.add_argument("--match", default="", help="only points whose name holds this")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--folder", type=Path, help="where they are played (default: a new one)")
    given = parser.parse_args(arguments)
    root = given.folder or Path(tempfile.mkdtemp(prefix="points-"))
    commands = [given.command] if given.command else list(PRELUDES)
    points = [point for command in commands for point in list_points(command, root)]
    if given.write:
        write_page(points)
    if given.list:
        print(write_table(points))
        return 0
    kills = [
        kill
        for kill in plan_kills(points)
        if given.match in kill.point.name
        and (kill.point.nth == 1 or not given.first)
        and kill.schedule.seed > given.skip
    ]
    print(f"{len(points)} points, {len(kills)} deaths, in {root}", flush=True)
    verdicts: list[Verdict] = []
    with ThreadPoolExecutor(given.jobs) as pool:
        for verdict in pool.map(lambda kill: _report(kill, try_kill(kill, root)), kills):
            verdicts.append(verdict)
            if len(verdicts) % 25 == 0:
                print(f"{len(verdicts)} died", flush=True)
    held = sum(not verdict.wrong for verdict in verdicts)
    missed = sum(_is_missed(kill, verdict) for kill, verdict in zip(kills, verdicts, strict=True))
    print(f"{len(kills)} deaths: {held} held; {missed} did not come to their point")
    return 0 if held == len(kills) else 1


def _is_missed(kill: Kill, verdict: Verdict) -> bool:
    return _KINDS[kill.point.kind] not in verdict.struck


def _report(kill: Kill, verdict: Verdict) -> Verdict:
    if verdict.wrong:
        lines = [kill.describe(), *(f"  {each}" for each in verdict.wrong)]
        print("\n".join([*lines, f"  kept: {verdict.folder}"]), flush=True)
    elif _is_missed(kill, verdict):
        print(f"{kill.describe()}: did not come to it", flush=True)
    return verdict


if __name__ == "__main__":
    sys.exit(main())
