"""The record of a run: how it was asked for, kept so that anybody can go on with it later.

It holds no key and no value of a secret; it must not know what became of the run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from runner.errors import UsageError, describe_os_error
from runner.frozen import dataclass
from runner.json_text import read_json
from runner.plan.model import RunId
from runner.plan.prices.node_price import NodePrice
from runner.run.events import format_time
from runner.run.records.git_state import GitState
from runner.run.records.reading import read_time
from runner.spec.model.terms import ParameterValue

RECORD = "run.json"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What the command line and the environment said when the run began.

    Paths are absolute, of the machine that began it. `parameters` are those that are no secrets.
    The endpoints are None for the local target, whose services have others each time.
    """

    run: RunId
    workload: str
    version: str
    """Of batch-run."""
    created: datetime
    spec: str
    folder: str
    """The spec's: what its paths are relative to."""
    parameters: Mapping[str, ParameterValue]
    target: str
    output_directory: str
    keep: tuple[str, ...] = ()
    logs: str = "failed"
    allow_admin: bool = False
    isolation: str = "auto"
    limits: str = "auto"
    batch_endpoint: str | None = None
    storage_endpoint: str | None = None
    detached: bool = False
    with_packages: bool = True
    """Whether the start task installs what the spec's `packages` name."""
    from_service: bool = False
    """Made from what the services had of a run that was begun elsewhere."""
    trial_seconds: float | None = None
    """How long the job may last at most, of a run that tries the spec on one node."""
    price: NodePrice | None = None
    """What an hour of the pool's nodes costs, as it was known then."""
    git: GitState | None = None
    """The commit that the spec's folder was at; None where it is in no repository."""
    made_with: Mapping[str, str] = field(default_factory=dict)
    """Versions by name: of Python, the client's system, the SDKs."""
    moved_from: tuple[str, ...] = ()
    """Earlier output directories, whose files are in the present one as well."""


def record_as_json(record: RunRecord) -> str:
    """The text of the record's file."""
    value = {"v": VERSION, **asdict(record), "created": format_time(record.created)}
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def read_record(directory: Path) -> RunRecord:
    """The record of a run's directory; `UsageError` where there is none that can be read."""
    path = directory / RECORD
    try:
        return record_from_json(path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(
            f"`{directory}` has no `{RECORD}`: the run ended before it began, or an earlier version"
            " of batch-run made it"
        ) from error
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {describe_os_error(error)}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"`{path}` is not the record of a run: {error}") from error


def record_from_json(text: bytes) -> RunRecord:
    """The record of its file's text; `ValueError`, `TypeError` or `KeyError` if it is none."""
    value: dict[str, Any] = read_json(text)
    if value.pop("v") != VERSION:
        raise ValueError("it was made by a later version of batch-run")
    known = {each.name for each in fields(RunRecord)}
    given = {name: each for name, each in value.items() if name in known}
    given["created"] = read_time(given["created"])
    given["keep"] = tuple(given["keep"])
    price = given.get("price")
    given["price"] = None if price is None else NodePrice(**price)
    git = given.get("git")
    given["git"] = None if git is None else GitState(**git)
    given["moved_from"] = tuple(given.get("moved_from", ()))
    return RunRecord(**given)
