"""What tasks print: from the run's directory, the logs container, or the nodes that they run on.

It must not know how a run is driven, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from runner.cli.growing_logs import PIECE_BYTES, GrowingLog
from runner.cli.log_output import LogOutput
from runner.cli.looking import NotThereError, open_to_look
from runner.cli.tasks import find_added, find_seen
from runner.cli.world import World
from runner.connect import Services
from runner.errors import ServiceError, UsageError
from runner.frozen import dataclass
from runner.plan.model import LOGS, RunId, TaskId, container_name
from runner.run.events import DEPENDENCY_FAILED, HALTED, TaskFinished
from runner.run.records.following import Following
from runner.run.records.record import RunRecord, read_record
from runner.run.services import BlobMissingError, TaskState
from runner.run.stop import Stop
from runner.run.submit import log_blob

STREAMS = ("stdout", "stderr")
_NAMES = {"stdout": "standard output", "stderr": "standard error"}
Opening = Callable[[RunRecord, Path, World], Services]
# Local services may end soon after the task.
PAUSES_SECONDS = {"local": 0.2, "azure": 1.0}
_ENDED = f'"type":"{TaskFinished.type}"'.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which streams are wanted, and how they are shown."""

    streams: tuple[str, ...]
    output: LogOutput


def show_home_logs(directory: Path, asked: Asked, world: World) -> None:
    """The logs of all tasks that have been brought home, in the order of the tasks' ends."""
    found = False
    for end in _ends(directory).values():
        for stream in asked.streams:
            path = home_log(directory, end, stream)
            if path is not None:
                found = True
                _show(asked, path, end.task, end.item, stream)
    if not found:
        world.say(
            "no task's log is here: those of tasks that failed are brought home, and with"
            " `run --logs all` those of all"
        )


def show_task_log(
    directory: Path,
    name: str,
    asked: Asked,
    world: World,
    *,
    follow: Stop | None,
    open_services: Opening = open_to_look,
) -> None:
    """What one task has printed so far; with `follow` until it has ended.

    Raises `UsageError` where there is no such task or nothing is kept of it, `ServiceError` where
    the services are out of reach, and `InterruptedRunError` once the following is to stop.
    """
    record = read_record(directory)
    task = find_added(directory, name)
    if _show_home(directory, task, asked, world):
        return
    seen = find_seen(directory, task)
    if seen.end is not None:
        _check_it_ran(directory, seen.end)
    try:
        services = open_services(record, directory, world)
    except NotThereError as error:
        if seen.end is None and not seen.has_begun:
            raise UsageError(
                f"task `{task}` has not begun, and printed nothing",
                hint=_explained(directory, task),
            ) from error
        raise UsageError(
            f"the log of task `{task}` is not here, and cannot be had: {error.message}",
            hint="`run --logs all` brings home what all tasks print",
        ) from error
    with services:
        if follow is not None:
            services.heed(follow, world.say)
        readers = [
            StreamReader(services, record, task, stream, asked.output) for stream in asked.streams
        ]
        _read(readers, services, record, task, directory, world, follow)


def _read(
    readers: list[StreamReader],
    services: Services,
    record: RunRecord,
    task: TaskId,
    directory: Path,
    world: World,
    follow: Stop | None,
) -> None:
    while True:
        try:
            # Asked first: what was printed before its end is then read below.
            status = services.batch.task_status(record.run, task)
            over = status is None or status.state is TaskState.COMPLETED
            found = [reader.read(over=over) for reader in readers]
        except ServiceError:
            # Whoever drives the run may have ended it, and brought home what is kept.
            if follow is None or _end_of(directory, task) is None:
                raise
            if not _show_rest(directory, task, readers):
                world.say(
                    f"the services have ended: the end of what `{task}` printed may be missing"
                )
            return
        if over and not all(found) and not _show_rest(directory, task, readers) and not any(found):
            raise UsageError(f"nothing is kept of what task `{task}` has printed")
        if over and not any(reader.has_shown for reader in readers):
            _say_nothing_was_printed(world, task, [reader.stream for reader in readers])
        if over or not world.has_reader:
            return
        if follow is None:
            if not any(found):
                world.say(f"task `{task}` has printed nothing so far")
            return
        world.clock.wait(follow, PAUSES_SECONDS[services.target])
        follow.check()


