"""The runs, tasks, parameters and examples that a word may be.

It reads what is there and forgives what is broken: nobody who presses a key waits, or is told of
errors. It asks no service and must not know of shells.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from runner.cli.completion.wanted import Kind, Offer, Wanted
from runner.errors import UsageError
from runner.run.records.directory import find_run, list_runs

_MOST = 500
"""More nobody reads, and shells take long to lay them out."""
_JOURNAL = "events.jsonl"
_MOST_BYTES = 16 * 1024 * 1024
"""Of a longer journal the beginning and the end are read, which takes a tenth of a second."""
_ADDED = re.compile(rb'"type":"task\.added","task":"(\d+)","item":("(?:[^"\\]|\\.)*")')
_FINISHED = re.compile(rb'"type":"task\.finished","task":"(\d+)"[^\n]*?"succeeded":(true|false)')

_NODE = re.compile(rb'"type":"node\.changed","node":"([\w-]+)","state":"(\w+)"')


def find_offers(wanted: Wanted, folder: Path) -> tuple[Offer, ...]:
    """What the word may be, of those that begin as it does; empty where nothing can be told."""
    with contextlib.suppress(UsageError, OSError, ValueError):
        return tuple(islice(_offers(wanted, folder), _MOST))
    return ()


def _offers(wanted: Wanted, folder: Path) -> Iterator[Offer]:
    match wanted.kind:
        case Kind.RUN:
            yield from _runs(folder, wanted.typed)
        case Kind.TASK:
            yield from _tasks(folder, wanted)
        case Kind.ONE_TASK:  # of the last run: the words before it name no run, but a spec
            yield from _tasks(folder, Wanted(typed=wanted.typed))
        case Kind.TASK_OR_RUN:
            if not any(map(str.isdigit, wanted.words)):
                yield from _tasks(folder, wanted)
            yield from _runs(folder, wanted.typed)
        case Kind.SOME_TASKS:
            yield from _some_tasks(folder, wanted)
        case Kind.PARAMETER:
            yield from _parameters(folder, wanted)
        case Kind.EXAMPLE:
            from runner.cli.starter import examples

            for each in examples():
                yield Offer(word=each.name, meaning=each.description)
        case Kind.SCHEMA:
            from runner.spec.published import published

            for schema in published():
                yield Offer(word=schema.name, meaning=schema.description)
        case Kind.PRICES:
            yield Offer(word="azure", meaning="Azure's list prices, also azure:REGION:CURRENCY")
        case Kind.NODE:
            yield from _nodes(folder, wanted)
        case Kind.EVENT_TYPE:
            from typing import get_args

            from runner.run.events import Event

            yield from (Offer(word=each.type) for each in get_args(Event))
        case _:
            yield from wanted.offers


def _runs(folder: Path, typed: str) -> Iterator[Offer]:
    """The newest first."""
    for directory in reversed(list_runs(folder)):
        if directory.name.startswith(typed):
            yield Offer(word=directory.name, meaning="run")


def _tasks(folder: Path, wanted: Wanted) -> Iterator[Offer]:
    """Failed tasks first; with leading zeros only where these are typed."""
    run = next((word for word in wanted.words if not word.isdigit()), None)
    with contextlib.suppress(UsageError, OSError):
        journal = _read_journal(find_run(folder, run) / _JOURNAL)
        items = {each[1]: each[2] for each in _ADDED.finditer(journal)}
        ends = {each[1]: each[2] for each in _FINISHED.finditer(journal)}
        failed = {task: None for task, succeeded in ends.items() if succeeded == b"false"}
        rest = (task for task in items if task not in failed)
        for task in (*failed, *rest):
            word = task.decode()
            if not word.startswith(wanted.typed):
                word = word.lstrip("0")
            if word.startswith(wanted.typed):
                item = json.loads(items[task]) if task in items else ""
                state = "failed: " if task in failed else ""
                yield Offer(word=word, meaning=f"{state}{item}" or "task")


def _nodes(folder: Path, wanted: Wanted) -> Iterator[Offer]:
    run = next((word for word in wanted.words if not word.isdigit()), None)
    with contextlib.suppress(UsageError, OSError):
        journal = _read_journal(find_run(folder, run) / _JOURNAL)
        states = {each[1]: each[2] for each in _NODE.finditer(journal)}
        for node, state in states.items():
            yield Offer(word=node.decode(), meaning=state.decode())


def _some_tasks(folder: Path, wanted: Wanted) -> Iterator[Offer]:
    """Ids with commas between them, or the word for those that failed; of the last run."""
    before, comma, typed = wanted.typed.rpartition(",")
    if not comma:
        yield Offer(word="failed", meaning="those that did not succeed in the last run")
    there = {each.lstrip("0") for each in before.split(",")}
    for each in _tasks(folder, Wanted(typed=typed)):
        if each.word.lstrip("0") not in there:
            yield Offer(word=f"{before}{comma}{each.word}", meaning=each.meaning)


def _parameters(folder: Path, wanted: Wanted) -> Iterator[Offer]:
    """The parameters of the specs in the line; their values are the user's to know."""
    if "=" in wanted.typed:
        return
    from runner.cli.completion.parameters import read_parameters

    for spec in wanted.words:
        for name, description in read_parameters(folder / spec):
            yield Offer(word=f"{name}=", meaning=description)


def _read_journal(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(_MOST_BYTES // 2)
        end = file.seek(0, 2)
        file.seek(max(len(start), end - _MOST_BYTES // 2))
        return start + file.read()


def matching(offers: Sequence[Offer], typed: str) -> tuple[Offer, ...]:
    """Those that begin as the word does."""
    return tuple(each for each in offers if each.word.startswith(typed))
