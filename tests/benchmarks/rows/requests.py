"""The requests that a run sends to both services, by what they ask for.

It must not know how the emulator counts them, but for its record of requests.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.contest import OURS, Contest, Contestant, Target
from tests.benchmarks.data import check_copies, make_texts
from tests.benchmarks.emulators import start_emulator
from tests.benchmarks.rows.cat import SPEC, TASKS
from tests.benchmarks.samples import EMULATOR, Sample
from tests.benchmarks.setting import Setting

_COLLECTIONS = frozenset({"jobs", "pools", "tasks", "nodes", "jobschedules", "files"})
_PREFIX = "requests: "
_RECORD = re.compile(r"/run/|/\.")
"""What a run keeps of itself among its logs is no file of a task."""


@contextmanager
def open_requests(setting: Setting) -> Iterator[Contest]:
    """A run with inputs and outputs against an emulator that writes down what it is asked."""
    count = setting.size(TASKS, least=10)
    folder = setting.place("requests")
    make_texts(folder / "data", count, seed=setting.seed)
    (folder / "speed.yaml").write_text(SPEC)

    def once(place: Path) -> Sample:
        record = place / "requests.jsonl"
        options = ("--data", place / "state", "--record", record)
        with start_emulator(setting.environ, *options) as running:
            before = running.used()
            finished = setting.run(
                *("run", folder / "speed.yaml", "--target", "azure"),
                folder=place,
                environ=running.environ(setting.environ),
            )
            emulator = running.cost_since(before)
        check_copies(folder / "data", place / "results" / "speed" / "output")
        counts = count_requests(map(json.loads, record.read_text().splitlines()))
        transfers = sum(number for name, number in counts.items() if name.startswith("blob: "))
        others = counts.total() - transfers
        costs = [cost for cost in finished.sample.costs if cost.role != EMULATOR]
        return Sample(
            wall_seconds=finished.sample.wall_seconds,
            costs=(*costs, emulator),
            figures={
                "requests": others,
                "transfers": transfers,
                **{f"{_PREFIX}{name}": number for name, number in sorted(counts.items())},
            },
        )

    command = "batch-run run speed.yaml --target azure"
    yield Contest(
        title=f"requests of a run of {count:,} tasks with inputs and outputs",
        contestants=(Contestant(name=OURS, command=command, once=once),),
        targets=(
            Target(what="requests, blob transfers aside", figure="requests", plus=60),
            Target(what="transfers of blobs", figure="transfers"),
        ),
    )


def count_requests(lines: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """How many requests asked for what; `blob: …` are transfers of files to and from blobs."""
    return Counter(_name(line) for line in lines)


def _name(line: Mapping[str, Any]) -> str:
    method, path, query = line["method"], line["path"], line["query"]
    parts = path.strip("/").split("/")[1:]  # behind the account
    if line["service"] == "batch":
        return f"batch {method} /" + "/".join(
            part if index % 2 == 0 or parts[index - 1] not in _COLLECTIONS else "*"
            for index, part in enumerate(parts)
        )
    asked = query.get("comp") or query.get("restype") or ""
    if len(parts) > 1 and asked in {"", "block", "blocklist"}:
        if _RECORD.search("/" + "/".join(parts[1:])):
            return f"storage {method} record of the run {asked}".rstrip()
        return f"blob: {method} {asked}".rstrip()
    what = ("account", "container", "blob")[min(len(parts), 2)]
    return f"storage {method} {what} {asked}".rstrip()
