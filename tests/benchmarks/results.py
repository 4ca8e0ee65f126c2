"""All that one run of the benchmarks has measured, as a value, as JSON and back.

It must not know how it is measured, nor how it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.contest import Bound, Entry, Verdict
from tests.benchmarks.samples import sample_from_json

FORMAT = 1


class ResultsError(Exception):
    """A file does not hold results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """One contest; `failure` says why it could not be held."""

    name: str
    title: str
    entries: tuple[Entry, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    load_before: float | None = None
    """The machine's load average (one minute) when it began: what else was at work."""
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One run of the benchmarks."""

    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    options: Mapping[str, Any]
    rows: tuple[RowResult, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether ours did all that it was asked to; peers that are missing do not count."""
        return all(
            row.failure is None and all(verdict.ours is not None for verdict in row.verdicts)
            for row in self.rows
        )


def write_results(results: Results, path: Path) -> None:
    """As JSON, for people and programs."""
    data = {
        "format": FORMAT,
        "machine": dict(results.machine),
        "versions": dict(results.versions),
        "options": dict(results.options),
        "rows": [_row_as_json(row) for row in results.rows],
    }
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_results(path: Path) -> Results:
    """What `write_results` has written; `ResultsError` for anything else."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise ResultsError(f"`{path}` has format {data['format']}, not {FORMAT}")
        return Results(
            machine=data["machine"],
            versions=data["versions"],
            options=data["options"],
            rows=tuple(_row_from_json(row) for row in data["rows"]),
        )
    except OSError as error:
        raise ResultsError(f"cannot read `{path}`: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ResultsError(f"`{path}` holds no results of the benchmarks") from error


def _row_as_json(row: RowResult) -> dict[str, Any]:
    return {
        "name": row.name,
        "title": row.title,
        "load_before": row.load_before,
        "failure": row.failure,
        "contestants": [
            {
                "name": entry.name,
                "command": entry.command,
                "missing": entry.missing,
                "samples": [sample.as_json() for sample in entry.samples],
            }
            for entry in row.entries
        ],
        "verdicts": [
            {
                "what": verdict.what,
                "figure": verdict.figure,
                "of": verdict.of,
                "ours": verdict.ours,
                "beside": verdict.beside,
                "theirs": verdict.theirs,
                "ratio": verdict.ratio,
                "limit": verdict.limit,
                "bound": verdict.bound.value,
                "words": verdict.words,
                "met": verdict.met,
            }
            for verdict in row.verdicts
        ],
    }


def _row_from_json(data: Mapping[str, Any]) -> RowResult:
    return RowResult(
        name=data["name"],
        title=data["title"],
        load_before=data["load_before"],
        failure=data["failure"],
        entries=tuple(
            Entry(
                name=entry["name"],
                command=entry["command"],
                missing=entry["missing"],
                samples=tuple(sample_from_json(sample) for sample in entry["samples"]),
            )
            for entry in data["contestants"]
        ),
        verdicts=tuple(
            Verdict(
                what=verdict["what"],
                figure=verdict["figure"],
                of=verdict["of"],
                ours=verdict["ours"],
                beside=verdict["beside"],
                theirs=verdict["theirs"],
                limit=verdict["limit"],
                bound=Bound(verdict["bound"]),
                words=verdict["words"],
            )
            for verdict in data["verdicts"]
        ),
    )
