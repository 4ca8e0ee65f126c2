"""Other runs over the same output directory that nobody drives now, and what they mean for one.

It must not know how a run is driven, nor what is shown of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from runner.errors import UsageError
from runner.run.records.directory import list_runs
from runner.run.records.places import RUNS
from runner.run.records.record import RunRecord, read_record
from runner.run.records.standing import Standing, find_standing
from runner.run.results.entries import result_from_line
from runner.run.results.results_index import ResultsIndex
from runner.run.results.results_store import OutputInUseError, results_folder
from runner.run.submit import SUBMISSION

_BROKEN_OFF = frozenset({Standing.ABANDONED, Standing.BROKEN_OFF, Standing.NOT_AWAITED})
_RUN = b',"run":"'


class NewerResultsError(UsageError):
    """A later run has written into the output directory of one that is to be taken up again."""


def check_newer(record: RunRecord, index: ResultsIndex, working_directory: Path) -> None:
    """Raises `NewerResultsError` where results of a later run would be replaced by older ones."""
    later = _find_later(record, index, working_directory)
    if later is not None:
        raise NewerResultsError(
            f"run `{later}`, which began later than `{record.run}`, has written newer results into"
            f" `{record.output_directory}`",
            hint=f"`batch-run resume {record.run} --output DIR` brings the older ones home"
            f" elsewhere, `batch-run cancel {record.run}` ends their run",
        )


def check_left(workload: str, working_directory: Path, output_directory: Path) -> None:
    """Raises `OutputInUseError` where a run was left to itself whose results come there."""
    for directory, record in _rivals(workload, working_directory, output_directory):
        if not record.detached:
            continue
        standing = find_standing(directory, record, driver=None)
        if standing in {Standing.DETACHED, Standing.NOT_AWAITED}:
            run = record.run
            raise OutputInUseError(
                f"run `{run}` was left to go on by itself, and its results come to the output"
                f" directory `{output_directory}`",
                hint=f"`batch-run attach {run}` brings them home, `batch-run cancel {run}` ends"
                " it; or choose another directory with `--output DIR`",
            )


def broken_off_notes(last_run: str | None, working_directory: Path) -> Iterator[str]:
    """A line where the last run over an output directory could be gone on with instead.

    Of one that has made nothing, as with a key that was refused, nothing is lost.
    """
    if last_run is None:
        return
    directory = working_directory / RUNS / last_run
    with contextlib.suppress(UsageError):  # its directory was deleted: there is nothing to say
        record = read_record(directory)
        has_begun = (directory / SUBMISSION).exists()
        if has_begun and find_standing(directory, record, driver=None) in _BROKEN_OFF:
            also = ", and its tasks may still be at work" if record.target != "local" else ""
            yield (
                f"run {last_run} was broken off{also}; `batch-run resume {last_run}` would go on"
                " with it"
            )


def _rivals(
    workload: str, working_directory: Path, output_directory: Path
) -> Iterator[tuple[Path, RunRecord]]:
    """All runs of the folder with this workload and output directory, the newest first."""
    folder = results_folder(working_directory, output_directory, workload)
    for directory in reversed(list_runs(working_directory)):
        try:
            record = read_record(directory)
        except UsageError:  # it never began
            continue
        theirs = results_folder(working_directory, Path(record.output_directory), record.workload)
        if theirs == folder:
            yield directory, record


def _find_later(record: RunRecord, index: ResultsIndex, working_directory: Path) -> str | None:
    """The run that has written last of those that began after a run, if it left any file."""
    is_later: dict[bytes, bool] = {}
    for offset in reversed(index.offsets):
        line = index.line(offset)
        run = line.partition(_RUN)[2].partition(b'"')[0]
        if run not in is_later:
            name = run.decode("ascii", "replace")
            is_later[run] = name != record.run and _began(name, working_directory) > record.created
        if is_later[run]:
            result = result_from_line(line)
            if result is not None and result.outputs:
                return result.run
    return None


def _began(run: str, working_directory: Path) -> datetime:
    """When a run began: by its record, or where that was deleted by its id, to the second."""
    with contextlib.suppress(UsageError):
        return read_record(working_directory / RUNS / run).created
    parts = run.rsplit("-", 2)
    with contextlib.suppress(ValueError, IndexError):
        return datetime.strptime(parts[1], "%Y%m%dt%H%M%Sz").replace(tzinfo=timezone.utc)
    return datetime.min.replace(tzinfo=timezone.utc)
