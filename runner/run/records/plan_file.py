"""Reads the commands of tasks back from the plan that a run's directory keeps.

It must not know why somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from runner.errors import UsageError, describe_os_error
from runner.json_text import read_json

PLAN = "plan.json"
_TASK = b'{"id": "'
_LISTS = b' "containers": ['
"""The first line of what grows with the number of files and tasks."""


def read_plan_head(directory: Path) -> Mapping[str, Any] | None:
    """What the plan says of the run as a whole: pool, job, steps; None where no plan was kept.

    `UsageError` where it cannot be read. Its files and tasks may be a million, and are not read.
    """
    path = directory / PLAN
    lines = []
    try:
        with path.open("rb") as stream:
            for line in stream:
                if line.startswith(_LISTS):
                    lines.append(_LISTS + b"]}")
                    break
                lines.append(line)
        head: Mapping[str, Any] = read_json(b"".join(lines))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {describe_os_error(error)}") from error
    except ValueError as error:
        raise UsageError(f"`{path}` is not the plan of a run: {error}") from error
    return head


def read_scripts(directory: Path, ids: Collection[str]) -> dict[str, str]:
    """The scripts of some tasks by their ids; those that cannot be read are left out.

    Each task stands on a line of its own, so that a plan of a million need not be held.
    """
    wanted = {each.encode() for each in ids}
    found: dict[str, str] = {}
    if not wanted:
        return found
    try:
        with (directory / PLAN).open("rb") as stream:
            for line in stream:
                if not line.startswith(_TASK):
                    continue
                if line[len(_TASK) : line.index(b'"', len(_TASK))] not in wanted:
                    continue
                task = read_json(line.rstrip(b",\n"))
                found[str(task["id"])] = str(task["command"])
    except (OSError, ValueError, KeyError):
        return found
    return found
