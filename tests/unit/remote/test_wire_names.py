"""Every word that we send is a word of the service: a walk over our bodies beside its models.

The models are those of the SDK of 2025-06-01, as reference data that lies beside the project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.remote.pools import expiry_body, resize_body, update_body
from runner.remote.wire import job_body, task_body
from runner.remote.wire_pool import pool_body
from runner.remote.wire_schedule import schedule_body
from runner.run.services import AutoPool, Expiry
from runner.spec.model.pool import FixedNodes
from runner.spec.model.step import JobAction
from tests.unit.remote.samples import (
    FULL_JOB,
    FULL_POOL,
    FULL_POOL_REQUEST,
    FULL_STEP,
    FULL_TASK,
    JOB,
    NO_ADDRESSES,
    POOL_REQUEST,
    SCHEDULE,
    TASK,
)
from tests.unit.remote.stub import START

REFERENCE = Path(__file__).resolve().parents[4] / "shared" / "azure-batch" / "wire-2025-06-01.json"
_DURATION = re.compile(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_MODEL = re.compile(r"'_models\.(\w+)'")

Models = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def models() -> Models:
    if not REFERENCE.is_file():
        pytest.skip(f"the reference data of the service is not at {REFERENCE}")
    found: Models = json.loads(REFERENCE.read_text("utf-8"))["models"]
    return found


def faults(models: Models, model: str, body: object, place: str) -> Iterator[str]:
    """What in `body` is not as the model of that name says, each with its place."""
    if not isinstance(body, dict):
        yield f"{place}: not an object"
        return
    fields = {field["wire"]: field for field in models[model]["fields"].values()}
    for name, value in body.items():
        if name not in fields:
            yield f"{place}.{name}: not a property of {model}"
            continue
        if fields[name]["visibility"] == "['read']":
            yield f"{place}.{name}: only the service sets it"
        yield from type_faults(models, fields[name]["type"], value, f"{place}.{name}")
    for name, field in fields.items():
        if not field["type"].startswith("Optional[") and name not in body:
            yield f"{place}.{name}: required by {model}"


def type_faults(models: Models, kind: str, value: object, place: str) -> Iterator[str]:
    """What in `value` is not of a type as the SDK writes it."""
    if kind.startswith("Optional["):
        kind = kind.removeprefix("Optional[").removesuffix("]")
    if kind.startswith("list["):
        if not isinstance(value, list):
            yield f"{place}: not a list"
            return
        inner = kind.removeprefix("list[").removesuffix("]")
        for index, item in enumerate(value):
            yield from type_faults(models, inner, item, f"{place}[{index}]")
        return
    named = _MODEL.search(kind)
    if named is not None:
        name = named[1]
        if models[name]["kind"] != "enum":
            yield from faults(models, name, value, place)
        elif value not in models[name]["values"].values():
            yield f"{place}: `{value}` is no {name}"
        return
    if not fits(kind, value):
        yield f"{place}: {value!r} is no {kind}"


def fits(kind: str, value: object) -> bool:
    match kind:
        case "str":
            return isinstance(value, str)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "bool":
            return isinstance(value, bool)
        case "datetime.timedelta":
            return isinstance(value, str) and _DURATION.fullmatch(value) is not None
        case "datetime.datetime":
            return isinstance(value, str) and _MOMENT.fullmatch(value) is not None
        case _:
            raise AssertionError(f"a type that this test does not know: {kind}")


FIXED = replace(FULL_POOL, size=FixedNodes(dedicated=1, spot=2), network=NO_ADDRESSES)
BODIES: tuple[tuple[str, Any], ...] = (
    ("BatchJobCreateOptions", job_body(JOB)),
    ("BatchJobCreateOptions", job_body(FULL_JOB)),
    (
        "BatchJobCreateOptions",
        job_body(replace(JOB, pool=AutoPool(id_prefix="a-", request=FULL_POOL_REQUEST, keep=True))),
    ),
    ("BatchTaskCreateOptions", task_body(TASK)),
    ("BatchTaskCreateOptions", task_body(FULL_TASK)),
    *(
        ("BatchTaskCreateOptions", task_body(replace(FULL_TASK, job_action=action)))
        for action in (None, *JobAction)
    ),
    ("BatchPoolCreateOptions", {"id": "p", **pool_body(POOL_REQUEST)}),
    ("BatchPoolCreateOptions", {"id": "p", **pool_body(FULL_POOL_REQUEST)}),
    (
        "BatchPoolCreateOptions",
        {"id": "p", **pool_body(replace(FULL_POOL_REQUEST, pool=FIXED))},
    ),
    ("BatchJobScheduleCreateOptions", schedule_body(SCHEDULE)),
    (
        "BatchJobScheduleCreateOptions",
        schedule_body(
            replace(
                SCHEDULE,
                job=FULL_JOB,
                manager=replace(
                    FULL_TASK,
                    step=replace(FULL_STEP, instances=None, exit_rules=(), extra={}),
                    needs=(),
                    job_action=None,
                ),
            )
        ),
    ),
    ("BatchPoolUpdateOptions", update_body(FULL_POOL_REQUEST)),
    ("BatchPoolResizeOptions", resize_body(FixedNodes(dedicated=1, spot=2))),
    (
        "BatchPoolEnableAutoScaleOptions",
        expiry_body(
            Expiry(size=FixedNodes(dedicated=1, spot=2), at=START + timedelta(hours=1)),
        ),
    ),
)


@pytest.mark.parametrize(("model", "body"), BODIES)
def test_every_word_of_ours_is_the_services(models: Models, model: str, body: Any) -> None:
    assert list(faults(models, model, body, model)) == []


def test_the_walk_sees_what_is_wrong(models: Models) -> None:
    wrong = {
        "id": 7,
        "commandLine": "true",
        "comandLine": "true",
        "constraints": {"maxWallClockTime": "1h", "retentionTime": "PT1H"},
        "outputFiles": [{"filePattern": "a", "destination": {}, "uploadOptions": {}}],
        "userIdentity": {"autoUser": {"scope": "Pool"}},
        "requiredSlots": True,
    }

    assert list(faults(models, "BatchTaskCreateOptions", wrong, "task")) == [
        "task.id: 7 is no str",
        "task.comandLine: not a property of BatchTaskCreateOptions",
        "task.constraints.maxWallClockTime: '1h' is no datetime.timedelta",
        (
            "task.outputFiles[0].uploadOptions.uploadCondition:"
            " required by OutputFileUploadConfiguration"
        ),
        "task.userIdentity.autoUser.scope: `Pool` is no AutoUserScope",
        "task.requiredSlots: True is no int",
    ]


def test_the_samples_use_every_word_that_we_know() -> None:
    """A sample that lacks a property would leave its name unproven."""
    sources = Path(job_body.__code__.co_filename).parent.glob("wire*.py")
    known = {
        word
        for source in sources
        for word in re.findall(r'"([a-z]+[A-Z]\w*)"', source.read_text("utf-8"))
    }
    sent = set(re.findall(r'"(\w+)"', json.dumps([body for _, body in BODIES])))

    assert known - sent == set()
