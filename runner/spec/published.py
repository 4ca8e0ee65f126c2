"""The JSON Schemas that are published: of specs, and of all that commands print and keep as data.

It knows where they lie and how they call themselves, and nothing of what is in them.
"""

from __future__ import annotations

import json
from pathlib import Path

from runner.errors import UsageError
from runner.frozen import dataclass
from runner.spec.bundled import bundled
from runner.spec.suggestion import suggest

OF_SPECS = "workload"
_SUFFIX = ".schema.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One schema: `id` is its `$id`, whose last part is its version."""

    name: str
    id: str
    description: str
    path: Path

    @property
    def version(self) -> int:
        """Keys are only ever added within one."""
        return int(self.id.rpartition(":")[2])


def published() -> tuple[Published, ...]:
    """All of them: that of specs, then the others by their names."""
    found = [_read(path) for path in bundled("schema").glob(f"*{_SUFFIX}")]
    return tuple(sorted(found, key=lambda each: (each.name != OF_SPECS, each.name)))


def find_schema(name: str) -> Path:
    """The file of the schema of that name; `UsageError` where there is none."""
    names = sorted(path.name.removesuffix(_SUFFIX) for path in bundled("schema").iterdir())
    if name not in names:
        raise UsageError(
            f"there is no schema `{name}`",
            hint=suggest(name, names, label="schemas") or "`batch-run schema --list` shows them",
        )
    return bundled("schema", f"{name}{_SUFFIX}")


def _read(path: Path) -> Published:
    value = json.loads(path.read_bytes())
    return Published(
        name=path.name.removesuffix(_SUFFIX),
        id=value["$id"],
        description=value["description"],
        path=path,
    )
