"""What the start tasks of a run's nodes print: on the nodes, or kept where they failed.

It must not know why a start task fails, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from runner.cli.looking import NotThereError, open_to_look
from runner.cli.task_logs import PAUSES_SECONDS, Asked, Opening
from runner.cli.world import World
from runner.connect import Services
from runner.errors import BatchRunError, ServiceError, UsageError
from runner.report.journal_fold import fold_journal
from runner.run.pools.node_logs import MOST_BYTES, START_TASK, node_log_path
from runner.run.records.driving import find_driver
from runner.run.records.record import RunRecord, read_record
from runner.run.stop import Stop

_STARTING = frozenset({"creating", "starting", "rebooting", "reimaging", "waitingforstarttask"})


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
    kept = {
        name: node_log_path(directory, START_TASK, name, "stdout").parent
        for name in _kept(directory)
        if node is None or node in name
    }
    shown: dict[tuple[str, str], int] = {}
    for name, folder in kept.items():
        for stream in asked.streams:
            path = folder / f"{stream}.txt"
            log = path.read_bytes() if path.is_file() else b""
            _show(asked, shown, name, stream, log)
    pool = _find_pool(directory, record, world, follow)
    found = bool(kept)
    try:
        if pool is not None and not (found and node is not None):
            with open_services(record, directory, world) as services:
                found |= _of_nodes(
                    services, directory, pool, asked, world, node, kept, shown, follow
                )
    except NotThereError as error:
        _say_missing(record.run, node, error, world, found=found)
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


def _say_missing(
    run: str, node: str | None, error: BatchRunError, world: World, *, found: bool
) -> None:
    """Nodes are gone; of those whose start task failed all is here."""
    if not found:
        which = "start tasks" if node is None else f"the start task of node `{node}`"
        raise UsageError(
            f"nothing is kept of what {which} of run `{run}` printed: {error.message}",
            hint="it is kept of nodes where it failed",
        ) from error
    if node is None:
        world.say("of nodes whose start task succeeded nothing is kept")


def _kept(directory: Path) -> Iterator[str]:
    folder = directory / "logs" / START_TASK
    if folder.is_dir():
        yield from sorted(unquote(each.name) for each in folder.iterdir())


def _of_nodes(
    services: Services,
    directory: Path,
    pool: str,
    asked: Asked,
    world: World,
    node: str | None,
    kept: dict[str, Path],
    shown: dict[tuple[str, str], int],
    follow: Stop | None,
) -> bool:
    """Whether there is such a node, of which nothing is kept here."""
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
        nodes = [
            each for each in there if each.id not in kept and (node is None or node in each.id)
        ]
        found = found or bool(nodes)
        for each in nodes:
            for stream in asked.streams:
                path = f"startup/{stream}.txt"
                log = services.batch.read_node_log(pool, each.id, path, MOST_BYTES)
                _show(asked, shown, each.id, stream, log)
        waits = any(each.state in _STARTING for each in nodes) or (is_driven and not there)
        if follow is None or not waits or not world.has_reader:
            break
        world.clock.wait(follow, PAUSES_SECONDS[services.target])
        follow.check()
    for name, _ in shown:
        asked.output.finish(name)
    return found


def _show(
    asked: Asked, shown: dict[tuple[str, str], int], node: str, stream: str, log: bytes
) -> None:
    """What is new of a log, of which no more than its end is at hand."""
    before = shown.get((node, stream), 0)
    if len(log) < before:
        before = 0  # the node was begun anew
    if len(log) > before:
        asked.output.show(node, "", stream, before, log[before:])
        shown[node, stream] = len(log)