class StreamReader:
    """One stream of one task, and how much of it was shown."""

    def __init__(
        self,
        services: Services,
        record: RunRecord,
        task: TaskId,
        stream: str,
        output: LogOutput,
    ) -> None:
        self._batch = services.batch
        self._blobs = services.blobs
        self._run = record.run
        self._task = task
        self.stream = stream
        self._log = GrowingLog(task, stream, output)

    @property
    def has_shown(self) -> bool:
        """Whether there was anything to show."""
        return self._log.shown > 0

    def read(self, *, over: bool) -> bool:
        """Shows what is new; false where there is nothing to read from."""
        if over and self._read_blob():
            return True
        return self._read_node()

    def read_file(self, path: Path) -> None:
        """Shows what is new in the file that the log became."""
        self._log.show(_pieces(path, self._log.shown))

    def _read_node(self) -> bool:
        name = f"{self.stream}.txt"
        size = self._batch.task_file_size(self._run, self._task, name)
        if size is None:
            return False

        def read(start: int, length: int) -> bytes | None:
            return self._batch.read_task_file(
                self._run, self._task, name, start=start, length=length
            )

        self._log.read(size, read)
        return True

    def _read_blob(self) -> bool:
        container = container_name(RunId(self._run), LOGS)
        with TemporaryDirectory(prefix="batch-run-log-") as folder:
            path = Path(folder) / self.stream
            try:
                self._blobs.download_file(container, log_blob(self._task, self.stream), path)
            except BlobMissingError:
                return False
            self.read_file(path)
        return True


def _ends(directory: Path) -> dict[str, TaskFinished]:
    """How tasks ended, each for the last time."""
    ends: dict[str, TaskFinished] = {}
    for _, event in Following(directory).events(_ENDED):
        if isinstance(event, TaskFinished):
            ends[event.task] = event
    return ends


def _end_of(directory: Path, task: TaskId) -> TaskFinished | None:
    """How one task ended last."""
    return find_seen(directory, task).end


def _check_it_ran(directory: Path, end: TaskFinished) -> None:
    """Raises `UsageError` for a task that could not print anything in this run."""
    if end.skipped:
        words = f"task `{end.task}` was skipped, and printed nothing in this run"
    elif end.cause in {DEPENDENCY_FAILED, HALTED}:
        words = f"task `{end.task}` never ran, and printed nothing in this run"
    else:
        return
    raise UsageError(words, hint=_explained(directory, end.task))


def _explained(directory: Path, task: str) -> str:
    return f"`batch-run explain {task} {directory.name}` says why"


def _say_nothing_was_printed(world: World, task: str, streams: Sequence[str]) -> None:
    to = "" if len(streams) > 1 else f" to {_NAMES[streams[0]]}"
    world.say(f"task `{task}` has printed nothing{to}")


def home_log(directory: Path, end: TaskFinished, stream: str) -> Path | None:
    name = end.stdout if stream == "stdout" else end.stderr
    path = None if name is None else directory / name
    return path if path is not None and path.is_file() else None


def _show_home(directory: Path, task: TaskId, asked: Asked, world: World) -> bool:
    """Whether all that is wanted of a task was here, and so was shown."""
    end = _end_of(directory, task)
    if end is None:
        return False
    paths = [(stream, home_log(directory, end, stream)) for stream in asked.streams]
    if any(path is None for _, path in paths):
        return False
    shown = 0
    for stream, path in paths:
        assert path is not None
        shown += _show(asked, path, task, "", stream)
    if not shown:
        _say_nothing_was_printed(world, task, asked.streams)
    return True


def _show_rest(directory: Path, task: TaskId, readers: list[StreamReader]) -> bool:
    """What was brought home meanwhile; false where nothing was."""
    end = _end_of(directory, task)
    if end is None:
        return False
    found = False
    for reader in readers:
        path = home_log(directory, end, reader.stream)
        if path is not None:
            found = True
            reader.read_file(path)
    return found


def _show(asked: Asked, path: Path, task: str, item: str, stream: str) -> int:
    """A log that is here, and how many bytes it has; nothing of one that is empty."""
    offset = 0
    for piece in _pieces(path):
        asked.output.show(task, item, stream, offset, piece)
        offset += len(piece)
    return offset


def _pieces(path: Path, start: int = 0) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(start)
        while piece := stream.read(PIECE_BYTES):
            yield piece
