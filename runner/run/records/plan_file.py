"""Reads the commands of tasks back from the plan that a run's directory keeps.

It must not know why somebody asks for them.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

PLAN = "plan.json"
_TASK = b'{"id": "'


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
                task = json.loads(line.rstrip(b",\n"))
                found[str(task["id"])] = str(task["command"])
    except (OSError, ValueError, KeyError):
        return found
    return found
