"""Turns, medians and verdicts, with contestants that do nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.benchmarks.contest import (
    OURS,
    Absent,
    Bound,
    Contest,
    Contestant,
    Entry,
    Target,
    compete,
    judge,
    quantity,
    target_in_words,
)
from tests.benchmarks.measuring import FailedError
from tests.benchmarks.samples import Cost, Sample


def sampled(seconds: float, **figures: float) -> Sample:
    return Sample(wall_seconds=seconds, figures=figures)


def entry(name: str, *seconds: float) -> Entry:
    return Entry(name=name, samples=tuple(map(sampled, seconds)))


class Doer:
    """Does the work in as many seconds as it is told, or fails."""

    def __init__(self, name: str, seconds: Iterable[float | None], turns: list[str]) -> None:
        self.name = name
        self._seconds = iter(seconds)
        self._turns = turns

    def once(self, place: Path) -> Sample:
        assert not list(place.iterdir())
        (place / "output").write_text("something that is deleted at the end only")
        (place / "large").write_bytes(bytes(1_000_001))
        self._turns.append(self.name)
        seconds = next(self._seconds)
        if seconds is None:
            raise FailedError(f"{self.name} has failed\nfor a reason")
        return sampled(seconds)

    def contestant(self) -> Contestant:
        return Contestant(name=self.name, command=f"do {self.name}", once=self.once)


def test_contestants_take_turns_and_another_one_begins_each_round(tmp_path: Path) -> None:
    turns: list[str] = []
    doers = [Doer(name, [9, 1, 2, 3], turns) for name in ("a", "b")]
    contest = Contest(title="t", contestants=[each.contestant() for each in doers], targets=())
    lines: list[str] = []
    standings = compete(contest, rounds=3, warm_ups=1, folder=tmp_path, tell=lines.append)
    assert turns == ["a", "b", "b", "a", "a", "b", "b", "a"]
    # The round to warm up does not count.
    assert [[sample.wall_seconds for sample in entry.samples] for entry in standings.entries()] == [
        [1, 2, 3],
        [1, 2, 3],
    ]
    assert lines[0] == "  warm-up, a: 9.000 s, 0.00 s of CPU"
    assert lines[2] == "  round 1, b: 1.000 s, 0.00 s of CPU"
    # Each had a folder of its own, of which nothing was deleted but what is in large files.
    assert sorted(path.stat().st_size for path in tmp_path.glob("*/output")) == [41] * 8
    assert sorted(path.stat().st_size for path in tmp_path.glob("*/large")) == [0] * 8


def test_who_fails_is_out_and_says_why_and_who_is_absent_is_named(tmp_path: Path) -> None:
    turns: list[str] = []
    doers = [Doer("a", [1, None], turns), Doer("b", [2, 2, 2], turns)]
    contest = Contest(
        title="t",
        contestants=[*(each.contestant() for each in doers), Absent(name="c", why="not here")],
        targets=(),
    )
    standings = compete(contest, rounds=3, warm_ups=0, folder=tmp_path, tell=lambda line: None)
    first, second, third = standings.entries()
    assert turns == ["a", "b", "b", "a", "b"]
    assert first.missing == "a has failed\nfor a reason"
    assert len(first.samples) == 1
    assert (second.missing, len(second.samples)) == (None, 3)
    assert third == Entry(name="c", missing="not here")


def test_a_ratio_is_of_medians_and_a_limit_of_the_peers_median() -> None:
    target = Target(what="wall", beside="make", factor=1.25, plus=1.0)
    entries = [entry(OURS, 3.0, 1.0, 2.0), entry("make", 1.0, 8.0, 0.5)]
    (verdict,) = judge([target], entries)
    assert (verdict.ours, verdict.theirs, verdict.limit) == (2.0, 1.0, 2.25)
    assert (verdict.ratio, verdict.met) == (2.0, True)
    (verdict,) = judge([target], [entry(OURS, 2.5), entry("make", 1.0)])
    assert verdict.met is False


def test_a_figure_that_is_to_be_large() -> None:
    target = Target(what="tasks", figure="per_second", plus=500, bound=Bound.AT_LEAST)
    for measured, met in ((499.0, False), (500.0, True)):
        sample = sampled(1.0, per_second=measured)
        (verdict,) = judge([target], [Entry(name=OURS, samples=(sample,))])
        assert verdict.met is met


def test_what_is_not_measured_is_neither_met_nor_missed() -> None:
    targets = [
        Target(what="wall", beside="make", factor=1.0),
        Target(what="wall", beside="xargs"),
        Target(what="memory", figure="transfers"),
        Target(what="wall", of="nobody", plus=1.0),
    ]
    without = Entry(name="make", missing="not here")
    own = Entry(name=OURS, samples=(sampled(2.0, transfers=4.0),))
    verdicts = judge(targets, [own, without, entry("xargs", 1.0)])
    assert [verdict.met for verdict in verdicts] == [None, None, None, None]
    assert [verdict.ratio for verdict in verdicts] == [None, 2.0, None, None]
    assert [verdict.ours for verdict in verdicts] == [2.0, 2.0, 4.0, None]


def test_targets_and_figures_in_words() -> None:
    made = {
        "≤ 0.8 \N{MULTIPLICATION SIGN} make": Target(what="", beside="make", factor=0.8),
        "≤ 1.25 \N{MULTIPLICATION SIGN} make + 1.00 s": Target(
            what="", beside="make", factor=1.25, plus=1.0
        ),
        "≤ 150 MB": Target(what="", figure="client_peak_bytes", plus=150e6),
        "≥ 3,300/s": Target(what="", figure="tasks_per_second", plus=3300, bound=Bound.AT_LEAST),
        "≤ 60": Target(what="", figure="requests", plus=60),
        "": Target(what="", beside="make"),
    }
    for words, target in made.items():
        assert target_in_words(target) == words
    assert quantity("wall_seconds", 0.0123) == "12.30 ms"
    assert quantity("wall_seconds", 1.5) == "1.50 s"


def test_figures_that_every_sample_has() -> None:
    costs = (
        Cost(role="client", user_seconds=1.0, system_seconds=0.5, peak_bytes=100),
        Cost(role="emulator", user_seconds=2.0, system_seconds=0.0, peak_bytes=300),
        Cost(role="tasks", user_seconds=0.25, system_seconds=0.25),
    )
    sample = Sample(wall_seconds=4.0, costs=costs, figures={"requests": 7})
    names = ("wall_seconds", "cpu_seconds", "peak_bytes", "client_peak_bytes", "requests")
    assert [sample.figure(name) for name in names] == [4.0, 4.0, 300.0, 100.0, 7]
