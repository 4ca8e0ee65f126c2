"""How often a run asks the services for something: a few times for all, and not for each task."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import COMMAND, LIMIT_SECONDS, User

TASKS = 240
SPEC = """
version: 1
name: demo
containers:
  input: {upload: [{from: data}]}
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server, version: latest}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
  task_slots_per_node: 2
task:
  for_each: input
  command: cat {{ file.path }} > {{ file.stem }}.out
  outputs: [{pattern: "{{ file.stem }}.out", to: output}]
"""

MOST = {
    # Both accounts are asked for something before anything is made; the rest is the last look at
    # what is left.
    "batch GET pools": 2,
    "batch GET jobs": 1,
    "batch GET jobschedules": 1,
    "blob GET": 3,
    "batch GET supportedimages": 1,
    "blob PUT <run>-input": 1,
    "blob PUT <run>-output": 1,
    "blob PUT <run>-logs": 1,
    # The run is held by its record: claimed, asked for before things go, and every 20 seconds.
    "blob PUT <run>-logs/run/record.zip": 10,
    "batch POST jobs": 1,
    "batch PATCH jobs/<run>": 1,
    # From a first task alone to full collections.
    "batch POST jobs/<run>/addtaskcollection": 10,
    # These come in growing intervals: a slow machine has some more.
    "batch GET jobs/<run>/tasks": 25,
    "batch GET jobs/<run>": 9,
    "batch GET pools/<pool>": 7,
    "batch GET pools/<pool>/nodes": 7,
    "batch DELETE jobs/<run>": 1,
    "batch DELETE pools/<pool>": 1,
    **{f"blob DELETE <run>-{role}": 1 for role in ("input", "output", "logs")},
    # What is brought up, and what tasks leave, one blob at a time.
    "blob PUT <run>-input/<blob>": TASKS,
    "blob GET <run>-output/<blob>": TASKS,
}
"""How often a run of so many tasks may ask for what, at most."""
TRANSFERS = frozenset({"blob PUT <run>-input/<blob>", "blob GET <run>-output/<blob>"})
MOST_TOGETHER = 60
"""And for all but the contents of blobs: a run of any length has more looks, but few more."""


@dataclass(frozen=True)
class Recorded:
    """An emulator, and what it is asked for by anybody but its own nodes."""

    user: User
    record: Path

    def count(self) -> Counter[str]:
        entries = map(json.loads, self.record.read_text().splitlines())
        return Counter(
            _name(each["service"], each["method"], each["path"])
            for each in entries
            if not _is_of_node(each["method"], each["path"])
        )


def _is_of_node(method: str, path: str) -> bool:
    """Inputs go up from here and down to nodes, and outputs the other way."""
    if method == "GET":
        return "-input/" in path
    is_log = "-logs/" in path and not path.endswith("record.zip")
    return method == "PUT" and ("-output/" in path or is_log)


def _name(service: str, method: str, path: str) -> str:
    rest = path.lstrip("/").partition("/")[2]
    rest = re.sub(r"demo-\d{8}t\d{6}z-[a-z2-7]{4}", "<run>", rest)
    rest = re.sub(r"demo-[0-9A-F-]{36}", "<pool>", rest)
    rest = re.sub(r"(-input|-output)/.*", r"\1/<blob>", rest)
    return f"{service} {method} {rest}".rstrip()


@pytest.fixture
def recorded(user: User, tmp_path: Path) -> Iterator[Recorded]:
    record = tmp_path / "record.jsonl"
    options = ("--data", str(tmp_path / "data"), "--record", str(record), "--isolation", "none")
    with subprocess.Popen(
        [COMMAND, "emulator", "--json", *options],
        env=user.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            batch = ready["batch"]
            there = user.with_environ(
                AZURE_BATCH_ENDPOINT=batch["endpoint"],
                AZURE_BATCH_ACCOUNT=batch["account"],
                AZURE_BATCH_ACCESS_KEY=batch["key"],
                AZURE_STORAGE_CONNECTION_STRING=ready["storage"]["connection_string"],
            )
            yield Recorded(there, record)
        finally:
            process.terminate()
            assert process.wait(timeout=LIMIT_SECONDS) == 0


def test_a_run_asks_for_no_more_than_it_has_to(recorded: Recorded) -> None:
    user = recorded.user
    for number in range(TASKS):
        user.write(f"data/f{number:03}.txt", f"{number}\n")
    user.write("spec.yaml", SPEC)
    done = user.run("run", "spec.yaml", "--target", "azure")
    assert done.returncode == 0, done.stderr
    assert len(list((user.folder / "results/demo/output").iterdir())) == TASKS
    counts = recorded.count()
    print(counts)
    grown = {name: (count, MOST.get(name, 0)) for name, count in counts.items()}
    assert {name: each for name, each in grown.items() if each[0] > each[1]} == {}
    others = {name: count for name, count in counts.items() if name not in TRANSFERS}
    assert sum(others.values()) <= MOST_TOGETHER
    assert counts["blob PUT <run>-input/<blob>"] == counts["blob GET <run>-output/<blob>"] == TASKS
