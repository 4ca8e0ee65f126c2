"""Writes down what came of each task, as the events of a run tell it: for `diff` and the next run.

It must not know whether anybody will ask. What cannot be written down is run again the next time.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from runner.errors import BatchRunError, ExitCode, ServiceError, UsageError, describe_os_error
from runner.plan.identity import DIGEST_BYTES, Identities, Identity, Unidentified
from runner.plan.model import TaskPlan
from runner.plan.references import asks_for_urls
from runner.run.events import Event, OutputDownloaded, RunFinished, TaskFinished, UploadFinished
from runner.run.records.moved import read_events_at_home
from runner.run.results.deciding import Verdict
from runner.run.results.entries import UNKNOWN_IDENTITY, KeptOutput, Result, result_as_line
from runner.run.results.evidence import Evidence, Place
from runner.run.results.lock_file import LOCK_FILE, begin_lock, read_lock, skipped_results
from runner.run.results.products import Products
from runner.run.results.results_store import ResultsStore, mend
from runner.run.tasks.window import Window, step_of
from runner.spec.model.terms import Role, StepName

# After another end the services may be out of reach, or the run may go on.
_LISTED_AFTER = frozenset({ExitCode.SUCCESS, ExitCode.TASKS_FAILED})


class LockWriter:
    """Listens to the events of one run, in their order; made by `open_lock`."""

    def __init__(self, path: Path, evidence: Evidence, store: ResultsStore, place: Place) -> None:
        """Raises `OSError` where the lock file cannot be written."""
        plan = self._plan = evidence.plan
        self._store = store
        self._path = path
        self._keeping = evidence.keeping
        self._lacks_listing = False
        self._inputs = evidence.inputs
        # New ones: what they remember is to be of what this run has sent.
        self._identities = Identities(plan, evidence.inputs, target=place.target)
        self._files = evidence.files
        self._prefix = os.path.join(place.output_directory, "")  # noqa: PTH118 - of texts
        self._is_home = {step.name: evidence.keeping.is_home(step) for step in plan.workload.steps}
        self._window = Window(plan)
        self._shared: Window | None = None
        self._own_steps = {step.name for step in plan.workload.steps if asks_for_urls(step)}
        self._products = Products(len(plan.tasks))
        self._is_good = bytearray(len(plan.tasks) + 1)
        self._brought: dict[str, list[KeptOutput]] = {}
        self._waiting: dict[int, list[TaskFinished]] = {}
        """Ends of tasks, by a task that they need and of which it is not known what it left."""
        self._lines: list[bytes] = []
        """Of the lock file, not written yet."""
        self._new: list[bytes] = []
        """Of the results of the output directory."""
        self.problem: str | None = None
        """Why results could not be written down; their tasks run again the next time."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._file = os.open(path, flags, 0o644)

    def hear(self, event: Event, *, is_old: bool = False) -> None:
        """One event of the run; an old one is of before it was taken up again."""
        match event:
            case UploadFinished(md5=str() as md5):
                # What was sent long ago says nothing about what is in the file now.
                role, sent = Role(event.role), bytes.fromhex(md5)
                self._inputs.take_sent(role, event.blob, sent, is_in_file=not is_old)
            case OutputDownloaded():
                self._bring(event)
            case TaskFinished(skipped=False):
                self._finish(event)
            case RunFinished() if not is_old and event.exit_code in _LISTED_AFTER:
                self._list_what_stays()
            case _:
                pass

    def share(self, window: Window) -> None:
        """Takes tasks from here that are the same in any storage account."""
        self._shared = window

    def take(self, number: int, result: Result, *, is_new: bool) -> None:
        """A result that is known already; `is_new` to this run's lock file."""
        self._settle(number, result)
        if is_new:
            self._lines.append(result_as_line(result))

    def flush(self) -> None:
        """Writes down what was heard since the last time; to be called whenever there is a pause.

        Whoever dies before it has the events, from which a run that is taken up again knows it.
        """
        lines, self._lines = b"".join(self._lines), []
        new, self._new = b"".join(self._new), []
        try:
            while lines:
                lines = lines[os.write(self._file, lines) :]
            if new:
                self._store.append(new)
        except OSError as error:
            if self.problem is None:
                self.problem = describe_os_error(error)

    def close(self) -> None:
        """Gives the lock file back, and remembers what files held."""
        self.flush()
        os.close(self._file)
        self._files.save()

    def _bring(self, event: OutputDownloaded) -> None:
        md5 = None if event.md5 is None else bytes.fromhex(event.md5)
        if md5 is None:
            md5 = self._files.md5(Path(event.path))
        if md5 is None:
            return
        output = KeptOutput(
            role=event.role,
            blob=event.blob,
            path=event.path.removeprefix(self._prefix).replace(os.sep, "/"),
            bytes=event.bytes,
            md5=md5.hex(),
        )
        self._brought.setdefault(event.task, []).append(output)

    def _finish(self, event: TaskFinished) -> None:
        """Of a task that ends before what it needs is home, it is not known yet what it had."""
        number = int(event.task)
        if self._is_good[number]:
            return  # told again, after an interruption
        task = self._task(number)
        missing = self._products.first_unknown(task.needs) if event.succeeded else None
        if missing is not None:
            self._waiting.setdefault(missing, []).append(event)
            return
        # Of a file that came home twice, as after an interruption, the last word counts.
        brought = {each.path: each for each in self._brought.pop(event.task, ())}
        try:
            found = self._identities.identify(task, self._products.of)
        except ServiceError as error:  # whatever a blob held: the task itself has come to its end
            found = Unidentified(why=error.message)
        is_known = isinstance(found, Identity)
        result = Result(
            identity=found.digest if isinstance(found, Identity) else UNKNOWN_IDENTITY,
            succeeded=event.succeeded,
            run=str(self._plan.run_id),
            task=event.task,
            step=task.step.name,
            item=task.item,
            parts=found.parts if isinstance(found, Identity) else {},
            files=found.files if isinstance(found, Identity) else {},
            outputs=tuple(brought.values()),
            started=event.started,
            ended=event.ended,
        )
        self._keep(result)
        self._settle(number, result if is_known else None)

    def _settle(self, number: int, result: Result | None) -> None:
        """It is known what a task has left, and so what those had that need it."""
        if result is not None and result.succeeded:
            self._is_good[number] = 1
            self._lacks_listing |= self._is_to_be_listed(number, result)
            is_home = self._is_home.get(StepName(result.step), False)
            product = result.product if is_home else result.identity
        else:
            # Another one each time: whatever needs this task has to run again.
            product = _digest(f"{self._plan.run_id}/{number}")
        self._products.put(number, product)
        for event in self._waiting.pop(number, ()):
            self._finish(event)

    def _is_to_be_listed(self, number: int, result: Result) -> bool:
        is_new = result.succeeded and not result.skipped and result.stored is None
        return is_new and self._keeping.is_to_be_listed(self._task(number))

    def _task(self, number: int) -> TaskPlan:
        """The task as it is without a storage account, which does not count."""
        window = self._shared
        if window is None or step_of(self._plan, number).name in self._own_steps:
            window = self._window
        return window.task(number)

    def _list_what_stays(self) -> None:
        """Adds to results what the service alone has of them: one listing of each container.

        Without it, as of a run that was killed and never taken up again, tasks run once more.
        """
        if not self._lacks_listing:
            return
        self.flush()
        self._keeping.forget_listings()
        for task, result in read_lock(self._path).ended.items():
            number = int(task)
            if not self._is_to_be_listed(number, result):
                continue
            try:
                stored = self._keeping.list_stored(self._task(number))
            except BatchRunError:  # the run itself has come to its end
                return
            if stored is not None:
                self._keep(replace(result, stored=stored))

    def _keep(self, result: Result) -> None:
        line = result_as_line(result)
        self._lines.append(line)
        self._new.append(line)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).digest()


