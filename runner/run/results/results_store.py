"""Where the results of all runs over one output directory are kept, for one run at a time.

It must not know what is decided by them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.errors import UsageError, describe_os_error
from runner.plan.digest_table import DigestTable
from runner.plan.model import RunId
from runner.run.records.driving import DriverPresentError, drive
from runner.run.results.entries import head_line, name_digest, result_from_line
from runner.run.results.results_index import ResultsIndex

OUTPUTS = Path(".batch-run") / "outputs"
DIGESTS = Path(".batch-run") / "digests"
_RESULTS = "results.jsonl"
_LAST = "last"
_PLACE = "place.txt"
# So many lines may say nothing any more, besides as many as say something. They are passed over
# whenever one of the same name is looked for, so a small run is not slower the more often it ran.
_SPARE_LINES = 1_000


class OutputInUseError(UsageError):
    """Another run works into the same output directory."""


def results_folder(working_directory: Path, output_directory: Path, workload: str) -> Path:
    """The folder of what is known of a workload's files in an output directory."""
    place = os.path.realpath(output_directory)
    text = f"{workload} {place}".encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(text, digest_size=8).hexdigest()
    return working_directory / OUTPUTS / f"{workload}-{digest}"


def read_results(folder: Path) -> ResultsIndex:
    """What is known; nothing where no run was there before. Nothing is written."""
    return ResultsIndex(folder / _RESULTS)


def read_last_run(folder: Path) -> str | None:
    """The id of the last run over the output directory, whatever became of it."""
    try:
        return (folder / _LAST).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read `{folder / _LAST}`: {error}") from error


class ResultsStore:
    """The results of one output directory, held by one run; made by `open_results`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / _RESULTS
        self._appended = 0
        self.last_run = read_last_run(folder)
        """The run before this one."""
        self.index = ResultsIndex(self._path)
        """What was known when this was opened."""
        try:
            mend(self._path)
            self._file = os.open(self._path, _APPEND, 0o644)
        except OSError as error:
            self.index.close()
            raise _unwritable(self._path, error) from error

    def append(self, lines: bytes) -> None:
        """Adds results, each a whole line; raises `OSError`."""
        self._appended += lines.count(b"\n")
        while lines:
            lines = lines[os.write(self._file, lines) :]

    def begin(self, run: RunId, output_directory: Path) -> None:
        """From here on this run is the last; raises `UsageError` where that cannot be written."""
        try:
            _write(self._folder / _LAST, f"{run}\n")
            _write(self._folder / _PLACE, f"{os.path.realpath(output_directory)}\n")
        except OSError as error:
            raise _unwritable(self._folder / _LAST, error) from error

    def close(self) -> None:
        """Gives the files back, and drops what says nothing any more where that is a lot."""
        os.close(self._file)
        self.index.close()
        if len(self.index) + self._appended > 2 * self.index.kept + _SPARE_LINES:
            with contextlib.suppress(OSError):  # it is only longer than it need be
                _tidy(self._path)


_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)


@contextmanager
def open_results(folder: Path, output_directory: Path) -> Iterator[ResultsStore]:
    """Holds the results of an output directory: no other run may work into it meanwhile.

    Raises `OutputInUseError` where one does, and `UsageError` where nothing can be kept.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(drive(folder))
        except DriverPresentError as error:
            who = read_last_run(folder)
            run = "another run" if who is None else f"run `{who}`"
            process = "" if error.driver is None else f" (process {error.driver.pid})"
            raise OutputInUseError(
                f"{run}{process} works into the output directory `{output_directory}`",
                hint="wait for its end, or choose another directory with `--output DIR`",
            ) from error
        store = ResultsStore(folder)
        stack.callback(store.close)
        yield store


def mend(path: Path) -> None:
    """Ends a last line that is torn, so that the next one begins at the start of its own."""
    with contextlib.suppress(FileNotFoundError), path.open("r+b") as stream:
        size = stream.seek(0, os.SEEK_END)
        if size:
            stream.seek(size - 1)
            if stream.read(1) != b"\n":
                stream.write(b"\n")


def _tidy(path: Path) -> None:
    """Drops results whose place others have taken."""
    index = ResultsIndex(path)
    try:
        kept = _still_told(index)
        partial = path.with_name(f".{path.name}.partial")
        with partial.open("wb") as stream:
            stream.write(head_line(len(kept)))
            stream.writelines(index.line(offset) for offset in kept)
            stream.flush()
            os.fsync(stream.fileno())
    finally:
        index.close()
    partial.replace(path)


def _still_told(index: ResultsIndex) -> list[int]:
    """Where the results stand whose files no later one has replaced, and the last of each name."""
    taken, names, kept = DigestTable(), DigestTable(), list[int]()
    for offset in reversed(index.offsets):
        result = result_from_line(index.line(offset))
        if result is None:
            continue
        name = name_digest(result.step, result.item)
        is_last = not any(names.find(name))
        names.add(name, 1)
        paths = [_digest(each.path) for each in result.outputs]
        is_told = result.succeeded and any(not any(taken.find(path)) for path in paths)
        if is_last or is_told:
            kept.append(offset)
        if result.succeeded:
            for path in paths:
                taken.add(path, 1)
    kept.reverse()
    return kept


def _digest(path: str) -> bytes:
    return hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8", errors="surrogateescape")
    partial.replace(path)


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"cannot write `{path}`: {describe_os_error(error)}",
        hint="run in a folder that you may write to",
    )
