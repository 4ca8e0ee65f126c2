"""How long each stage of a small run took, folded from its events.

It must not know what the run was for. With many tasks stages overlap: then each is from its first
event to its last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from runner.frozen import dataclass
from runner.run.events import (
    CleanupFinished,
    Event,
    JobCreated,
    NodeChanged,
    OutputDownloaded,
    PoolChanged,
    RunStarted,
    TaskAdded,
    TaskFinished,
    TaskStarted,
    UploadFinished,
)

_WAITS = "waitingforstarttask"
_READY = frozenset({"idle", "running"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage by its name; `lasted` is None where it was not seen, or did not end."""

    name: str
    began: datetime | None
    ended: datetime | None

    @property
    def lasted(self) -> timedelta | None:
        """From its beginning to its end."""
        if self.began is None or self.ended is None:
            return None
        return max(self.ended - self.began, timedelta())


def fold_stages(events: Iterable[tuple[datetime, Event]]) -> tuple[Stage, ...]:
    """The stages in the order in which they begin; events as the journal has them."""
    first: dict[str, datetime] = {}
    last: dict[str, datetime] = {}

    def note(name: str, at: datetime) -> None:
        first.setdefault(name, at)
        last[name] = at

    for at, event in events:
        match event:
            case RunStarted():
                note("run", at)
            case UploadFinished():
                note("upload", at)
            case JobCreated():
                note("job", at)
            case PoolChanged() if event.dedicated + event.spot:
                note("nodes", at)
            case NodeChanged():
                note("nodes", at)
                _note_node(event, at, note)
            case TaskAdded():
                note("added", at)
            case TaskStarted():
                note("started", event.at or at)
            case TaskFinished():
                note("started", event.started or at)
                note("ended", event.ended or at)
                note("told", at)
            case OutputDownloaded():
                note("output", at)
            case CleanupFinished():
                note("gone", at)
            case _:
                pass
    return _stages(first, last)


def _note_node(event: NodeChanged, at: datetime, note: Callable[[str, datetime], None]) -> None:
    if event.state == _WAITS:
        note("start task", at)
    elif event.state in _READY:
        note("ready", at)


def _stages(first: dict[str, datetime], last: dict[str, datetime]) -> tuple[Stage, ...]:
    begin = first.get("run")
    ready = first.get("ready", first.get("started"))
    home = last.get("output", last.get("told"))
    work = [at for name, at in last.items() if name != "gone"]
    stages = (
        Stage(name="job-made", began=begin, ended=first.get("job")),
        Stage(name="upload", began=begin, ended=last.get("upload")),
        Stage(name="allocation", began=first.get("job"), ended=first.get("nodes")),
        Stage(name="boot", began=first.get("nodes"), ended=first.get("start task", ready)),
        Stage(name="start-task", began=first.get("start task"), ended=ready),
        Stage(name="queue", began=first.get("added"), ended=first.get("started")),
        Stage(name="task-time", began=first.get("started"), ended=last.get("ended")),
        Stage(name="output", began=last.get("ended"), ended=home),
        Stage(name="cleanup", began=max(work, default=None), ended=last.get("gone")),
    )
    seen = (stage for stage in stages if stage.began is not None or stage.ended is not None)
    # Nodes that have no start task are never seen to wait for one.
    return tuple(stage for stage in seen if stage.name != "start-task" or stage.began is not None)
