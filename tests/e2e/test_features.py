"""Each line of docs/features.md, run on the emulator: the service received what the table says."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential

from runner.cli.dispatch import run_command
from runner.cli.signals import Interruptions
from runner.run.clock import Clock
from runner.run.stop import Stop
from tests.e2e.conftest import COMMAND, LIMIT_SECONDS, ROOT, User
from tests.unit.cli.worlds import make_world

PAGE = ROOT / "docs" / "features.md"
BASE = {
    "version": 1,
    "limits": {"wait": "30s"},
    "containers": {"input": {"upload": [{"from": "data"}]}, "output": {}},
    "pool": {"image": "ubuntu 24.04", "vm_size": "Standard_D2s_v5", "nodes": {"dedicated": 1}},
    "task": {"for_each": "input", "command": "true"},
}


@dataclass(frozen=True)
class Feature:
    """A row of the page."""

    name: str
    specs: tuple[dict[str, Any], ...]
    sent_as: str
    properties: dict[str, Any]


def read_features() -> Iterator[Feature]:
    """The rows of all tables."""
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) != 4 or not cells[3].startswith("`{"):
            continue
        name, spec, sent_as, properties = (cell.replace("\\|", "|") for cell in cells)
        yield Feature(
            name=name,
            specs=tuple(map(yaml.safe_load, re.findall(r"`([^`]+)`", spec))),
            sent_as=sent_as,
            properties=json.loads(properties.strip("`")),
        )


FEATURES = tuple(read_features())


def merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """`more` laid over `base`; null takes a key away."""
    result = dict(base)
    for key, value in more.items():
        below = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(below, dict) and key != "image":
            result[key] = merged(below, value)
        else:
            result[key] = value
    return result


def contains(found: Any, wanted: Any) -> bool:
    """Whether all of `wanted` is in `found`; lists may have more between, in the same order."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            key in found and contains(found[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        rest: Iterator[Any] = iter(found if isinstance(found, list) else ())
        return all(any(contains(each, value) for each in rest) for value in wanted)
    return bool(found == wanted and type(found) is type(wanted))


@dataclass(frozen=True)
class Recorder:
    """An emulator that writes down what it receives."""

    environ: Mapping[str, str]
    record: Path

    def bodies(self, offset: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """What was sent from a place of the record on, by the names of the page."""
        with self.record.open() as stream:
            stream.seek(offset)
            entries = [json.loads(line) for line in stream]
        for entry in entries:
            body = entry.get("body")
            if entry["method"] != "POST" or not isinstance(body, dict):
                continue
            end = entry["path"].rpartition("/")[2]
            if end == "jobs":
                yield "job", body
                specification = body["poolInfo"].get("autoPoolSpecification")
                if specification is not None:
                    yield "pool", specification["pool"]
            elif end == "pools":
                yield "pool", body
            elif end == "addtaskcollection":
                yield from (("task", task) for task in body["value"])
            elif end == "jobschedules":
                yield "schedule", body


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    """An emulator with a record, which runs nothing, and a pool called `my-pool` in it."""
    folder = tmp_path_factory.mktemp("recorder")
    record = folder / "record.jsonl"
    arguments = (
        "emulator",
        "--json",
        "--data",
        str(folder / "data"),
        "--record",
        str(record),
        "--model",
        "0s",
    )
    with subprocess.Popen(
        [COMMAND, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            batch = ready["batch"]
            make_pool(batch)
            yield Recorder(
                environ={
                    "AZURE_BATCH_ENDPOINT": batch["endpoint"],
                    "AZURE_BATCH_ACCOUNT": batch["account"],
                    "AZURE_BATCH_ACCESS_KEY": batch["key"],
                    "AZURE_STORAGE_CONNECTION_STRING": ready["storage"]["connection_string"],
                    **{
                        f"BATCH_RUN_SECRET_{name}": "c2VjcmV0"
                        for name in ("GHCR", "FILMS", "SHARE", "CIFS", "ANN")
                    },
                },
                record=record,
            )
        finally:
            process.terminate()
            assert process.wait(timeout=LIMIT_SECONDS) == 0


def make_pool(batch: Mapping[str, str]) -> None:
    """The pool of somebody else."""
    credential = AzureNamedKeyCredential(batch["account"], batch["key"])
    image = {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"}
    pool: Any = {
        "id": "my-pool",
        "vmSize": "Standard_D2s_v5",
        "virtualMachineConfiguration": {
            "imageReference": image,
            "nodeAgentSKUId": "batch.node.ubuntu 24.04",
        },
        "targetDedicatedNodes": 1,
    }
    with BatchClient(batch["endpoint"], credential) as client:
        client.create_pool(pool)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_the_service_receives_it(feature: Feature, user: User, recorder: Recorder) -> None:
    # A name of its own: the pool that another has kept takes no new end for half a minute.
    spec: dict[str, Any] = {**BASE, "name": f"feature-{FEATURES.index(feature)}"}
    for more in feature.specs:
        spec = merged(spec, more)
    user.write("spec.yaml", yaml.safe_dump(spec, sort_keys=False))
    user.write("data/a.txt", "a")
    user.write("data/b.txt", "b")
    user.write("rows.csv", "city,country\nBergen,NO\nOslo,NO\n")
    offset = recorder.record.stat().st_size
    # Within this process: other tests show that the command does the same.
    world, _, stderr = make_world(user.folder)
    world.environ, world.clock = (
        {**user.environ, **recorder.environ},
        Clock(
            now=lambda: datetime.now(timezone.utc),
            monotonic=time.monotonic,
            wait=Stop.wait,
        ),
    )
    code = run_command(["run", "spec.yaml", "--target", "azure"], world, Interruptions())
    assert code in {0, 1, 3, 4}, stderr.getvalue()
    bodies = list(recorder.bodies(offset))
    assert any(
        kind == feature.sent_as and contains(body, feature.properties) for kind, body in bodies
    ), f"{json.dumps(bodies, indent=1)}\n{stderr.getvalue()}"


def test_the_page_has_its_rows() -> None:
    assert len(FEATURES) > 50
    assert len({feature.name for feature in FEATURES if feature.name != "anything else"}) > 45


def test_a_fragment_that_is_not_there_is_missed() -> None:
    body = {"a": [{"b": 1, "c": 2}, {"d": True}], "e": "x"}
    assert contains(body, {"a": [{"b": 1}, {"d": True}]})
    assert not contains(body, {"a": [{"d": True}, {"b": 1}]})
    assert not contains(body, {"a": [{"b": 2}]})
    assert not contains(body, {"a": [{"d": 1}]})
    assert not contains(body, {"f": "x"})
