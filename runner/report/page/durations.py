"""How long tasks took: a histogram as SVG, and the numbers behind it.

It must not know what else the page shows.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

from runner.frozen import dataclass
from runner.report.as_text import format_seconds, plural
from runner.report.page.markup import table, text
from runner.report.trace import TaskRow, TaskState

_WIDTH, _HEIGHT, _FOOT = 960, 150, 22
_BARS = 32
_LETTER = 7
# Services tell times to the microsecond at most.
_MOST_DIGITS = 6
# Where the longest reach so much farther than so many of all, equal steps would show little.
_USUAL, _LONG_TAIL = 0.98, 1.6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bin:
    start: float
    end: float
    good: int
    bad: int


def durations_as_html(tasks: Iterable[TaskRow]) -> str:
    """The histogram and a line for each step; of tasks of which start and end are known."""
    known = [
        (row.step or "", seconds, row.state is TaskState.SUCCEEDED)
        for row in tasks
        if row.state in {TaskState.SUCCEEDED, TaskState.FAILED}
        and (seconds := row.run_seconds) is not None
    ]
    if not known:
        return '<p class="quiet">No task has ended of which the times are known.</p>'
    good = [seconds for _, seconds, succeeded in known if succeeded]
    bad = [seconds for _, seconds, succeeded in known if not succeeded]
    bins = _bins(good, bad)
    by_step: dict[str, list[float]] = {}
    for step, seconds, _ in known:
        by_step.setdefault(step, []).append(seconds)
    return (
        _chart(bins)
        + '<ul class="legend"><li><span class="swatch fill-good"></span>succeeded</li>'
        + '<li><span class="swatch fill-bad"></span>failed</li></ul>'
        + '<p class="quiet">The last attempt of each task, from when its node began with it to its'
        " end: downloads and uploads count. Where a few took much longer than the others, the last"
        " bar has all of these.</p>"
        + table(
            "Durations by step",
            ("step", "tasks#", "shortest#", "median#", "mean#", "95 % within#", "longest#"),
            (_numbers(step, sorted(values)) for step, values in by_step.items()),
        )
    )


def _numbers(step: str, values: Sequence[float]) -> tuple[str, ...]:
    shown = (
        values[0],
        _share(values, 0.5),
        math.fsum(values) / len(values),
        _share(values, 0.95),
        values[-1],
    )
    return (text(step or "all"), f"{len(values):,}", *(format_seconds(each) for each in shown))


def _share(values: Sequence[float], share: float) -> float:
    """The value that so many do not exceed; of sorted values."""
    return values[max(0, math.ceil(share * len(values)) - 1)]


def _bins(good: Sequence[float], bad: Sequence[float]) -> list[_Bin]:
    """Equal steps; where a few take much longer than the others, the last bar has these."""
    values = sorted((*good, *bad))
    least, most = values[0], values[-1]
    usual = _share(values, _USUAL)
    has_tail = most - least > _LONG_TAIL * (usual - least) > 0
    end = usual if has_tail else most
    count = 1 if least == end else min(_BARS, max(6, math.isqrt(len(values)) * 2))
    edges = [least + (end - least) * place / count for place in range(count + 1)]
    if has_tail:
        edges.append(most)
    goods, bads = _counts(good, edges), _counts(bad, edges)
    return [
        _Bin(start=start, end=stop, good=goods[place], bad=bads[place])
        for place, (start, stop) in enumerate(itertools.pairwise(edges))
    ]


def _counts(values: Iterable[float], edges: Sequence[float]) -> list[int]:
    counts = [0] * (len(edges) - 1)
    place = 0
    for value in sorted(values):
        while place < len(counts) - 1 and value >= edges[place + 1]:
            place += 1
        counts[place] += 1
    return counts


def _distinct(edges: Sequence[float]) -> list[str]:
    """Each as people say it, with as many digits as it takes to tell it from the next."""
    labels = [format_seconds(each) for each in edges]
    different = len(set(edges))
    for digits in range(_MOST_DIGITS + 1):
        if len(set(labels)) == different:
            break
        labels = [_finely(each, digits) for each in edges]
    return labels


def _finely(seconds: float, digits: int) -> str:
    """To the second, or so many digits of it: `0.682s`, `3m 05.2s`, `26h 02m 00s`."""
    minutes, rest = divmod(round(seconds, digits), 60)
    hours, minutes = divmod(int(minutes), 60)
    two = digits + 3 if digits else 2
    if hours:
        return f"{hours}h {minutes:02}m {rest:0{two}.{digits}f}s"
    return f"{minutes}m {rest:0{two}.{digits}f}s" if minutes else f"{rest:.{digits}f}s"


def _chart(bins: Sequence[_Bin]) -> str:
    most = max(each.good + each.bad for each in bins)
    width = min(_WIDTH / len(bins), 60)
    drawn = _HEIGHT - _FOOT - 14
    labels = _distinct([*(each.start for each in bins), bins[-1].end])
    parts = []
    for place, each in enumerate(bins):
        count = each.good + each.bad
        if not count:
            continue
        x, y = place * width, float(_HEIGHT - _FOOT)
        span = f"{labels[place]} to {labels[place + 1]}"
        parts.append(f"<g><title>{span}: {plural(count, 'task')}, {each.bad:,} failed</title>")
        for number, kind in ((each.good, "good"), (each.bad, "bad")):
            if number:
                height = max(1.5, drawn * number / most)
                y -= height
                parts.append(
                    f'<rect class="fill-{kind}" x="{x + 1:.1f}" y="{y:.1f}"'
                    f' width="{width - 2:.1f}" height="{height:.1f}"/>'
                )
        parts.append("</g>")
    foot = _HEIGHT - _FOOT
    parts.append(f'<line x1="0" x2="{width * len(bins):.1f}" y1="{foot}" y2="{foot}"/>')
    wide = max(map(len, labels)) * _LETTER
    every = max(1, len(bins) // 6, math.ceil(wide / width))
    parts += (
        f'<text x="{place * width + 1:.1f}" y="{_HEIGHT - 6}">{labels[place]}</text>'
        for place in range(0, len(bins), every)
    )
    parts.append(f'<text x="1" y="10">{plural(most, "task")}</text>')
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Histogram"><svg class="chart"'
        f' width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        ' aria-label="Histogram of durations; the table below has its numbers">'
        f"{''.join(parts)}</svg></div>"
    )
