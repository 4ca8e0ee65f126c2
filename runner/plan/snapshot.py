"""What a plan was made of besides its spec, kept so that the same plan can be made again later.

Files may be changed or gone by then, or be on another machine; nothing of their content is kept,
but for rows, which are part of the plan. It must not know why a plan is made again.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.errors import UsageError, describe_os_error
from runner.frozen import dataclass
from runner.json_text import read_json
from runner.plan.file_table import FileTable, FileTableBuilder, Origin
from runner.plan.model import ContainerPlan, Plan
from runner.plan.rows import RowTable
from runner.plan.sources import row_sources
from runner.plan.tasks import TaskSequence
from runner.spec.model.sources import RowsFormat
from runner.spec.model.terms import Role
from runner.spec.model.workload import Workload

SNAPSHOT = "inputs.jsonl.gz"
VERSION = 1
# A line each for a million files: the fastest level saves as much as matters.
_COMPRESSION = 1

Rows = Mapping[tuple[str, RowsFormat], RowTable]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The containers with their files, and the rows of each file of rows."""

    containers: tuple[ContainerPlan, ...]
    rows: Rows


def write_snapshot(path: Path, plan: Plan) -> None:
    """Writes what a plan was made of; raises `OSError`."""
    with gzip.open(path, "wt", encoding="ascii", compresslevel=_COMPRESSION) as stream:
        for line in _lines(plan):
            stream.write(f"{json.dumps(line, separators=(',', ':'))}\n")


def read_snapshot(path: Path, workload: Workload) -> Snapshot:
    """What the plan of a workload was made of; `UsageError` where it cannot be read whole."""
    try:
        with gzip.open(path, "rt", encoding="ascii") as stream:
            return _read(map(read_json, stream), workload)
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {describe_os_error(error)}") from error
    except (ValueError, TypeError, LookupError, EOFError, StopIteration, zlib.error) as error:
        raise UsageError(
            f"`{path}` is damaged: what the run was made of cannot be known from it"
        ) from error


def _lines(plan: Plan) -> Iterator[object]:
    tasks = plan.tasks
    assert isinstance(tasks, TaskSequence)  # `expand` has made it
    yield {"v": VERSION, "run": plan.run_id}
    for container in plan.containers:
        yield from _container_lines(container)
    written: set[tuple[str, RowsFormat]] = set()
    for source in row_sources(plan.workload):
        key = (source.path, source.format)
        if key in written:
            continue
        written.add(key)
        table = tasks.materials.rows[source.pointer]
        yield {"rows": source.path, "format": source.format.value, "count": len(table)}
        for index in range(len(table)):
            yield dict(table[index])
    yield {"end": True}


def _container_lines(container: ContainerPlan) -> Iterator[object]:
    files = container.files
    assert isinstance(files, FileTable)
    yield {
        "container": container.role,
        "name": container.name,
        "made": container.is_made,
        "unchanged": sorted(container.unchanged),
        "origins": [
            [None if each.source is None else str(each.source), each.cut, each.is_file]
            for each in files.origins
        ],
        "count": len(files),
    }
    for index in range(len(files)):
        yield files.row(index)


def _read(lines: Iterator[Any], workload: Workload) -> Snapshot:
    if next(lines)["v"] != VERSION:
        raise UsageError(
            "the run was begun by another version of batch-run that keeps it otherwise"
        )
    containers: list[ContainerPlan] = []
    rows: dict[tuple[str, RowsFormat], RowTable] = {}
    for head in lines:
        if "container" in head:
            containers.append(_read_container(head, lines))
        elif "rows" in head:
            table = rows[head["rows"], RowsFormat(head["format"])] = RowTable()
            for _ in range(head["count"]):
                table.append(next(lines))
        elif head.get("end"):
            roles = [each.role for each in containers]
            if roles != [each.role for each in workload.containers]:
                raise ValueError("the containers are not those of the spec")
            for _ in lines:  # none, and with the end of the file its checksum is looked at
                raise ValueError("something follows the end")
            return Snapshot(containers=tuple(containers), rows=rows)
    raise EOFError


def _read_container(head: dict[str, Any], lines: Iterator[Any]) -> ContainerPlan:
    origins = [
        Origin(source=None if source is None else Path(source), cut=cut, is_file=is_file)
        for source, cut, is_file in head["origins"]
    ]
    builder = FileTableBuilder(origins)
    for _ in range(head["count"]):
        blob, size, origin, below = next(lines)
        builder.add(blob, size, origin=origin, below=below)
    return ContainerPlan(
        role=Role(head["container"]),
        name=head["name"],
        files=builder.build(),
        is_made=head["made"],
        unchanged=frozenset(head["unchanged"]),
    )
