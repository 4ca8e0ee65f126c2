"""Shows results: as a table of a terminal, and as a table of a page between two markers.

It must not know how they were measured.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from tests.benchmarks.contest import OURS, TIMES, Verdict, quantity
from tests.benchmarks.results import Results, RowResult

BEGIN = "<!-- figures: begin -->"
END = "<!-- figures: end -->"
_HEADS = ("row", "what", "measured", "beside it", "ratio", "target", "met")


class MarkersError(Exception):
    """A page has no place for the figures."""


def as_text(results: Results) -> str:
    """A table with a line for each target, then who is missing."""
    lines = [_HEADS, *(line for row in results.rows for line in _lines(row))]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(_HEADS))]
    table = [
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
    return "\n".join([*table, "", *_notes(results)])


def as_markdown(results: Results) -> str:
    """The same for a page, with machine and versions."""
    titles = "\n".join(_markdown_rows(results.rows))
    parts = [_conditions(results), titles, "\n".join(f"- {note}" for note in _notes(results))]
    return "\n\n".join(part for part in parts if part)


def replace_between(page: str, begin: str, end: str, content: str) -> str:
    """The page with other content between two markers; `MarkersError` where it has none."""
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise MarkersError(f"the page has no `{begin}` with `{end}` behind it")
    return f"{before}{begin}\n\n{content}\n\n{end}{after}"


def _lines(row: RowResult) -> Iterator[tuple[str, ...]]:
    for verdict in row.verdicts:
        yield row.name, *_cells(verdict)
    if row.failure is not None:
        yield row.name, "not measured: " + row.failure.splitlines()[0], "", "", "", "", ""


def _cells(verdict: Verdict) -> tuple[str, str, str, str, str, str]:
    name = "" if verdict.of == OURS else f"{verdict.of}, "
    beside = ""
    if verdict.beside is not None:
        theirs = "?" if verdict.theirs is None else quantity(verdict.figure, verdict.theirs)
        beside = f"{verdict.beside}: {theirs}"
    ratio = "" if verdict.ratio is None else f"{verdict.ratio:.2f}"
    met = {True: "yes", False: "no", None: ""}[verdict.met]
    if verdict.met is None and verdict.words:
        met = "?"
    ours = "?" if verdict.ours is None else quantity(verdict.figure, verdict.ours)
    return f"{name}{verdict.what}", ours, beside, ratio, verdict.words, met


def _notes(results: Results) -> Iterator[str]:
    """Who was missing, or failed, and why; a peer is never just left out."""
    seen = set()
    for row in results.rows:
        for entry in row.entries:
            if entry.missing is not None:
                note = f"{entry.name}: {entry.missing.splitlines()[0]}"
                if note not in seen:
                    seen.add(note)
                    yield note


def _markdown_rows(rows: Sequence[RowResult]) -> Iterator[str]:
    yield "| what | measured | beside it | ratio | target | met |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        yield f"| **{_escape(row.title)}** | | | | | |"
        for _, *cells in _lines(row):
            yield "| " + " | ".join(map(_escape, cells)) + " |"


def _conditions(results: Results) -> str:
    machine = results.machine
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    options = results.options
    rounds = options["rounds"]
    loads = [row.load_before for row in results.rows if row.load_before is not None]
    busy = f"load average before the rows {min(loads):.1f} to {max(loads):.1f}" if loads else ""
    return (
        f"Measured with {versions}. Medians of {rounds} after {options['warm_ups']} to warm up,"
        f" sizes {TIMES} {options['scale']:g}, on {machine['cores']} cores of {machine['cpu']},"
        f" {machine['memory_bytes'] / 2**30:.0f} GiB, Linux {machine['kernel']},"
        f" Python {machine['python']}; {busy}."
    )


def _escape(text: str) -> str:
    return text.replace("|", "\\|")


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
