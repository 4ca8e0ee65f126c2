"""What the start tasks of a run's nodes print: on the nodes, or kept where they failed.

It must not know why a start task fails, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from runner.cli.growing_logs import GrowingLog
from runner.cli.looking import NotThereError, open_to_look
from runner.cli.task_logs import PAUSES_SECONDS, Asked, Opening
from runner.cli.world import World
from runner.connect import Services
from runner.errors import BatchRunError, ServiceError, UsageError
from runner.report.as_text import plural
from runner.report.journal_fold import fold_journal
from runner.run.events import NodeChanged, StartTaskFailed
from runner.run.pools.node_logs import MOST_BYTES, START_TASK, node_log_path
from runner.run.records.driving import find_driver
from runner.run.records.following import Following
from runner.run.records.record import RunRecord, read_record
from runner.run.services import NodeStatus
from runner.run.stop import Stop

_STARTING = frozenset({"creating", "starting", "rebooting", "reimaging", "waitingforstarttask"})
_OF_NODES = tuple(f'"type":"{kind.type}"'.encode() for kind in (NodeChanged, StartTaskFailed))


@dataclass(slots=True)
class _Scene:
    """What is shown: logs of all nodes, or of those whose ids have `node` in them."""

    directory: Path
    asked: Asked
    world: World
    node: str | None
    kept: set[str] = field(default_factory=set)
    """Nodes of which all that is left is here, and was shown."""
    logs: dict[tuple[str, str], GrowingLog] = field(default_factory=dict)

    def is_wanted(self, node: str) -> bool:
        """Whether it is asked for."""
        return self.node is None or self.node in node

    def log(self, node: str, stream: str) -> GrowingLog:
        """One of its logs, and how much of that was shown."""
        key = (node, stream)
        if key not in self.logs:
            self.logs[key] = GrowingLog(node, stream, self.asked.output)
        return self.logs[key]


def show_start_tasks(
    directory: Path,
    asked: Asked,
    world: World,
    *,
    node: str | None,
    follow: Stop | None,
    open_services: Opening = open_to_look,
) -> None:
    """Of all nodes, or of one that may be named by a part of its id.

    With `follow` until no node is starting; nodes are waited for while the run is driven here.
    Raises `UsageError` where there is no such node or nothing is kept, and `InterruptedRunError`
    once the following is to stop.
    """
    record = read_record(directory)
    scene = _Scene(directory, asked, world, node)
    _show_kept(scene)
    pool = _find_pool(directory, record, world, follow)
    found = bool(scene.kept)
    try:
        if pool is not None and not (found and node is not None):
            with open_services(record, directory, world) as services:
                found |= _of_nodes(scene, services, pool, follow)
    except NotThereError as error:
        _say_missing(scene, record.run, error, found=found)
        return
    if not found:
        what = "no node" if node is None else f"no node `{node}`"
        raise UsageError(
            f"run `{record.run}` has {what} whose start task has left a log",
            hint=f"`batch-run status {record.run}` shows its nodes",
        )


def _find_pool(directory: Path, record: RunRecord, world: World, follow: Stop | None) -> str | None:
    """The run's pool; to be followed, it is waited for while somebody here may make it yet."""
    while True:
        # Asked first: what was told before the end is then read below.
        is_driven = find_driver(directory) is not None
        pool = fold_journal(directory).report.pool
        if pool is not None or follow is None or not is_driven or not world.has_reader:
            return pool
        world.clock.wait(follow, PAUSES_SECONDS[record.target])
        follow.check()


def _say_missing(scene: _Scene, run: str, error: BatchRunError, *, found: bool) -> None:
    """Nodes are gone; of those whose start task failed the logs are here, but for too many."""
    if not found:
        node = scene.node
        which = "start tasks" if node is None else f"the start task of node `{node}`"
        raise UsageError(
            f"nothing is kept of what {which} of run `{run}` printed: {error.message}",
            hint="it is kept of nodes where it failed",
        ) from error
    if scene.node is not None:
        return
    seen, failed = set(), set()
    for _, event in Following(scene.directory).events(*_OF_NODES):
        match event:
            case NodeChanged():
                seen.add(event.node)
            case StartTaskFailed(command="start task"):
                failed.add(event.node)
            case _:
                pass
    cut, good = len(failed - scene.kept), len(seen - failed - scene.kept)
    if good:
        scene.world.say(f"of {plural(good, 'node')} whose start task did not fail nothing is kept")
    if cut:
        scene.world.say(
            f"of {plural(cut, 'more node')} where it failed only the end is kept: `batch-run"
            f" events {run} --type {StartTaskFailed.type}` has it"
        )


def _kept(directory: Path) -> Iterator[str]:
    folder = directory / "logs" / START_TASK
    if folder.is_dir():
        yield from sorted(unquote(each.name) for each in folder.iterdir())


def _show_kept(scene: _Scene) -> None:
    """What has come home of nodes whose start task failed, as far as it was not shown before."""
    for node in _kept(scene.directory):
        if not scene.is_wanted(node):
            continue
        scene.kept.add(node)
        for stream in scene.asked.streams:
            path = node_log_path(scene.directory, START_TASK, node, stream)
            content = path.read_bytes() if path.is_file() else b""
            log = scene.log(node, stream)
            # Of a longer one the beginning was left out: nobody knows where it goes on.
            if len(content) < MOST_BYTES or not log.shown:
                log.show([content[log.shown :]] if log.shown < len(content) else [])


def _of_nodes(scene: _Scene, services: Services, pool: str, follow: Stop | None) -> bool:
    """Whether there is such a node, of which nothing is kept here."""
    directory, world = scene.directory, scene.world
    if follow is not None:
        services.heed(follow, world.say)
    found = False
    while True:
        is_driven = find_driver(directory) is not None
        try:
            there = services.batch.node_statuses(pool)
        except ServiceError:
            # Whoever drives the run may have ended it and its services.
            if follow is None or find_driver(directory) is not None:
                raise
            break
        nodes = [each for each in there if each.id not in scene.kept and scene.is_wanted(each.id)]
        found = found or bool(nodes)
        for each in nodes:
            _show_new(scene, services, pool, each)
        waits = any(each.state in _STARTING for each in nodes) or (is_driven and not there)
        if follow is None or not waits or not world.has_reader:
            break
        world.clock.wait(follow, PAUSES_SECONDS[services.target])
        follow.check()
    if follow is not None:
        _show_kept(scene)  # what was told after the last look, of nodes that are gone by now
    for name, _ in scene.logs:
        scene.asked.output.finish(name)
    return found or bool(scene.kept)


def _show_new(scene: _Scene, services: Services, pool: str, node: NodeStatus) -> None:
    for stream in scene.asked.streams:
        path = f"startup/{stream}.txt"
        size = services.batch.node_file_size(pool, node.id, path)
        if size is None:
            continue
        is_first = (node.id, stream) not in scene.logs
        log = scene.log(node.id, stream)
        if is_first:
            log.shown = max(0, size - MOST_BYTES)  # of a long one that is there, the end
        log.read(size, partial(_read, services, pool, node.id, path))


def _read(
    services: Services, pool: str, node: str, path: str, start: int, length: int
) -> bytes | None:
    return services.batch.read_node_file(pool, node, path, start=start, length=length)
