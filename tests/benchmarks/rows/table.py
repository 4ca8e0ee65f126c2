"""All rows by name, those of the table first.

It must not know what a row measures.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from tests.benchmarks.contest import Contest
from tests.benchmarks.rows.cat import open_cat
from tests.benchmarks.rows.display import open_display
from tests.benchmarks.rows.emulating import open_emulator_scale, open_persistence
from tests.benchmarks.rows.growth import open_growth
from tests.benchmarks.rows.mp3 import open_mp3
from tests.benchmarks.rows.overhead import open_overhead
from tests.benchmarks.rows.planning import open_plan
from tests.benchmarks.rows.requests import open_requests
from tests.benchmarks.rows.scaling import (
    open_plan_scaling,
    open_rerun_scaling,
    open_rows_scaling,
)
from tests.benchmarks.rows.starting import open_validate, open_version
from tests.benchmarks.rows.submission import open_submission
from tests.benchmarks.rows.transfers import open_large, open_small
from tests.benchmarks.setting import Setting

Opening = Callable[[Setting], AbstractContextManager[Contest]]


@dataclass(frozen=True, slots=True)
class Row:
    """One contest, by a name that can be typed."""

    name: str
    what: str
    open: Opening
    by_default: bool = True
    """Whether it is measured where none is named: the others are about one part of the program."""


ROWS = (
    Row("cat", "`cat` of 1,000 files of 10 KB, the whole command", open_cat),
    Row("mp3", "20 MP4s to MP3, the whole command", open_mp3),
    Row("growth", "`cat` of 10,000 files, and memory", open_growth),
    Row("submission", "100,000 tasks to a slow service", open_submission),
    Row("requests", "requests of a run of 1,000 tasks", open_requests),
    Row("upload-small", "10,000 files of 10 KB up", partial(open_small, direction="up")),
    Row("download-small", "10,000 files of 10 KB home", partial(open_small, direction="down")),
    Row("upload-large", "10 files of 500 MB up", partial(open_large, direction="up")),
    Row("download-large", "10 files of 500 MB home", partial(open_large, direction="down")),
    Row("plan", "the plan of 1,000,000 files", open_plan),
    Row("version", "`--version`", open_version),
    Row("validate", "`validate` of a small spec", open_validate),
    Row("overhead", "the emulator's own time for a task", open_overhead),
    Row("display", "the view of a run on a terminal", open_display, by_default=False),
    Row("plan-scaling", "a plan, for each of its files", open_plan_scaling, by_default=False),
    Row("rows-scaling", "a plan, for each of its rows", open_rows_scaling, by_default=False),
    Row("rerun-scaling", "to find that nothing has changed", open_rerun_scaling, by_default=False),
    Row("emulator-scale", "the emulator with 100,000 tasks", open_emulator_scale, by_default=False),
    Row(
        "persistence", "what the emulator's state on disk costs", open_persistence, by_default=False
    ),
)
