"""How commands name a run, and the command line that would make it once more.

It must not know which commands are worth a word.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.world import World
from runner.connect import choose_target
from runner.errors import BatchRunError
from runner.report.next_steps import Calling
from runner.run.records.places import LAST
from runner.run.records.record import RunRecord

if TYPE_CHECKING:
    from runner.spec.model.workload import Workload


def calling_of(record: RunRecord, world: World, *, workload: Workload | None = None) -> Calling:
    """For somebody who types in the world's folder.

    With the `workload`, parameters are named only where they are not the spec's own.
    """
    again = None
    if record.trial_seconds is None:  # a run of all tasks is no other try of one
        again = " ".join(map(shlex.quote, _again(record, world, workload)))
    return Calling(run="" if is_last(record, world) else record.run, again=again)


def is_last(record: RunRecord, world: World) -> bool:
    """Whether commands mean the run where none is named."""
    with contextlib.suppress(OSError, ValueError):
        return (world.working_directory / LAST).read_text("ascii").strip() == record.run
    return False


def _again(record: RunRecord, world: World, workload: Workload | None) -> Iterator[str]:
    yield from ("batch-run", "run", world.shown(Path(record.spec)))
    declared = {} if workload is None else workload.document.data.get("parameters", {})
    for name, value in record.parameters.items():
        if name not in declared or declared[name].get("default") != value:
            yield from ("-p", f"{name}={_written(value)}")
    output = world.working_directory / "results" / record.workload
    if Path(record.output_directory) != output:
        yield from ("--output", world.shown(Path(record.output_directory)))
    if record.target != _usual_target(world):
        yield from ("--target", record.target)


def _usual_target(world: World) -> str | None:
    with contextlib.suppress(BatchRunError):
        return choose_target(None, world.environ).target
    return None


def _written(value: object) -> str:
    """A parameter as the command line has it."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
