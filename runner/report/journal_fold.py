"""The report of a run from the lines of its journal, quickly: a million events take seconds.

What is only counted is taken from its line by a pattern; every other line is read as an event. It
comes to what `Report.add` comes to, event by event; it must not know what is shown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path

from runner.report.fold import Report
from runner.report.pace import Pace
from runner.report.task_times import seconds_between
from runner.run.events import Event, RunStarted, TaskFinished, TaskRetried, TaskStarted, format_time
from runner.run.records.following import Following
from runner.run.records.reading import event_from_line

# All of a line is looked at: what is no JSON is left to whoever reads it as an event, and says so.
_TEXT = rb'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"'
_TIME = rb"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}"
_DATE = len("2026-01-31")
_WORD = rb"(?:null|%b)" % _TEXT
_REST = rb'(?:,"[a-z0-9_]+":(?:%b|null|true|false|-?\d+(?:\.\d+)?))*\}\n' % _TEXT
# The fields are in the order in which they are declared.
_COUNTED = re.compile(
    rb'\{"v":1,"t":"(?P<t>TIME)Z","run":TEXT,"type":"(?:'
    rb'task\.added","task":"\d+","item":TEXT(?P<added>)'
    rb'|upload\.finished","role":TEXT,"blob":TEXT,"bytes":(?P<size>\d+)'
    rb',"skipped":(?P<uploaded>true|false)'
    rb'|task\.started","task":"(?P<task>\d+)","node":WORD,"at":WORD,"attempt":(?P<started>\d+)'
    rb'|task\.finished","task":"(?P<ended>\d+)","item":TEXT,"node":(?:(?P<no_node>null)|TEXT)'
    rb',"succeeded":true,"exit_code":(?:null|-?\d+),"started":(?:null|"(?P<began>TIME)Z")'
    rb',"ended":(?:null|"(?P<end>TIME)Z"),"retries":\d+,"cause":WORD,"message":WORD'
    rb',"stdout":WORD,"stderr":WORD,"stderr_tail":WORD,"skipped":(?P<skipped>true|false)'
    rb',"attempts":(?P<attempts>\d+)(?P<finished>)'
    rb'|output\.downloaded","task":"(?P<of>\d+)","role":TEXT,"blob":TEXT,"path":TEXT'
    rb',"bytes":(?P<downloaded>\d+)'
    rb")REST".replace(b"TEXT", _TEXT)
    .replace(b"TIME", _TIME)
    .replace(b"WORD", _WORD)
    .replace(b"REST", _REST)
)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as the times that are compared with it
_PACE_SECONDS = 60.0
_LEAST_SECONDS = 2.0


class JournalFold:
    """What a journal comes to so far, and how fast tasks end."""

    def __init__(self) -> None:
        self.report = Report()
        self._seen = b""
        self.unknown = Counter[str]()
        """Events of types that a later release has added, by type; they are passed over."""
        self.running: dict[str, None] = {}
        """Tasks that have begun and have no end yet, in the order in which they began."""
        self.retried = set[str]()
        """Tasks that are tried again after a while."""
        self.pace = Pace(window=_PACE_SECONDS, least_seconds=_LEAST_SECONDS)
        """Of tasks that were run and have ended, by the times of their events."""

    @property
    def seen(self) -> datetime | None:
        """When something was seen of the run last."""
        return _read(self._seen).replace(tzinfo=timezone.utc) if self._seen else None

    def take(self, pieces: Iterable[bytes], path: Path) -> None:
        """More of the journal, each piece whole lines; `path` is for messages.

        Raises `UsageError` where a line is no event.
        """
        number = 0
        for piece in pieces:
            number = self._take(piece, path, number)

    def _take(self, piece: bytes, path: Path, number: int) -> int:
        at = 0
        match, is_text = _COUNTED.match, _is_text(piece)
        while at < len(piece):
            number += 1
            found = match(piece, at) if is_text else None
            if found is None or not self._count(found):
                end = piece.index(b"\n", at) + 1
                self._add(piece[at:end], path, number)
                at = end
            else:
                at = found.end()
        return number

    def _add(self, line: bytes, path: Path, number: int) -> None:
        told = event_from_line(line, path, number, unknown=self.unknown)
        if told is None:
            return
        moment, event = told
        self._seen = format_time(moment)[:-1].encode("ascii")
        self.report.add(event, moment)
        self._note(event)

    def _note(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.running.clear()
                self.retried.clear()
            case TaskStarted():
                self._begin(event.task)
            case TaskRetried():
                self.running.pop(event.task, None)
                if event.due is not None:
                    self.retried.add(event.task)
            case TaskFinished():
                self._end(event.task)
                self._pace()
            case _:
                pass

    def _begin(self, task: str) -> None:
        self.running[task] = None
        self.retried.discard(task)

    def _end(self, task: str) -> None:
        self.running.pop(task, None)
        self.retried.discard(task)

    def _count(self, found: re.Match[bytes]) -> bool:
        """Whether it could be: there may be times that never are."""
        try:
            if found[1][:_DATE] != self._seen[:_DATE]:
                _read(found[1])
            self._seen = found[1]
            self._count_event(found)
        except ValueError:
            return False
        return True

    def _count_event(self, found: re.Match[bytes]) -> None:
        report = self.report
        if report.began is None:
            report.began = self.seen
        match found.lastgroup:
            case "added":
                report.added += 1
            case "uploaded":
                report.count_upload(int(found["size"]), skipped=found["uploaded"] == b"true")
            case "started":
                self._begin(found["task"].decode("ascii"))
                report.started += found["started"] == b"1"
            case "downloaded":
                report.count_output(int(found["of"]), int(found["downloaded"]))
            case _:
                self._count_end(found)

    def _count_end(self, found: re.Match[bytes]) -> None:
        task = found["ended"].decode("ascii")
        skipped = found["skipped"] == b"true"
        has_run = not skipped and found["no_node"] is None
        began, end = found["began"], found["end"]
        timed = has_run and began is not None and end is not None
        self.report.count_success(
            task,
            skipped=skipped,
            attempts=int(found["attempts"]) if has_run else 0,
            seconds=seconds_between(_read(began), _read(end)) if timed else 0.0,
        )
        self._end(task)
        if not skipped:
            self._pace()

    def _pace(self) -> None:
        report = self.report
        done = report.succeeded - report.skipped + len(report.failures)
        self.pace.note((_read(self._seen) - _EPOCH).total_seconds(), done)


def _is_text(piece: bytes) -> bool:
    """Whether `json` would take its bytes for characters."""
    try:
        piece.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _read(text: bytes) -> datetime:
    """A time without its zone, which is always UTC: a zone costs more than all else."""
    return datetime.fromisoformat(text.decode("ascii"))


def fold_journal(directory: Path) -> JournalFold:
    """The journal of a run's directory, as far as it is; a last line that is not whole is left out.

    Raises `UsageError` where it cannot be read, or a line is damaged.
    """
    folded = JournalFold()
    following = Following(directory)
    folded.take(following.pieces(), following.path)
    return folded
