"""The events of a run whose output directory is another one now: its files are told where they are.

It must not know who has moved the files, nor whether they are there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from runner.run.events import Event, OutputDownloaded
from runner.run.records.reading import read_events
from runner.run.records.record import RECORD, RunRecord, read_record


def read_events_at_home(directory: Path) -> Iterator[Event]:
    """All events of a run, with files in the output directory that its record names now.

    Raises `UsageError` as `read_events` and `read_record` do.
    """
    events = (event for _, event in read_events(directory))
    record = read_record(directory) if (directory / RECORD).exists() else None
    if record is None or not record.moved_from:
        yield from events
        return
    for event in events:
        if isinstance(event, OutputDownloaded):
            yield replace(event, path=os.fspath(path_at_home(record, event.path)))
        else:
            yield event


def path_at_home(record: RunRecord, path: str) -> Path:
    """Where a file is now that once came home to a path; as it was where it never moved."""
    folders = (record.output_directory, *record.moved_from)
    # One may be within another: the innermost has the file.
    for folder in sorted(folders, key=lambda each: -len(Path(each).parts)):
        if Path(path).is_relative_to(folder):
            return Path(record.output_directory) / Path(path).relative_to(folder)
    return Path(path)