@contextmanager
def open_lock(
    directory: Path, evidence: Evidence, verdict: Verdict, store: ResultsStore, *, place: Place
) -> Iterator[LockWriter]:
    """The lock file of a run that begins: what is skipped is in it from the start.

    Raises `UsageError` where it cannot be written.
    """
    path, plan = directory / LOCK_FILE, evidence.plan
    begin_lock(path, plan, verdict, target=place.target, output=place.output_directory)
    with _open(path, evidence, store, place) as writer:
        for number, result in skipped_results(plan, verdict, evidence.index.result):
            writer.take(number, result, is_new=True)
        writer.flush()
        yield writer


@contextmanager
def reopen_lock(
    directory: Path, evidence: Evidence, store: ResultsStore, *, place: Place
) -> Iterator[LockWriter]:
    """The lock file of a run that is taken up again, with what its events say besides.

    Raises `UsageError` where there is none, or it cannot be written.
    """
    path = directory / LOCK_FILE
    known = read_lock(path)
    try:
        mend(path)
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {describe_os_error(error)}") from error
    with _open(path, evidence, store, place) as writer:
        for task, result in known.ended.items():
            writer.take(int(task), result, is_new=False)
        for event in read_events_at_home(directory):
            writer.hear(event, is_old=True)
        writer.flush()
        yield writer


@contextmanager
def _open(
    path: Path, evidence: Evidence, store: ResultsStore, place: Place
) -> Iterator[LockWriter]:
    try:
        writer = LockWriter(path, evidence, store, place)
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {describe_os_error(error)}") from error
    with closing(writer):
        yield writer
